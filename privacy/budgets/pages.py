"""Officers' pages of statistics, privacy budgets and releases: saving one of the first two drafts a change set."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from common.admin_pages.display import NOTHING, badge, exact_moment, grid, moment, sentence, who, words
from common.admin_pages.filters import since
from common.admin_pages.forms import SuggestingInput
from common.admin_pages.model_admin import ModelAdmin
from common.admin_pages.read_only import ReadOnlyAdmin
from oversight.admin.forms import DraftsChanges, RefusesUnfit
from oversight.problems import ChangeRefused
from privacy.budgets import burn_down, data_sets, descriptors, ledger, noise, releases
from privacy.models import BudgetSpend, ExternalTable, PrivacyBudget, Release, Statistic

_CHARGES_SHOWN = 50
_PLACES = 12  # of a delta
_UNSAVED = "Shown once it is in force."
_RATE_OF_OLD = "consent_rate_per_mille"


def plain(number: Decimal) -> str:
    """Format a number without zeros at its end and without an exponent."""
    return f"{round(number, _PLACES).normalize():f}"


def _data_sets() -> list[tuple[str, str]]:
    return [(name, f"{sentence(name)}: {each.title.lower()}") for name, each in data_sets.known().items()]


def _external() -> list[tuple[str, str]]:
    return list(ExternalTable.objects.values_list("slug", "title"))


def _names(member: str) -> list[tuple[str, str]]:
    found = ((name, f"of {each.name}") for each in data_sets.known().values() for name in getattr(each, member))
    return list(dict(found).items())


class _PlainNumbers(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A form that shows stored decimals without zeros at their ends and without an exponent."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial.update({name: plain(value) for name, value in self.initial.items() if isinstance(value, Decimal)})


class BudgetForm(_PlainNumbers):
    class Meta:
        widgets = {"data_set": SuggestingInput(lambda: [*_data_sets(), *_external()])}
        labels = {
            "data_set": "Data set", "epsilon_total": "Epsilon in each window", "delta": "Delta",
            "window": "Renewed each",
        }  # fmt: skip
        help_texts = {
            "data_set": "Of the list; or a name of your own that begins with “tables-”, to pay for uploaded tables.",
            "epsilon_total": "At most so much may be learnt about one person: below 1 is strict, above 10 weak.",
            "delta": "0: epsilons add up. Above 0, such as 0.000001: many small charges cost less together.",
            "window": "Windows add up: a person is protected within each of them.",
        }

    def clean_data_set(self) -> str:
        """Refuse a data set that is not there, in a sentence."""
        name: str = self.cleaned_data["data_set"]
        try:
            descriptors.refuse_unknown(name)
        except ChangeRefused as exc:
            raise forms.ValidationError(exc.detail) from None
        return name


class StatisticForm(RefusesUnfit, _PlainNumbers):
    data_set = forms.ChoiceField(choices=_data_sets, widget=UnfoldAdminSelectWidget, label="Data set")

    class Meta:
        labels = {
            "slug": "Reference", "group_by": "By", "lower": "Lower bound", "upper": "Upper bound",
            "rows_each": "Rows of one person", "share": "Quantile", "top": "Groups shown", "is_active": "In use",
        }  # fmt: skip
        help_texts = {
            "slug": "Small letters, digits and hyphens. It can never be changed.",
            "group_by": "Public groups, each published with noise, empty ones too. Empty: all rows are one.",
            "value": "For everything but counts.",
            "lower": "What lies outside is moved to the bound. From your policy, never from the data.",
            "cells": "For a histogram or a quantile: equal parts between the bounds.",
            "share": "For a quantile: 0.5 is the median.",
            "top": "For the largest groups.",
            "rows_each": "So many rows of one person count. More rows take more noise.",
            "epsilon": "Charged to the budget each time it is published.",
            "mechanism": "Gaussian: less error where one person is in many numbers; the budget needs a delta.",
        }
        widgets = {
            "group_by": SuggestingInput(lambda: _names("groups")),
            "value": SuggestingInput(lambda: _names("values")),
        }

    def refuse_unfit(self, wanted: Statistic) -> None:
        descriptors.refuse_unfit(wanted)


class PrivacyBudgetAdmin(DraftsChanges, ModelAdmin):
    form = BudgetForm
    empty_text = "A budget says how much may be learnt about one person from what is published of a data set."
    list_display = ["title", "standing", "spent", "left", "renewed"]
    fieldsets = [
        (None, {"fields": ["data_set", "epsilon_total", "delta", "window"]}),
        ("This window", {"fields": ["standing", "spent", "left", "plot", "charges"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["standing", "spent", "left", "plot", "charges", *(["data_set"] if obj else [])]

    @display(description="Data", ordering="data_set")
    def title(self, budget: PrivacyBudget) -> str:
        return f"{sentence(budget.data_set)}{' (shipped)' if budget.is_shipped else ''}"

    @display(description="State")
    def standing(self, budget: PrivacyBudget) -> str:
        if not budget.pk:
            return _UNSAVED
        balance = _balance(budget)
        if balance.left <= 0:
            return badge("Spent: nothing more is published in this window", "alarm")
        return badge("Nearly spent", "caution") if balance.is_low else badge("Enough left", "good")

    @display(description="Spent (epsilon)")
    def spent(self, budget: PrivacyBudget) -> str:
        return plain(_balance(budget).spent) if budget.pk else _UNSAVED

    @display(description="Left (epsilon)")
    def left(self, budget: PrivacyBudget) -> str:
        return plain(_balance(budget).left) if budget.pk else _UNSAVED

    @display(description="Window", ordering="window")
    def renewed(self, budget: PrivacyBudget) -> str:
        return budget.get_window_display()

    @display(description="Burn-down")
    def plot(self, budget: PrivacyBudget) -> str:
        if not budget.pk:
            return _UNSAVED
        drawn = render_to_string("partials/figure.html", {"figure": burn_down.figure(budget)})
        return format_html('<div class="start-charts">{}</div>', drawn)

    @display(description="Spent on")
    def charges(self, budget: PrivacyBudget) -> str:
        if not budget.pk:
            return _UNSAVED
        found = budget.spends.all()[:_CHARGES_SHOWN]
        return grid(["Release", "Epsilon", "By", "When"], (_charge(each) for each in found))


def _balance(budget: Any) -> ledger.Balance:
    """Return what a budget holds now; read once for each row of a page."""
    if not hasattr(budget, "balance_now"):
        budget.balance_now = ledger.balance(budget)
    found: ledger.Balance = budget.balance_now
    return found


def _charge(spend: BudgetSpend) -> list[Any]:
    return [
        spend.release_key,
        plain(spend.epsilon),
        who(spend.actor) if spend.actor else NOTHING,
        moment(spend.spent_at),
    ]


class StatisticAdmin(DraftsChanges, ModelAdmin):
    form = StatisticForm
    list_display = ["title", "standing", "about", "cost", "every", "last"]
    list_filter = ["is_active", "kind"]
    fieldsets = [
        (None, {"fields": ["slug", "title", "data_set", "kind", "is_active"]}),
        ("What is published", {"fields": ["group_by", "value", "cells", "share", "top"]}),
        ("What one person may add", {"fields": ["rows_each", "lower", "upper"]}),
        ("Cost", {"fields": ["epsilon", "mechanism", "every", "last"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["last", *(["slug"] if obj else [])]

    @display(description="State", ordering="is_active")
    def standing(self, statistic: Statistic) -> str:
        if not statistic.is_active:
            return badge("Not published")
        return badge("Published, as shipped", "info") if statistic.is_shipped else badge("Published", "good")

    @display(description="What", ordering="kind")
    def about(self, statistic: Statistic) -> str:
        by = f" by {words(statistic.group_by)}" if statistic.group_by else ""
        return f"{statistic.get_kind_display()} of {words(statistic.data_set)}{by}"

    @display(description="Epsilon", ordering="epsilon")
    def cost(self, statistic: Statistic) -> str:
        return plain(statistic.epsilon)

    @display(description="Last published")
    def last(self, statistic: Statistic) -> str:
        release = Release.objects.filter(statistic=statistic.slug).first() if statistic.pk else None
        return (
            moment(release.published_at) if release else "Not yet: every night at 03:00 UTC what is due is published."
        )


class ReleaseAdmin(ReadOnlyAdmin):
    empty_text = "What is published of the statistics in use appears here, from the first night on."
    list_display = ["title", "published", "groups", "cost"]
    list_filter = [since("published_at"), "statistic"]
    list_select_related = ["spend"]
    fields = ["title", "published_exactly", "cost", "figures", "computed"]
    readonly_fields = fields

    @display(description="Statistic", ordering="statistic")
    def title(self, release: Release) -> str:
        return release.definition.get("title") or sentence(release.statistic)

    @display(description="Published", ordering="published_at")
    def published(self, release: Release) -> str:
        return moment(release.published_at)

    @display(description="Rows")
    def groups(self, release: Release) -> int:
        return len(release.rows)

    @display(description="Cost (epsilon)")
    def cost(self, release: Release) -> str:
        return plain(release.spend.epsilon)

    @display(description="Published")
    def published_exactly(self, release: Release) -> str:
        return exact_moment(release.published_at)

    @display(description="Computed as")
    def computed(self, release: Release) -> str:
        known = release.definition
        used = [name for name in releases.members_of(known["kind"]) if known[name] not in (None, "")] if known else []
        return grid(["Member", "Value"], ([words(name).capitalize(), _text(known[name])] for name in used))

    @display(description="As published, noise included")
    def figures(self, release: Release) -> str:
        if not release.rows:
            return "There were no groups in the register."
        if _RATE_OF_OLD in release.rows[0]:
            return grid(["Region", "People", "Error", "Consent rate"], _rows_of_old(release))
        share = 100 if release.definition["kind"] == Statistic.Kind.RATE else 1
        has_rows = "rows" in release.rows[0]
        headings = ["Group", "Value", "Error: 95 % interval", *(["Rows"] if has_rows else [])]
        return grid(headings, (_line(row, share, has_rows) for row in release.rows))


def _line(row: dict[str, Any], share: int, has_rows: bool) -> list[Any]:
    return [row["group"], *_shown(row, share), *([f"{row['rows']:,} ± {row['rows_margin']}"] if has_rows else [])]


def _text(member: Any) -> str:
    """Return a member of a definition as read: decimals were stored as texts, with zeros at their ends."""
    text = str(member)
    return text.rstrip("0").rstrip(".") if text.replace(".", "", 1).isdigit() and "." in text else text


def _shown(row: dict[str, Any], share: int) -> tuple[str, str]:
    if row["value"] is None:
        return NOTHING, "Too few rows for the noise"
    unit = " %" if share > 1 else ""
    value, low, high = (f"{row[name] * share:,.10g}{unit}" for name in ("value", "low", "high"))
    return value, f"{low} to {high}"


def _rows_of_old(release: Release) -> Iterator[list[Any]]:
    """Yield the rows of a release of an earlier version, with the error that its epsilon says."""
    margin = noise.error_bound(float(release.spend.epsilon) / 2)
    for row in release.rows:
        rate = row[_RATE_OF_OLD]
        yield [row["region"], row["people"], f"± {margin}", NOTHING if rate is None else f"{rate / 10:.1f} %"]
