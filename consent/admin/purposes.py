"""Register of purposes: saving one drafts a change set."""

import difflib
from typing import Any

from django import forms
from django.contrib import admin
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from unfold.admin import StackedInline
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from common import languages
from common.admin_pages.display import NOTHING, badge
from common.admin_pages.forms import CommaListField, DaysField
from common.admin_pages.model_admin import ModelAdmin
from consent.models import DataCategory, Party, Purpose, PurposeData, PurposeText
from consent.receipts import terms
from consent.register import lint_rules, words
from oversight.admin.forms import DraftsAlone, DraftsChanges
from oversight.changes.documents import Proposed


class PurposeForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    benefit = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="What the person gets from it, in one plain sentence.",
    )
    actions = forms.MultipleChoiceField(
        choices=list(words.ACTIONS.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="Permitted actions",
        help_text="Anything not ticked is denied.",
    )
    data_categories = CommaListField(
        label="Categories of personal data",
        help_text="Separated by commas. Any other category is denied.",
    )
    recipients = CommaListField(
        required=False,
        label="Recipients",
        help_text="Who may be given the data, separated by commas: parcel-carrier. Empty: no recipient.",
    )
    channels = forms.MultipleChoiceField(
        choices=list(words.CHANNELS.items()),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="Channels",
        help_text="Where people may be contacted for this purpose.",
    )
    consent_valid_for = DaysField(
        label="Consent valid for (days)",
        help_text="An older consent has expired: it permits nothing, and people are asked again.",
    )

    notice = forms.CharField(
        required=False,
        max_length=20_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        label="First notice",
        help_text="What people read before they choose, in English. A purpose that asks for consent needs one.",
    )

    def clean_dpv_purpose(self) -> str:
        """Return a term that the vocabulary has: the receipt of each choice carries it."""
        term: str = self.cleaned_data["dpv_purpose"]
        if term in terms.PURPOSES:
            return term
        near = difflib.get_close_matches(term, terms.PURPOSES, n=1, cutoff=0.7)
        hint = f" Did you mean {near[0]}?" if near else " Examples: DirectMarketing, ServicePersonalisation."
        raise forms.ValidationError(f"This is no purpose of the Data Privacy Vocabulary 2.3.{hint}")

    class Meta:
        labels = {
            "slug": "Name in the API",
            "legal_basis": "Lawful basis",
            "parent": "Broader activity",
            "order": "Order on the privacy page",
            "is_active": "Active",
            "max_level": "Highest level",
            "kept_for": "Retention period, in words",
            "dpv_purpose": "Purpose (W3C DPV)",
        }
        help_texts = {
            "name": "What people read on their privacy page.",
            "slug": "Services name the purpose by it. It can never be changed.",
            "legal_basis": "Fixed as soon as one person has answered (GDPR Article 13).",
            "parent": "Until a person answers about this one, their answer to the broader one counts.",
            "order": "Lower numbers come first.",
            "is_active": "Inactive, every use for this purpose is denied from the next decision on.",
            "max_level": "How personal this purpose may ever become, whatever people allow.",
            "kept_for": "As it stands on receipts: one year, or until you turn it off.",
            "controller": "Empty: the controller of the register.",
            "dpv_purpose": "A term of the W3C Data Privacy Vocabulary, such as DirectMarketing. Receipts carry it.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field, model in (("data_categories", DataCategory), ("recipients", Party)):
            if field in self.fields:
                known = ", ".join(model._default_manager.order_by("slug").values_list("slug", flat=True))  # noqa: SLF001
                self.fields[field].help_text += f" Known: {known or 'none yet'}."


class PurposeTextForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    locale = forms.ChoiceField(
        label="Language",
        choices=lambda: [(code, languages.name(code)) for code in languages.known()],
        widget=UnfoldAdminSelectWidget,
    )
    benefit = forms.CharField(max_length=2_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    class Meta:
        labels = {"kept_for": "Retention period, in words"}


class PurposeDataForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    locale = forms.ChoiceField(
        label="Language",
        choices=lambda: [(code, languages.name(code)) for code in languages.known()],
        initial="en",
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        labels = {"category": "Data category", "benefit": "What the person gains by it"}
        help_texts = {"reason": "Why the purpose cannot do without it, in one plain sentence."}
        widgets = {
            "reason": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "benefit": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        }


class PurposeDataFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """Reasons of one purpose; refuses to bring about a data category without one in the register's own language."""

    def clean(self) -> None:
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form not in self.deleted_forms and form.is_valid()]
        explained = {row["category"].slug for row in kept if row.get("category") and row.get("locale") == "en"}
        wanted = [kind for kind in self.instance.data_categories if kind not in self._unexplained_before()]
        found = lint_rules.unexplained_data(self.instance.slug, wanted, explained)
        if errors := [finding.detail for finding in found if finding.is_error]:
            raise forms.ValidationError(errors)

    def _unexplained_before(self) -> set[str]:
        before = Purpose.objects.filter(pk=self.instance.pk).first()
        if before is None:
            return set()
        return set(before.data_categories) - set(
            before.data_reasons.filter(locale="en").values_list("category__slug", flat=True)
        )


class PurposeDataInline(DraftsAlone, StackedInline):  # type: ignore[misc]  # unfold ships no types
    model = PurposeData
    form = PurposeDataForm
    formset = PurposeDataFormSet
    fields = ["category", "locale", "reason", "benefit"]
    extra = 0
    verbose_name = "reason"
    verbose_name_plural = "Why each kind of data is needed"


class PurposeTextInline(StackedInline):  # type: ignore[misc]  # unfold ships no types
    model = PurposeText
    form = PurposeTextForm
    fields = ["locale", "name", "benefit", "kept_for"]
    extra = 0
    verbose_name = "language"
    verbose_name_plural = "In other languages"


@admin.register(Purpose)
class PurposeAdmin(DraftsChanges, ModelAdmin):
    form = PurposeForm
    list_display = ["name", "basis", "done", "level", "parent", "in_use"]
    list_filter = ["legal_basis", "is_active"]
    list_select_related = ["parent"]
    search_fields = ["name", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "benefit", "legal_basis", "parent", "is_active", "order"]}),
        ("Permitted processing", {"fields": ["actions", "max_level", "recipients", "channels"]}),
        ("Personal data", {"fields": ["data_categories", "explicit_consent"]}),
        ("Consent and retention", {"fields": ["consent_valid_for", "kept_for"]}),
        ("Controller and purpose", {"fields": ["controller", "dpv_purpose"]}),
    ]
    inlines = [PurposeDataInline, PurposeTextInline]

    @display(description="Lawful basis", ordering="legal_basis")
    def basis(self, purpose: Purpose) -> str:
        return purpose.get_legal_basis_display()

    @display(description="Permitted actions")
    def done(self, purpose: Purpose) -> str:
        return ", ".join(words.action(name) for name in purpose.actions) or NOTHING

    @display(description="Highest level", ordering="max_level")
    def level(self, purpose: Purpose) -> str:
        return purpose.get_max_level_display()

    @display(description="State", ordering="is_active")
    def in_use(self, purpose: Purpose) -> str:
        return badge("Active", "good") if purpose.is_active else badge("Inactive")

    def get_readonly_fields(self, request: HttpRequest, obj: Purpose | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Purpose | None = None) -> bool:
        return False  # records point to it for ever; make it inactive instead

    def get_fieldsets(self, request: HttpRequest, obj: Purpose | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj else [*fieldsets, ("Notice", {"fields": ["notice"]})]

    def more_changes(self, form: Any, key: str) -> list[Proposed]:
        """Return the first notice of a new purpose."""
        text = str(form.cleaned_data.get("notice") or "").replace("\r\n", "\n")
        if not text:
            return []
        document = {"purpose": key, "version": 1, "locale": "en", "text": text, "is_material": True}
        return [Proposed("notice", f"{key}/1/en", document)]
