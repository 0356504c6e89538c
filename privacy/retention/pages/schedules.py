"""Officers' pages of retention schedules: what each says, whether it can, when it is due next and what will go."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.display import NOTHING, badge, grid, in_days, moment, sentence
from common.admin_pages.forms import DaysField, SuggestingInput, Ticked
from common.admin_pages.model_admin import ModelAdmin
from oversight.admin.forms import DraftsChanges, RefusesUnfit
from privacy.models import DeletionPlan, RetentionSchedule
from privacy.retention import schedules
from privacy.retention.data_sets import conflicts, refusals, terms

_UNSAVED = "Shown once the schedule is saved."
_AT = "01:10 UTC"
Trigger, Action = RetentionSchedule.Trigger, RetentionSchedule.Action


def _data_sets() -> list[tuple[str, str]]:
    return [(name, sentence(name)) for name in schedules.data_sets()]


def _kinds() -> list[tuple[str, str]]:
    return [(kind, sentence(kind)) for found in schedules.data_sets().values() for kind in found.kinds]


def _laws() -> list[tuple[str, str]]:
    return [(slug, slug) for slug in sorted(terms.laws())]


class ScheduleForm(RefusesUnfit, ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    data_set = forms.ChoiceField(choices=_data_sets, widget=UnfoldAdminSelectWidget, label="Data set", initial="events")
    retain_for = DaysField(
        required=False,
        label="Retention period (days)",
        help_text="From the moment chosen above. What is older goes every night, for good.",
    )
    kinds = Ticked(_kinds, label="Kinds", help_text="What the law names. None ticked: all. For a legal minimum only.")

    class Meta:
        labels = {
            "slug": "Reference",
            "is_active": "In use",
            "undo_days": "Undo (days)",
            "trigger": "The time counts from when",
            "keep_last": "Entries to keep",
            "action": "What happens then",
            "jurisdiction": "Law or region",
            "ground": "Law that asks for it",
        }
        help_texts = {
            "slug": "Small letters, digits and hyphens; empty: that of the purpose. It can never be changed.",
            "purpose": "Empty: every purpose.",
            "is_active": "Switched off, nothing goes by this schedule.",
            "undo_days": "For so long after a run its rows are kept encrypted and can be restored; 0 keeps nothing.",
            "keep_last": "Of each person and purpose, for a window only. Suggestions use the last 100.",
            "jurisdiction": "Whom it is about: a law such as gdpr, or a region such as DE or US-CA. Empty: everybody.",
            "ground": "For a legal minimum, such as: § 147 AO.",
        }
        widgets = {"jurisdiction": SuggestingInput(_laws)}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "slug" in self.fields:
            self.fields["slug"].required = False
        own = self.instance.data_set
        if own not in schedules.data_sets():  # its data set is gone: the form says so, and does not choose another
            self.fields["data_set"].choices = [(own, f"{sentence(own)} (gone)"), *_data_sets()]  # type: ignore[attr-defined]

    def refuse_unfit(self, wanted: RetentionSchedule) -> None:
        if wanted.purpose is None and not wanted.slug:
            self.add_error("slug", "Name the schedule: it has no purpose to be named after.")
        elif wanted.is_active and (reason := refusals.why_not(wanted)):
            raise forms.ValidationError(reason)


class RetentionScheduleAdmin(DraftsChanges, BulkInOneTransaction, ModelAdmin):
    form = ScheduleForm
    list_display = ["reference", "about", "what", "keeps", "act", "standing", "next_due", "will_go"]
    list_filter = ["is_active", "action", "trigger"]
    list_select_related = ["purpose"]
    fieldsets = [
        (None, {"fields": ["slug", "purpose", "data_set", "is_active"]}),
        ("How long", {"fields": ["trigger", "retain_for", "keep_last"]}),
        ("What happens then", {"fields": ["action", "undo_days"]}),
        ("Law", {"fields": ["jurisdiction", "kinds", "ground"]}),
        ("Today", {"fields": ["how_it_stands", "due_now", "next_run", "oldest"]}),
    ]
    readonly_fields = ["how_it_stands", "due_now", "next_run", "oldest"]

    @display(description="Reference", ordering="slug")
    def reference(self, schedule: RetentionSchedule) -> str:
        return schedule.slug

    @display(description="Purpose", ordering="purpose")
    def about(self, schedule: RetentionSchedule) -> str:
        return str(schedule.purpose or "Every purpose")

    @display(description="Data set", ordering="data_set")
    def what(self, schedule: RetentionSchedule) -> str:
        return sentence(schedule.data_set)

    @display(description="Kept")
    def keeps(self, schedule: RetentionSchedule) -> str:
        if schedule.retain_for is None:
            return f"The last {schedule.keep_last or 0:,} of each person"
        least = "At least " if schedule.is_legal_minimum else ""
        since = "" if schedule.trigger == Trigger.RECEIVED else f" since {_lower(schedule.get_trigger_display())}"
        where = f" ({schedule.jurisdiction})" if schedule.jurisdiction else ""
        return f"{least}{in_days(schedule.retain_for)}{since}{where}"

    @display(description="Then", ordering="action")
    def act(self, schedule: RetentionSchedule) -> str:
        return NOTHING if schedule.is_legal_minimum else schedule.get_action_display()

    @display(description="State", ordering="is_active")
    def standing(self, schedule: RetentionSchedule) -> str:
        found = conflicts.state(schedule)
        return badge(found.label, found.tone)

    @display(description="Next due")
    def next_due(self, schedule: RetentionSchedule) -> str:
        return _next_due(schedule)

    @display(description="Will go")
    def will_go(self, schedule: RetentionSchedule) -> str:
        return _will_go(schedule)

    @display(description="State")
    def how_it_stands(self, schedule: RetentionSchedule) -> str:
        if not schedule.pk:
            return _UNSAVED
        found = conflicts.state(schedule)
        why = format_html_join("", "<p>{}</p>", ((reason,) for reason in found.reasons))
        return format_html("{}{}", badge(found.label, found.tone), why)

    @display(description="Would go tonight")
    def due_now(self, schedule: RetentionSchedule) -> str:
        return _will_go(schedule) if schedule.pk else _UNSAVED

    @display(description="Next due")
    def next_run(self, schedule: RetentionSchedule) -> str:
        return _next_due(schedule) if schedule.pk else _UNSAVED

    @display(description="Oldest entry, and its limit")
    def oldest(self, schedule: RetentionSchedule) -> str:
        found = schedules.way_of(schedule)
        if found is None or not schedule.pk:
            return NOTHING
        limit = in_days(schedule.retain_for) if schedule.retain_for else f"the last {schedule.keep_last or 0:,}"
        row = [sentence(found.name), _age(oldest_of(schedule)), limit]
        return grid(["Kind", "Age of the oldest entry", "Limit"], [row])

    def get_readonly_fields(self, request: HttpRequest, obj: RetentionSchedule | None = None) -> list[str]:
        return [*self.readonly_fields, *(["slug", "purpose"] if obj else [])]


def oldest_of(schedule: RetentionSchedule) -> datetime | None:
    """Return the age of the oldest entry that a schedule is about, held ones among them."""
    found = schedules.find(schedule.data_set)
    return found.table.oldest_stored(terms.extent(schedule, timezone.now())) if found else None


def _runs(schedule: RetentionSchedule) -> bool:
    return schedule.is_active and not schedule.is_legal_minimum and not refusals.why_not(schedule)


def _next_due(schedule: RetentionSchedule) -> str:
    """Return when the schedule has something to do next: tonight, or the night after its oldest entry is due."""
    if not _runs(schedule):
        return NOTHING
    if schedule.retain_for is None:
        return f"Every night at {_AT}"
    oldest = oldest_of(schedule)
    if oldest is None:
        return "Nothing is stored"
    due = oldest + schedule.retain_for
    return f"Tonight at {_AT}" if due <= timezone.now() else format_html("{}", moment(due))


def _will_go(schedule: RetentionSchedule) -> str:
    """Return what goes by then. People's windows are counted when the plan is made: each takes a decision."""
    if not _runs(schedule):
        return NOTHING
    if schedule.retain_for is None:
        last = DeletionPlan.objects.filter(schedule=schedule.slug).first()
        return f"{last.due:,} by the last plan" if last else "Counted each night"
    counts = schedules.due_of(schedule, timezone.now()).counts
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or NOTHING


def _age(received: datetime | None) -> str:
    return in_days(timedelta(days=(timezone.now() - received).days)) if received else NOTHING


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
