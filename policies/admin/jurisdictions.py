"""Pages of jurisdictions and regions: whose law protects whom."""

from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from common.admin_pages.forms import SuggestingInput
from consent.models import Level
from policies.admin.rules import RuleAdmin, group_name, known_groups
from policies.models import (
    Jurisdiction,
    Region,
)


class _LevelField(forms.ChoiceField):
    widget = UnfoldAdminSelectWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=Level.choices, initial=Level.NONE, **options)


class JurisdictionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    gpc = _LevelField(
        label="Browser says “do not sell or share”",
        help_text="The most personal level while the browser sends Global Privacy Control (GPC).",
    )
    gpp = _LevelField(
        label="Consent banner says “opt out”",
        help_text="The most personal level while a GPP string carries an opt-out.",
    )

    class Meta:
        labels = {
            "slug": "Short name",
            "source": "Where it is written",
            "consent_default": "Personalisation",
            "unasked_max_level": "People nobody has asked",
            "consent_days": "A yes counts for at most, in days",
            "reask_days": "After a no nobody asks again for, in days",
            "age_of_consent": "Age of consent",
            "opt_in_below": "A yes is needed below the age of",
            "minor_max_level": "Children and minors",
            "unknown_age_is_adult": "Unknown age counts as adult",
            "answer_days": "Requests are answered within, in days",
            "extension_days": "If complex, so many days more",
            "answer_unit": "Counted in",
            "confirm_days": "Receipt is confirmed within, in days",
            "confirm_unit": "Counted in",
        }
        help_texts = {
            "source": "The article or statute this row was read from. An engineering reading, not legal advice.",
            "consent_default": "Whether people are asked first, or served until they say no.",
            "unasked_max_level": "Counts only under opt-out, and only for adults without an opt-out signal and without "
            "special categories. None: everybody is asked first.",
            "age_of_consent": "Below it a guardian agrees. A region may have its own: see Regions.",
            "opt_in_below": "Only under opt-out: whoever is younger is asked first all the same.",
            "minor_max_level": "The most personal level for anybody under age.",
            "unknown_age_is_adult": "Switched off, whoever has not told their age is treated as a minor.",
            "confirm_days": "Empty: the law asks for no confirmation.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for signal in ("gpc", "gpp"):
            if signal in self.fields and self.instance.pk:
                self.fields[signal].initial = self.instance.signal_caps.get(signal, Level.NONE)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        chosen = {signal: cleaned[signal] for signal in ("gpc", "gpp") if signal in cleaned}
        self.instance.signal_caps = {**self.instance.signal_caps, **chosen}
        return cleaned


@admin.register(Jurisdiction)
class JurisdictionAdmin(RuleAdmin):
    form = JurisdictionForm
    list_display = ["name", "default", "browser_signal", "minors", "unknown_age"]
    # The ledger reads these from the packs of the release; a row that says otherwise would only seem to count.
    readonly_fields = ["consent_days", "reask_days", "age_of_consent", "binding_signals"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "source"]}),
        ("Asking", {"fields": ["consent_default", "unasked_max_level", "consent_days", "reask_days"]}),
        ("How far signals lower the level", {"fields": ["gpc", "gpp", "binding_signals"]}),
        ("Age", {"fields": ["age_of_consent", "opt_in_below", "minor_max_level", "unknown_age_is_adult"]}),
        (
            "Answering requests",
            {"fields": ["answer_days", "extension_days", "answer_unit", "confirm_days", "confirm_unit"]},
        ),
    ]

    @display(description="Personalisation", ordering="consent_default")
    def default(self, law: Jurisdiction) -> str:
        return law.get_consent_default_display()

    @display(description="With a browser signal, at most")
    def browser_signal(self, law: Jurisdiction) -> str:
        return Level(law.signal_caps.get("gpc", Level.NONE)).label

    @display(description="Minors, at most", ordering="minor_max_level")
    def minors(self, law: Jurisdiction) -> str:
        return law.get_minor_max_level_display()

    @display(description="Unknown age", ordering="unknown_age_is_adult")
    def unknown_age(self, law: Jurisdiction) -> str:
        return "Counts as adult" if law.unknown_age_is_adult else "Counts as minor"


class RegionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {
            "code": "Code",
            "group": "Residency group",
            "jurisdiction": "Law",
            "age_of_consent": "Own age of consent",
            "time_zone": "Time zone",
        }
        help_texts = {
            "age_of_consent": "Empty: the age the law names.",
            "code": "ISO 3166: DE, or US-CA for a part of a country.",
            "group": "Regions that residency rules treat alike, for example eea. A new name makes a new group.",
            "time_zone": "Decides when it is quiet time for messages, for example Europe/Berlin.",
        }
        widgets = {"group": SuggestingInput(known_groups)}


@admin.register(Region)
class RegionAdmin(RuleAdmin):
    form = RegionForm
    fixed = ("code",)
    list_display = ["name", "code", "residency_group", "law", "time_zone"]
    list_filter = ["group", "jurisdiction"]
    list_select_related = ["jurisdiction"]
    search_fields = ["name", "code"]

    @display(description="Residency group", ordering="group")
    def residency_group(self, region: Region) -> str:
        return group_name(region.group)

    @display(description="Law", ordering="jurisdiction")
    def law(self, region: Region) -> str:
        return region.jurisdiction.name
