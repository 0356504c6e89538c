from django.contrib import admin
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest
from unfold.decorators import display

from common.admin_pages.display import NOTHING, badge
from common.admin_pages.forms import CommaListField
from common.admin_pages.model_admin import ModelAdmin
from common.admin_pages.read_only import ReadOnlyAdmin
from oversight.admin.forms import DraftsChanges
from personalization.catalogue import admin as catalogue
from personalization.creators import admin as creators
from personalization.models import Event, EventCount, Feature, MonitorObjective, RegressionCase
from personalization.monitors.kinds import MONITORS

__all__ = ["catalogue", "creators"]


@admin.register(EventCount)
class EventCountAdmin(ReadOnlyAdmin):
    list_display = ["day", "purpose", "kind", "what", "entries", "people"]
    list_filter = ["purpose", "kind"]
    list_select_related = ["item"]
    fields = ["day", "purpose", "kind", "what", "entries", "people"]
    readonly_fields = ["what"]

    @display(description="Item", ordering="item")
    def what(self, count: EventCount) -> str:
        return count.item.title if count.item else "Others, of too few people each"


class ObjectiveForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    monitor = ChoiceField(label="Monitor", choices=[(slug, monitor.title) for slug, monitor in MONITORS.items()])

    class Meta:
        labels = {"slug": "Short name", "suspends_after": "Suspends after (days)", "is_active": "Judged"}
        help_texts = {
            "model": "Empty: all models that have no objective of their own.",
            "limit": "In the unit of the monitor. Its own: "
            + "; ".join(f"{each.title} {each.limit:g} {each.unit}" for each in MONITORS.values()),
            "suspends_after": "So many measured days in a row beyond it suspend the version. Empty: never.",
            "is_active": "Switched off, the monitor measures and judges nothing.",
        }


@admin.register(MonitorObjective)
class MonitorObjectiveAdmin(DraftsChanges, ModelAdmin):
    form = ObjectiveForm
    list_display = ["slug", "monitor", "model", "limit", "suspends_after", "is_active"]
    list_select_related = ["model"]
    fields = ["slug", "monitor", "model", "limit", "suspends_after", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: MonitorObjective | None = None) -> list[str]:
        return ["slug"] if obj else []


class CaseForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    history = CommaListField(
        free_text=True,
        required=False,
        help_text="Items a made-up person liked, oldest first, by their names in the API. Never a real person's.",
    )
    expected = CommaListField(free_text=True, required=False, help_text="Items that must be among the ten.")
    forbidden = CommaListField(free_text=True, required=False, help_text="Items that must not be among the ten.")
    reasons = CommaListField(
        free_text=True, required=False, help_text="Items of the history that must be named as a reason."
    )

    class Meta:
        labels = {"slug": "Short name", "is_active": "Asked", "level_used": "Level that must be served"}
        help_texts = {
            "region": "With the age band: the segment. Empty: none.",
            "is_active": "Switched off, no version is asked.",
        }


class FeatureForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    events = CommaListField(
        free_text=True, help_text=f"Kinds of events it is made of, by commas: {', '.join(Event.Kind.values)}."
    )

    class Meta:
        labels = {"window_days": "Window (days)", "freshness_s": "Events at most (seconds old)", "in_use": "In use"}
        help_texts = {
            "version": "What a version computes never changes: a change is the next number.",
            "window_days": "Empty: everything before the moment.",
            "purpose": "By its short name. It is read for this purpose alone, of people who permit it.",
            "in_use": "The newest version in use counts. Switch it off to go back to the one before.",
        }


@admin.register(Feature)
class FeatureAdmin(DraftsChanges, ModelAdmin):
    form = FeatureForm
    list_display = ["__str__", "kind", "purpose", "owner", "in_use"]
    list_filter = ["purpose", "in_use"]
    fields = [
        "name", "version", "kind", "events", "window_days", "purpose", "freshness_s", "owner", "description", "in_use",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Feature | None = None) -> list[str]:
        return ["name", "version"] if obj else []


@admin.register(RegressionCase)
class RegressionCaseAdmin(DraftsChanges, ModelAdmin):
    form = CaseForm
    empty_text = "A case asks the model a question whose answer is known. The audits of each version ask it again."
    list_display = ["slug", "model", "level", "asks", "asked"]
    list_filter = ["is_active", "model"]
    list_select_related = ["model"]
    search_fields = ["slug", "note"]
    fields = [
        "slug", "model", "note", "level", "region", "age_band", "history", "expected", "forbidden", "reasons",
        "level_used", "is_active",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: RegressionCase | None = None) -> list[str]:
        return ["slug", "model"] if obj else []

    @display(description="Asks for")
    def asks(self, case: RegressionCase) -> str:
        parts = [f"{len(case.expected)} expected", f"{len(case.forbidden)} forbidden", f"{len(case.reasons)} reasons"]
        return ", ".join(part for part in parts if not part.startswith("0 ")) or NOTHING

    @display(description="State", ordering="is_active")
    def asked(self, case: RegressionCase) -> str:
        return badge("Asked", "good") if case.is_active else badge("Not asked")
