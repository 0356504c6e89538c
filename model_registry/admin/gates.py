"""Registers of release gates: which are demanded, and which do not apply to a version."""

from django.contrib import admin
from django.forms import ChoiceField, ModelForm, MultipleChoiceField
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common.admin_pages.model_admin import ModelAdmin
from model_registry.gates.checks import GATES
from model_registry.gates.models import RISKS, ReviewerRole
from model_registry.models import GateDemand, GateExemption
from oversight.admin.forms import DraftsChanges


class DemandForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    gate = ChoiceField(label="Gate", choices=[(slug, gate.title) for slug, gate in GATES.items()])
    roles = MultipleChoiceField(
        label="Roles", choices=ReviewerRole.choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Of “Reviews by role”: each of them has to approve a document of the version.",
    )  # fmt: skip
    risks = MultipleChoiceField(
        label="Risk classes", choices=[(risk, risk.capitalize()) for risk in RISKS], required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Only versions whose card states one of these classes of the EU AI Act, or none. Empty: all.",
    )  # fmt: skip

    class Meta:
        labels = {
            "slug": "Short name",
            "from_level": "From this level on",
            "is_active": "Demanded",
            "suspends": "Suspends",
            "one_role_each": "Each role by another officer",
        }
        help_texts = {
            "purpose": "Only versions that may serve this purpose. Empty: all.",
            "suspends": "An audit that fails this gate takes a version out of use; two officers make it live again.",
            "threshold": "In the unit of the gate. Empty: "
            + "; ".join(f"{gate.title} {gate.threshold:f} {gate.unit}" for gate in GATES.values() if gate.unit),
        }


@admin.register(GateDemand)
class GateDemandAdmin(DraftsChanges, ModelAdmin):
    form = DemandForm
    list_display = ["slug", "gate", "purpose", "from_level", "threshold", "is_active", "suspends"]
    list_filter = ["is_active"]
    list_select_related = ["purpose"]
    fields = [
        "slug", "gate", "purpose", "from_level", "risks", "threshold", "roles", "one_role_each", "is_active",
        "suspends",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: GateDemand | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: GateDemand | None = None) -> bool:
        return False  # a gate is switched off


class ExemptionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    gate = ChoiceField(label="Gate", choices=[(slug, gate.title) for slug, gate in GATES.items()])

    class Meta:
        help_texts = {"reason": "Why it does not apply. It stands in the version's list of gates."}


@admin.register(GateExemption)
class GateExemptionAdmin(DraftsChanges, ModelAdmin):
    form = ExemptionForm
    list_display = ["model", "version", "gate", "reason"]
    list_select_related = ["model"]
    fields = ["model", "version", "gate", "reason"]

    def get_readonly_fields(self, request: HttpRequest, obj: GateExemption | None = None) -> list[str]:
        return ["model", "version", "gate"] if obj else []
