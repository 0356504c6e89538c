"""Officers' pages of legal holds and restrictions: saving one drafts a change set."""

from typing import Any

from django.db.models import Count
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import display

from common.admin_pages.display import NOTHING, badge, code, grid, moment, sentence
from common.admin_pages.forms import CommaListField, Ticked
from common.admin_pages.model_admin import ModelAdmin
from consent.models import AgeBand, Purpose
from oversight.admin.forms import DraftsChanges
from privacy.holds import members
from privacy.holds.people_field import PeopleField
from privacy.models import Hold, Restriction
from privacy.retention import schedules

_PEOPLE_SHOWN = 50


def _purposes() -> list[tuple[str, str]]:
    return list(Purpose.objects.values_list("slug", "name"))


class LimitForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    people = PeopleField(
        required=False,
        label="People",
        help_text="Customer ids or pseudonyms, one a line. Only the pseudonym is kept.",
    )
    purposes = Ticked(_purposes, label="Purposes", help_text="None ticked: every purpose.")

    class Meta:
        labels = {"slug": "Reference", "starts_at": "From", "ends_at": "Until", "is_released": "Released"}
        help_texts = {
            "slug": "Your file number, in small letters, digits and hyphens. It can never be changed.",
            "ends_at": "Empty: until it is released.",
        }


class HoldForm(LimitForm):
    regions = CommaListField(
        required=False, free_text=True, label="Region", help_text="Finds people, such as DE, FR. Empty: any."
    )
    age_bands = Ticked(AgeBand.choices, label="Age band", help_text="None ticked: any.")
    chose_about = Ticked(_purposes, label="Chose about", help_text="None ticked: any.")
    data_sets = Ticked(
        lambda: [(name, sentence(name)) for name in schedules.names_for_holds()],
        label="Data sets",
        help_text="None ticked: all. It narrows what is kept; use is denied for the purposes of the hold either way.",
    )


class _LimitAdmin(DraftsChanges, ModelAdmin):
    """What the pages of holds and restrictions share."""

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(kept=Count("members__ref", distinct=True))

    @display(description="State")
    def standing(self, limit: Hold | Restriction) -> str:
        if limit.is_in_force:
            return badge("In force", "caution")
        return badge("Released") if limit.is_released else badge("Not in force", "info")

    @display(description="Purposes")
    def about(self, limit: Hold | Restriction) -> str:
        return ", ".join(limit.purposes) or "Every purpose"

    @display(description="People kept", ordering="kept")
    def people_kept(self, limit: Any) -> str:
        return f"{limit.kept:,}"

    @display(description="From", ordering="starts_at")
    def since(self, limit: Hold | Restriction) -> str:
        return moment(limit.starts_at)

    @display(description="Until", ordering="ends_at")
    def until(self, limit: Hold | Restriction) -> str:
        return moment(limit.ends_at) if limit.ends_at else "Released by two officers"

    @display(description="Keeps now")
    def keeps(self, limit: Hold | Restriction) -> str:
        if not limit.pk:
            return "Shown once it is in force."
        rows = members.of(limit).order_by("ref", "purpose", "data_set")
        people = rows.values("ref").distinct().count()
        if not people:
            return NOTHING
        shown = (
            [code(str(row.ref)), row.purpose or "Every purpose", sentence(row.data_set) if row.data_set else "All data"]
            for row in rows[:_PEOPLE_SHOWN]
        )
        heading = f"Person ({people:,} in all)"
        return grid([heading, "Purpose", "Data set"], shown)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["keeps", *(["slug"] if obj else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # records name it; it is released instead

    @method_decorator(sensitive_post_parameters("people"))
    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **options)


class HoldAdmin(_LimitAdmin):
    form = HoldForm
    list_display = ["slug", "standing", "matter", "people_kept", "about", "since", "until"]
    list_filter = ["is_released"]
    search_fields = ["slug", "matter"]
    fieldsets = [
        (None, {"fields": ["slug", "matter", "reason"]}),
        ("Whom it keeps", {"fields": ["people", "regions", "age_bands", "chose_about"]}),
        ("What it keeps", {"fields": ["purposes", "data_sets"]}),
        ("When", {"fields": ["starts_at", "ends_at", "is_released"]}),
        ("In force", {"fields": ["keeps"]}),
    ]


class RestrictionAdmin(_LimitAdmin):
    form = LimitForm
    list_display = ["slug", "standing", "ground", "people_kept", "about", "since", "until"]
    list_filter = ["is_released", "ground"]
    search_fields = ["slug"]
    fieldsets = [
        (None, {"fields": ["slug", "ground", "reason"]}),
        ("Whom and what it restricts", {"fields": ["people", "purposes"]}),
        ("When", {"fields": ["starts_at", "ends_at", "informed_on", "is_released"]}),
        ("In force", {"fields": ["keeps"]}),
    ]
