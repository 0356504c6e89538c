from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import display

from common.admin_pages.display import NOTHING, badge, code, exact_moment, grid, in_days, moment, sentence, short
from common.admin_pages.filters import since
from common.admin_pages.model_admin import ModelAdmin
from common.admin_pages.read_only import ReadOnlyAdmin
from consent.admin.looks import PersonLooksRecorded
from oversight.admin import timeline
from oversight.admin.forms import DraftsChanges
from privacy.budgets.pages import PrivacyBudgetAdmin, ReleaseAdmin, StatisticAdmin
from privacy.holds.pages import HoldAdmin, RestrictionAdmin
from privacy.models import (
    DisclosureLimits,
    Disposal,
    ExternalTable,
    Hold,
    PrivacyBudget,
    RecordPeriod,
    Release,
    Restriction,
    RetentionSchedule,
    Statistic,
)
from privacy.releases.screens.external_form import ExternalTableForm
from privacy.releases.screens.limits_form import DisclosureLimitsForm
from privacy.retention.own_records import record_periods
from privacy.retention.pages import figures
from privacy.retention.pages.plans import RunSteps, share_done
from privacy.retention.pages.schedules import RetentionScheduleAdmin
from privacy.retention.subjects import PLAN, UNDO

admin.site.register(Hold, HoldAdmin)
admin.site.register(PrivacyBudget, PrivacyBudgetAdmin)
admin.site.register(Release, ReleaseAdmin)
admin.site.register(Restriction, RestrictionAdmin)
admin.site.register(Statistic, StatisticAdmin)
_TONES = {"queued": "info", "running": "caution", "paused": "info", "stopped": "alarm", "done": "good"}


admin.site.register(RetentionSchedule, RetentionScheduleAdmin)


