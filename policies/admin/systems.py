"""Pages of processing systems: what each is, whose, and where, one place a line."""

from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.display import NOTHING, badge, exact_moment, grid, moment
from common.admin_pages.forms import CommaListField
from common.admin_pages.model_admin import ModelAdmin
from oversight.admin.forms import DraftsChanges
from policies.models import ProcessingSystem
from policies.residency.judging import Reason
from policies.residency.placements import KINDS, text_of

_MAX_PLACES = 200


class PlacesField(forms.CharField):
    """Form field of placements, edited as lines of ``kind, region, what it is``."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{place['kind']}, {place['region']}, {place['resource']}" for place in value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        lines = [line for line in (value or "").splitlines() if line.strip()]
        if len(lines) > _MAX_PLACES:
            raise forms.ValidationError(f"At most {_MAX_PLACES} places.")
        return [self._place(line) for line in lines]

    def _place(self, line: str) -> dict[str, str]:
        kind, region, resource = [*(text_of(part) for part in line.split(",", 2)), "", ""][:3]
        if kind.lower() not in KINDS or not region:
            raise forms.ValidationError(f"“{line}” is no place: write for instance “store, eu-central-1, orders”.")
        return {"kind": kind.lower(), "region": region, "resource": resource}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != list(initial or []))
        except forms.ValidationError:
            return True


class SystemForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    placements = PlacesField(
        label="Places",
        help_text="One a line: store, process, replica or backup; the region, in the cloud's words or as registered; "
        "and what it is. For example: store, eu-central-1, orders",
    )
    subject_groups = CommaListField(label="People live in", help_text="Residency groups, separated by commas: eea, uk.")
    data_categories = CommaListField(
        required=False, also=("*",), label="Kinds of data", help_text="Empty: those of the purposes, or else all."
    )
    purposes = CommaListField(required=False, label="Purposes", help_text="Their names in the API, by commas.")

    class Meta:
        labels = {"owner": "Run by"}
        help_texts = {"owner": "The party that answers for it: a department or a processor."}


@admin.register(ProcessingSystem)
class ProcessingSystemAdmin(DraftsChanges, BulkInOneTransaction, ModelAdmin):
    form = SystemForm
    list_display = ["name", "owner", "standing", "checked"]
    search_fields = ["name", "owner"]
    fields = [
        "name", "owner", "placements", "subject_groups", "data_categories", "purposes", "checked_exactly", "found",
    ]  # fmt: skip
    readonly_fields = ["checked_exactly", "found"]

    def get_readonly_fields(self, request: HttpRequest, obj: ProcessingSystem | None = None) -> Any:
        return [*self.readonly_fields, *(["name"] if obj else [])]

    @display(description="State")
    def standing(self, system: ProcessingSystem) -> str:
        if system.checked_at is None:
            return badge("Not looked at yet")
        return badge("Not allowed", "alarm") if system.findings else badge("Allowed", "good")

    @display(description="Last looked at", ordering="checked_at")
    def checked(self, system: ProcessingSystem) -> str:
        return moment(system.checked_at)

    @display(description="Last looked at")
    def checked_exactly(self, system: ProcessingSystem) -> str:
        return exact_moment(system.checked_at)

    @display(description="What was found")
    def found(self, system: ProcessingSystem) -> str:
        if system.checked_at is None:
            return NOTHING
        if not system.findings:
            return "Every place is allowed."
        rows = ((f["resource"], f["region"] or NOTHING, _sentence(f)) for f in system.findings)
        return grid(("What", "Region", "Why it is not allowed"), rows)


def _sentence(finding: dict[str, str]) -> str:
    return Reason(finding["code"], finding["detail"]).sentence
