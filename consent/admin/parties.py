"""Parties: controllers, processors, recipients and authorities."""

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminTextInputWidget,
)

from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.display import NOTHING, badge
from common.admin_pages.model_admin import ModelAdmin
from consent.models import Party
from oversight.admin.forms import DraftsChanges


class PartyForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    url = forms.URLField(required=False, assume_scheme="https", label="Website", widget=UnfoldAdminTextInputWidget)

    class Meta:
        labels = {"slug": "Name in the API", "role": "Role", "contract": "Contract"}
        help_texts = {
            "slug": "Recipients of a purpose are named by it. It can never be changed.",
            "role": "The controller decides why data is processed; processors act for it; recipients are given data.",
            "name": "As it stands on receipts.",
            "address": "Street, postal code and town: receipts must name it (ISO/IEC TS 27560).",
            "country": "Two letters, such as DE (ISO 3166-1).",
            "email": "Where people can write to.",
            "contract": "Where the agreement is filed: its number or the document's place (GDPR Articles 26 and 28).",
            "transfer_basis": "Needed where the party is in a country outside the controller's residency group "
            "(GDPR Chapter V). Receipts name it.",
        }


@admin.register(Party)
class PartyAdmin(DraftsChanges, BulkInOneTransaction, ModelAdmin):
    form = PartyForm
    list_display = ["name", "part", "country", "transfer", "contact"]
    list_filter = ["role", "country"]
    search_fields = ["name", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "role"]}),
        ("How to reach it", {"fields": ["address", "country", "email", "phone", "url"]}),
        ("Contract and transfer", {"fields": ["contract", "transfer_basis"]}),
    ]

    @display(description="Role", ordering="role")
    def part(self, party: Party) -> str:
        return badge(party.get_role_display(), "info" if party.role == Party.Role.CONTROLLER else "plain")

    @display(description="Transfer basis", ordering="transfer_basis")
    def transfer(self, party: Party) -> str:
        return party.get_transfer_basis_display() or NOTHING

    @display(description="Contact")
    def contact(self, party: Party) -> str:
        return party.email or party.phone or party.url or NOTHING

    def get_readonly_fields(self, request: HttpRequest, obj: Party | None = None) -> list[str]:
        return ["slug"] if obj else []