@admin.register(DisclosureLimits)
class DisclosureLimitsAdmin(DraftsChanges, ModelAdmin):
    form = DisclosureLimitsForm
    list_display = ["__str__", "smallest_group", "k_at_least", "l_at_least"]
    fieldsets = [
        ("Public counts", {"fields": ["smallest_group"]}),
        ("Releases", {"fields": ["k_at_least", "l_at_least", "t_at_most", "epsilon_at_most", "days_at_most"]}),
        ("Attacks on a release", {"fields": ["inferred_at_most", "singled_out_at_most"]}),
        ("Two releases of one table", {"fields": ["overlap_at_least", "overlap"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ExternalTable)
class ExternalTableAdmin(DraftsChanges, ModelAdmin):
    form = ExternalTableForm
    empty_text = "A table or view of another PostgreSQL database, of which releases may be made."
    list_display = ["title", "connection", "relation", "is_active"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "is_active"]}),
        ("Where it is", {"fields": ["connection", "schema", "relation"]}),
        ("What is read of it", {"fields": ["person", "row_key", "columns"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["slug", "connection", "schema", "relation", "row_key"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RecordPeriod)
class RecordPeriodAdmin(DraftsChanges, ModelAdmin):
    list_display = ["kind", "days"]
    fields = ["slug", "keep_days", "counted_from", "due_now"]
    readonly_fields = ["slug", "counted_from", "due_now"]

    @display(description="Kind", ordering="slug")
    def kind(self, period: RecordPeriod) -> str:
        return str(period)

    @display(description="Kept for", ordering="keep_days")
    def days(self, period: RecordPeriod) -> str:
        return in_days(period.lasts)

    @display(description="Counted from")
    def counted_from(self, period: RecordPeriod) -> str:
        return record_periods.COUNTED_FROM[RecordPeriod.Kind(period.slug)]

    @display(description="Would go tonight")
    def due_now(self, period: RecordPeriod) -> str:
        return grid(["What", "Now"], record_periods.due(period.slug)) or NOTHING

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a row for each kind there is

    def has_delete_permission(self, request: HttpRequest, obj: RecordPeriod | None = None) -> bool:
        return False


@admin.register(Disposal)
class DisposalAdmin(PersonLooksRecorded, RunSteps, ReadOnlyAdmin):
    look = "deletion run"
    actions_detail_hide_default = False
    actions_detail = ["approve_undo", "refuse_undo", "pause_this", "resume_this", "stop_this", "propose_undo"]
    list_display = ["when", "standing", "done_share", "why", "purpose_name", "person", "rows_removed", "finished"]
    list_filter = [since("queued_at"), "status", "reason", "purpose"]
    list_select_related = ["purpose", "plan"]
    search_fields = ["=subject_ref", "=id"]
    search_help_text = "Paste a person's pseudonym."
    list_before_template = "admin/deletion_runs_before.html"
    fields = [
        "standing", "why_stopped", "done_share", "why", "purpose_name", "schedule", "act", "plan",
        "person_in_full", "older_than", "removed_rows", "queued", "finished_exactly", "undo", "proof", "history",
    ]  # fmt: skip
    readonly_fields = [
        "standing", "done_share", "why", "purpose_name", "act", "person_in_full", "older_than", "removed_rows",
        "queued", "finished_exactly", "undo", "proof", "history",
    ]  # fmt: skip

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list below its figures: what went over time, and how near the oldest data is to its limit."""
        return super().changelist_view(request, {"figures": figures.of_runs(), **(extra_context or {})})

    def person_of(self, row: Disposal) -> UUID | None:
        return row.subject_ref

    @display(description="Requested", ordering="queued_at")
    def when(self, disposal: Disposal) -> str:
        return moment(disposal.queued_at)

    @display(description="State", ordering="status")
    def standing(self, disposal: Disposal) -> str:
        return badge(disposal.get_status_display(), _TONES[disposal.status])

    @display(description="Progress")
    def done_share(self, disposal: Disposal) -> str:
        return share_done(disposal)

    @display(description="Undo")
    def undo(self, disposal: Disposal) -> str:
        if disposal.undone_at is not None:
            return f"Undone on {exact_moment(disposal.undone_at)}"
        if disposal.undo_until is None or disposal.undo_until <= timezone.now():
            return "It cannot be undone."
        return f"Until {exact_moment(disposal.undo_until)}, by two officers"

    @display(description="What happened")
    def history(self, disposal: Disposal) -> str:
        return timeline.drawn((PLAN.slug, str(disposal.plan_id)), (UNDO.slug, str(disposal.pk)))

    @display(description="Reason", ordering="reason")
    def why(self, disposal: Disposal) -> str:
        return disposal.get_reason_display()

    @display(description="Purpose", ordering="purpose")
    def purpose_name(self, disposal: Disposal) -> str:
        return disposal.purpose.name if disposal.purpose else "Every purpose"

    @display(description="What it does")
    def act(self, disposal: Disposal) -> str:
        return RetentionSchedule.Action(disposal.terms["action"]).label if disposal.terms else "Delete"

    @display(description="Person")
    def person(self, disposal: Disposal) -> str:
        return short(disposal.subject_ref) if disposal.subject_ref else "All people"

    @display(description="Entries removed")
    def rows_removed(self, disposal: Disposal) -> str:
        return f"{disposal.total_removed:,}"

    @display(description="Finished", ordering="finished_at")
    def finished(self, disposal: Disposal) -> str:
        return moment(disposal.finished_at)

    @display(description="Person")
    def person_in_full(self, disposal: Disposal) -> str:
        return code(str(disposal.subject_ref)) if disposal.subject_ref else "All people"

    @display(description="Removes what was received before")
    def older_than(self, disposal: Disposal) -> str:
        return exact_moment(disposal.before)

    @display(description="Entries removed")
    def removed_rows(self, disposal: Disposal) -> str:
        return grid(["Kind", "Entries"], ([sentence(name), count] for name, count in disposal.removed.items()))

    @display(description="Requested")
    def queued(self, disposal: Disposal) -> str:
        return exact_moment(disposal.queued_at)

    @display(description="Finished")
    def finished_exactly(self, disposal: Disposal) -> str:
        return exact_moment(disposal.finished_at)

    @display(description="Manifest digest (SHA-256)")
    def proof(self, disposal: Disposal) -> str:
        return code(disposal.manifest_sha256) if disposal.manifest_sha256 else NOTHING
