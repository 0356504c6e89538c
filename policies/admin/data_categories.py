"""Page of data categories: their names, and the same in public vocabularies.

It stands here and not in ``consent`` because it shows whether a category is sensitive, which is a register of this
package.
"""

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from common import languages
from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.display import NOTHING, badge
from common.admin_pages.forms import SuggestingInput
from common.admin_pages.model_admin import ModelAdmin
from consent.models import DataCategory, DataCategoryText, Purpose
from consent.register import data_terms
from oversight.admin.forms import DraftsChanges
from policies.models import SensitiveCategory


class DataCategoryForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {"slug": "Name in the API", "fideslang_key": "Key in fideslang", "dpv_term": "Term in the W3C DPV"}
        help_texts = {
            "name": "What people read: small letters, as in “we use your email address”.",
            "slug": "Purposes, rules and systems name it so, for example postal_address. It can never be changed.",
            "fideslang_key": "The nearest key of the fideslang taxonomy; own keys are permitted.",
            "dpv_term": "The nearest term of the Data Privacy Vocabulary for personal data. Receipts carry it.",
        }
        widgets = {
            "fideslang_key": SuggestingInput(lambda: data_terms.fideslang().items()),
            "dpv_term": SuggestingInput(lambda: data_terms.dpv().items()),
        }


class TextForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    locale = forms.ChoiceField(
        label="Language",
        choices=lambda: [(code, languages.name(code)) for code in languages.known()],
        widget=UnfoldAdminSelectWidget,
    )


class TextInline(TabularInline):  # type: ignore[misc]  # unfold ships no types
    model = DataCategoryText
    form = TextForm
    fields = ["locale", "name"]
    extra = 0
    verbose_name = "language"
    verbose_name_plural = "In other languages"


@admin.register(DataCategory)
class DataCategoryAdmin(DraftsChanges, BulkInOneTransaction, ModelAdmin):
    form = DataCategoryForm
    list_display = ["name", "slug", "standing", "used_by", "fideslang_key", "dpv_term"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "sensitivity", "fideslang_key", "dpv_term"]
    inlines = [TextInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataCategory]:
        self._sensitive = set(SensitiveCategory.objects.values_list("slug", flat=True))
        self._users: dict[str, list[str]] = {}
        for name, kinds in Purpose.objects.values_list("name", "data_categories"):
            for kind in kinds:
                self._users.setdefault(kind, []).append(name)
        return super().get_queryset(request)  # type: ignore[no-any-return]

    @display(description="Sensitive")
    def standing(self, category: DataCategory) -> str:
        return badge("Sensitive", "caution") if category.slug in self._sensitive else NOTHING

    @display(description="Sensitive")
    def sensitivity(self, category: DataCategory) -> str:
        """Show what the register of sensitive categories says, with the way to change it there."""
        row = SensitiveCategory.objects.filter(slug=category.slug).first() if category.pk else None
        if row is not None:
            url = reverse("admin:policies_sensitivecategory_change", args=[row.pk])
            return format_html('Yes: it is used only with explicit consent. <a href="{}">Sensitive category</a>', url)
        query = urlencode({"slug": category.slug, "name": category.name.capitalize()})
        url = f"{reverse('admin:policies_sensitivecategory_add')}?{query}"
        return format_html('No. <a href="{}">Make it a sensitive category</a>', url)

    @display(description="Used by")
    def used_by(self, category: DataCategory) -> str:
        return ", ".join(self._users.get(category.slug, [])) or NOTHING

    def get_readonly_fields(self, request: HttpRequest, obj: DataCategory | None = None) -> list[str]:
        return ["slug", "sensitivity"] if obj else ["sensitivity"]
