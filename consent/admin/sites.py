"""Sites with a consent banner."""

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common.admin_pages.display import NOTHING, badge
from common.admin_pages.forms import CommaListField
from common.admin_pages.model_admin import ModelAdmin
from consent.models import LegalBasis, Purpose, Site
from oversight.admin.forms import DraftsChanges


class SiteForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    origins = CommaListField(
        free_text=True,
        help_text="Where its pages are served, separated by commas: https://shop.example. No other page may ask.",
    )
    purposes = forms.ModelMultipleChoiceField(
        queryset=Purpose.objects.filter(is_active=True, legal_basis=LegalBasis.CONSENT),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="Purposes it asks about",
        help_text="Only purposes that rest on consent: for the others there is nothing to agree to.",
    )

    class Meta:
        labels = {"slug": "Name in the script tag", "consent_mode": "Google Consent Mode", "is_active": "In use"}
        help_texts = {
            "slug": "What the page writes as data-site. It can never be changed.",
            "consent_mode": 'Which signals a purpose opens: {"recommendations": ["personalization_storage"]}.',
            "region": "Whose law its visitors are asked under, such as DE or US-CA.",
            "is_active": "Switched off, its banner asks nothing and nothing counts as allowed on its pages.",
        }


@admin.register(Site)
class SiteAdmin(DraftsChanges, ModelAdmin):
    form = SiteForm
    list_display = ["name", "slug", "served_at", "asks_about", "in_use"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "origins", "purposes", "consent_mode", "region", "is_active"]

    @display(description="Served at")
    def served_at(self, site: Site) -> str:
        return ", ".join(site.origins) or NOTHING

    @display(description="Asks about")
    def asks_about(self, site: Site) -> str:
        return ", ".join(purpose.name for purpose in site.purposes.all()) or NOTHING

    @display(description="State", ordering="is_active")
    def in_use(self, site: Site) -> str:
        return badge("Active", "good") if site.is_active else badge("Inactive")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Site]:
        return super().get_queryset(request).prefetch_related("purposes")  # type: ignore[no-any-return]

    def get_readonly_fields(self, request: HttpRequest, obj: Site | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Site | None = None) -> bool:
        return False  # the slug is part of its visitors' pseudonyms; switch it off instead
