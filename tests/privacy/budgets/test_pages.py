"""Officers' pages of statistics, budgets and releases: drafts, refusals, and every number with its error."""

from decimal import Decimal

import pytest
from django.urls import reverse

from oversight.models import ChangeSet
from privacy import tasks
from privacy.models import BudgetSpend, PrivacyBudget, Release, Statistic
from tests.helpers.officers import signed_in, with_role
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db
ADD = reverse("admin:privacy_statistic_add")
FORM = {
    "slug": "ages", "title": "People by age", "data_set": "consents", "kind": "count", "group_by": "age_band",
    "value": "", "cells": "10", "share": "0.5", "top": "5", "rows_each": "1", "lower": "", "upper": "",
    "mechanism": "geometric", "epsilon": "0.1", "every": "night", "is_active": "on",
}  # fmt: skip


def _page(row):
    return reverse(f"admin:privacy_{row._meta.model_name}_change", args=[row.pk])


def test_a_statistic_is_drafted_and_seconded(officer):
    answer = officer.post(ADD, FORM)

    assert officer.get(answer["Location"]).status_code == 200
    assert not Statistic.objects.filter(slug="ages").exists()
    second_newest()
    assert Statistic.objects.get(slug="ages").epsilon == Decimal("0.1")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"kind": "mean"}, "has no value"),
        ({"group_by": "town"}, "no public groups"),
        ({"epsilon": "2"}, "raise the budget first"),
        ({"lower": "3", "upper": "2"}, "above the lower bound"),
    ],
)
def test_a_statistic_that_cannot_be_is_shown_as_a_mistake(officer, members, reason):
    answer = officer.post(ADD, {**FORM, **members})

    assert reason in str(answer.context["adminform"].form.errors)
    assert not ChangeSet.objects.exists()


def test_a_budget_is_raised_by_its_form(officer):
    budget = PrivacyBudget.objects.get()
    officer.post(_page(budget), {"epsilon_total": "2", "delta": "0.000001", "window": "quarter"})

    assert PrivacyBudget.objects.get().epsilon_total == 1
    second_newest()
    raised = PrivacyBudget.objects.get()
    assert (raised.epsilon_total, raised.delta, raised.window) == (2, Decimal("0.000001"), "quarter")


def test_the_page_of_a_budget_says_who_spent_what(officer):
    tasks.release_statistics()

    page = officer.get(_page(PrivacyBudget.objects.get())).content.decode()

    assert "consent-rate-by-region:" in page
    assert "Job releases" in page
    assert "Budget left in this window" in page
    assert "Left <tspan" in page or "50 %" in page
    assert 'value="0"' in page  # the delta, without an exponent


def test_a_release_shows_the_error_of_each_number(officer, choose):
    choose("customer-1", "give")
    tasks.release_statistics()

    page = officer.get(_page(Release.objects.get())).content.decode()

    assert "Error: 95 % interval" in page
    assert page.count("±") == len(Release.objects.get().rows)


def test_a_release_of_an_earlier_version_shows_its_error(officer):
    spend = BudgetSpend.objects.create(budget=PrivacyBudget.objects.get(), release_key="k", epsilon=Decimal("0.5"))
    old = Release.objects.create(
        spend=spend, statistic="rate", rows=[{"region": "DE", "people": 300, "consent_rate_per_mille": 512}]
    )

    page = officer.get(_page(old)).content.decode()

    assert all(shown in page for shown in ("300", "51.2 %", "± 12"))


def test_who_only_reads_figures_changes_none(register_in_force):
    reader = signed_in(with_role("mia", "marketing"))

    assert reader.get(_page(PrivacyBudget.objects.get())).status_code == 200
    assert reader.get(ADD).status_code == 403
    assert reader.post(ADD, FORM).status_code == 403
