"""Pages of residency: where data may be processed, and which kinds are sensitive."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from common.admin_pages.display import badge, moment
from common.admin_pages.forms import CommaListField, SuggestingInput
from policies.admin.rules import RuleAdmin, group_labels, group_name, known_groups
from policies.models import (
    ProcessingRegion,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)
from policies.models.rules import people_groups, processing_groups


class GroupField(forms.ChoiceField):
    """Residency group, chosen from those that regions are in.

    A value that is not offered reaches the model, whose refusal names the groups there are.
    """

    widget = UnfoldAdminSelectWidget

    def __init__(self, groups: Callable[[], Iterable[str]], **options: Any) -> None:
        super().__init__(choices=lambda: [("", "Choose a group"), *group_labels(groups())], **options)

    def valid_value(self, value: Any) -> bool:
        return True


class ProcessingRegionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {"slug": "Name in the API", "group": "Residency group"}
        help_texts = {
            "slug": "Services say with it where they process, for example eu-central.",
            "group": "The group that residency rules name, for example eea. A new name makes a new group.",
        }
        widgets = {"group": SuggestingInput(known_groups)}


@admin.register(ProcessingRegion)
class ProcessingRegionAdmin(RuleAdmin):
    form = ProcessingRegionForm
    list_display = ["slug", "residency_group"]

    @display(description="Residency group", ordering="group")
    def residency_group(self, region: ProcessingRegion) -> str:
        return group_name(region.group)


class InstrumentForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {"slug": "Short name", "valid_until": "Ends"}
        help_texts = {"valid_until": "From then on every transfer that rests on it is denied. Empty: it does not end."}


@admin.register(TransferInstrument)
class TransferInstrumentAdmin(RuleAdmin):
    form = InstrumentForm
    list_display = ["name", "standing", "ends"]
    fields = ["name", "slug", "valid_until"]

    @display(description="State")
    def standing(self, instrument: TransferInstrument) -> str:
        ended = instrument.valid_until is not None and instrument.valid_until <= timezone.now()
        return badge("Ended", "alarm") if ended else badge("Valid", "good")

    @display(description="Ends", ordering="valid_until")
    def ends(self, instrument: TransferInstrument) -> str:
        return moment(instrument.valid_until) if instrument.valid_until else "Does not end"


class ResidencyForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    subject_group = GroupField(people_groups, label="People live in", help_text="A residency group of regions.")
    processing_group = GroupField(
        processing_groups, label="Data may be processed in", help_text="A residency group of processing regions."
    )
    data_categories = CommaListField(
        also=("*",), label="Kinds of data", help_text="Separated by commas: views, purchases. A * stands for all."
    )

    class Meta:
        labels = {
            "slug": "Short name",
            "instrument": "Lawful because of",
        }
        help_texts = {
            "instrument": "Needed where data crosses a border of law. Once it ends, the rule ends.",
        }


@admin.register(ResidencyRule)
class ResidencyRuleAdmin(RuleAdmin):
    form = ResidencyForm
    list_display = ["rule", "kinds", "instrument"]
    list_filter = ["subject_group", "processing_group"]
    list_select_related = ["instrument"]
    fields = ["slug", "subject_group", "processing_group", "data_categories", "instrument"]

    @display(description="Permitted processing", ordering="slug")
    def rule(self, rule: ResidencyRule) -> str:
        people, place = group_name(rule.subject_group), group_name(rule.processing_group)
        return f"Data of people in {people} may be processed in {place}"

    @display(description="Data categories")
    def kinds(self, rule: ResidencyRule) -> str:
        return "All" if "*" in rule.data_categories else ", ".join(rule.data_categories).replace("_", " ")


class SensitiveForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {"slug": "Name in the API"}
        help_texts = {"slug": "Data of this kind is left out unless a person agreed to it explicitly."}


@admin.register(SensitiveCategory)
class SensitiveCategoryAdmin(RuleAdmin):
    form = SensitiveForm
    list_display = ["name", "slug"]
    fields = ["name", "slug"]
