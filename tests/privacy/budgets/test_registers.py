"""Budgets and statistics are registers: two officers, what is refused, and what ships with a new installation."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEvent
from oversight import registers, rows
from oversight.changes import approval
from oversight.changes.documents import Proposed
from oversight.problems import ChangeRefused, SecondOfficerNeeded
from policies.registers import defaults
from privacy import tasks
from privacy.budgets import descriptors, shipped
from privacy.budgets.composition import renyi_epsilon
from privacy.budgets.mechanisms import Gaussian
from privacy.models import PrivacyBudget, Release, Statistic
from tests.helpers.registers import in_force, make_officer, proposed_by, without_writer

pytestmark = pytest.mark.django_db
_COUNT = {
    "slug": "people", "title": "People by age", "data_set": "consents", "kind": "count", "group_by": "age_band",
    "value": "", "lower": None, "upper": None, "cells": 10, "share": "0.500", "top": 5, "rows_each": 1,
    "mechanism": "geometric", "epsilon": "0.1000", "every": "night", "is_active": True,
}  # fmt: skip
_GIVEN = {"group_by": "", "value": "given", "lower": "0", "upper": "10"}


@pytest.fixture
def officers(register_in_force):
    return make_officer("anna"), make_officer("ben")


def _statistic(**members):
    return Proposed("statistic", "people", {**_COUNT, **members})


def _budget(name="consents", **members):
    before = rows.find_document(registers.find("privacy_budget"), name) or {}
    return Proposed("privacy_budget", name, {"data_set": name, "delta": "0", "window": "month", **before, **members})


def test_a_statistic_is_defined_approved_and_released(officers, choose):
    """The whole way: two officers, the nightly job, and a number with its error."""
    choose("anna", "give")
    in_force(*officers, _statistic())

    tasks.release_statistics()

    release = Release.objects.get(statistic="people")
    assert release.definition["title"] == "People by age"
    assert {row["group"] for row in release.rows} == {"adult", "minor", "child", "unknown"}
    assert all(row["low"] < row["value"] < row["high"] for row in release.rows)
    assert release.spend.actor == "job:releases"


def test_gaussian_noise_is_defined_and_paid_with_the_delta_of_the_budget(officers, choose):
    choose("anna", "give")
    with pytest.raises(ChangeRefused, match="needs a delta"):
        proposed_by(officers[0], _statistic(mechanism="gaussian"))
    in_force(*officers, _budget(delta="0.000001000000"), _statistic(mechanism="gaussian"))
    with pytest.raises(ChangeRefused, match="No Gaussian noise"):
        proposed_by(officers[0], _statistic(mechanism="gaussian", epsilon="0.0100"))

    tasks.release_statistics()

    release = Release.objects.get(statistic="people")
    assert release.definition["mechanism"] == "gaussian"
    assert release.spend.delta == Decimal("0.000001")
    assert renyi_epsilon(release.spend.curve, 1e-6) == pytest.approx(0.1)
    wide = Gaussian.of(0.1, 1e-6).margin()
    assert {row["high"] - row["low"] for row in release.rows} == {2 * wide}


def test_nothing_runs_that_waits_for_a_second_officer(officers):
    proposed_by(officers[0], _statistic())

    tasks.release_statistics()

    assert not Release.objects.filter(statistic="people").exists()


def test_one_officer_alone_is_not_enough(officers):
    change_set = proposed_by(officers[0], _budget(epsilon_total="9.0000"))
    with pytest.raises(SecondOfficerNeeded):
        approval.approve(change_set, actor=officers[0], seen=change_set.digest)

    assert PrivacyBudget.objects.get().epsilon_total == Decimal(1)


def test_a_budget_is_renewed_and_says_what_is_left(officers):
    tasks.release_statistics()
    change_set = in_force(*officers, _budget(epsilon_total="2.0000"))

    (left,) = [each for each in change_set.preview if each["key"] == "budget/consents"]
    assert (left["before"], left["after"]) == ("0.5", "1.5")
    budget = PrivacyBudget.objects.get()
    assert (budget.epsilon_total, budget.is_shipped) == (Decimal(2), False)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"data_set": "visits"}, "no data set “visits”"),
        ({"group_by": "town"}, "no public groups “town”"),
        ({"kind": "top-k", "group_by": ""}, "need groups"),
        ({"kind": "histogram", **_GIVEN, "group_by": "region"}, "leave “by” empty"),
        ({"kind": "mean", **_GIVEN, "value": "age"}, "no value “age”"),
        ({"value": "given"}, "leave the value empty"),
        ({"kind": "rate", "value": "given"}, "0 or 1"),
        ({"rows_each": 2}, "one row of each person"),
        ({"kind": "sum", **_GIVEN, "upper": None}, "needs bounds"),
        ({"kind": "sum", **_GIVEN, "upper": "1.5"}, "whole steps of 1"),
        ({"kind": "sum", **_GIVEN, "lower": "11"}, "above the lower bound"),
        ({"kind": "histogram", **_GIVEN, "cells": 3}, "equal cells"),
        ({"kind": "sum", **_GIVEN, "upper": "900000"}, "more epsilon"),
        ({"epsilon": "1.5000"}, "raise the budget first"),
        ({"epsilon": "0.0000"}, "0.0001"),
    ],
)
def test_a_statistic_that_cannot_be_computed_is_refused(officers, members, reason):
    with pytest.raises(ChangeRefused, match=reason):
        proposed_by(officers[0], _statistic(**members))


@pytest.mark.parametrize("members", [{"data_set": "visits"}, {"delta": "0.5"}, {"epsilon_total": "0"}])
def test_a_budget_that_protects_nothing_is_refused(officers, members):
    name = members.get("data_set", "choices")
    with pytest.raises(ChangeRefused):
        proposed_by(officers[0], _budget(name, **{"epsilon_total": "1.0000", **members}))


def test_a_charged_budget_cannot_be_deleted(officers):
    tasks.release_statistics()

    with pytest.raises(ChangeRefused, match="cannot be deleted"):
        in_force(*officers, Proposed("privacy_budget", "consents", None))


@pytest.mark.parametrize("change", [{"epsilon_total": "0.5000"}, {"delta": "0"}])
def test_a_smaller_budget_only_takes_permission_away(change):
    before = {"epsilon_total": "1.0000", "delta": "0.000001", "window": "month"}

    assert descriptors.budget_narrows(before, {**before, **change})
    assert not descriptors.budget_narrows({**before, **change}, before)
    assert not descriptors.budget_narrows(before, {**before, **change, "window": "day"})
    assert not descriptors.budget_narrows(None, before)
    assert not descriptors.budget_narrows(before, None)


def test_switching_a_statistic_off_takes_permission_away():
    off = {**_COUNT, "is_active": False}

    assert descriptors.statistic_narrows(_COUNT, off)
    assert descriptors.statistic_narrows(_COUNT, None)
    assert not descriptors.statistic_narrows(off, _COUNT)
    assert not descriptors.statistic_narrows(_COUNT, {**off, "epsilon": "0.2"})
    assert not descriptors.statistic_narrows(None, _COUNT)


@pytest.mark.parametrize("table", ["privacy_privacybudget", "privacy_statistic"])
def test_the_tables_refuse_every_other_writer(register_in_force, table):
    with without_writer(), pytest.raises(DatabaseError, match="by a change set"), transaction.atomic():
        connection.cursor().execute(f"UPDATE {table} SET is_shipped = false")


def test_a_new_installation_ships_one_statistic(db):
    out = StringIO()
    call_command("prepare", stdout=out)

    assert "One statistic is published each month" in out.getvalue()
    statistic, budget = Statistic.objects.get(), PrivacyBudget.objects.get()
    assert (statistic.slug, statistic.is_shipped, budget.is_shipped) == ("consent-rate-by-region", True, True)
    assert (budget.epsilon_total, budget.window) == (Decimal(1), "month")
    assert AuditEvent.objects.filter(action="statistic.shipped").count() == 1


def test_an_installation_in_use_is_shipped_none(db):
    defaults.ensure_defaults()
    call_command("prepare", stdout=StringIO())

    assert not Statistic.objects.exists()
    assert not PrivacyBudget.objects.exists()


def test_a_budget_of_officers_is_never_replaced(db):
    PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal(3))

    assert not shipped.ensure()
    assert not Statistic.objects.exists()


def test_the_shipped_statistic_is_released_the_first_night(register_in_force):
    tasks.release_statistics()

    assert Release.objects.get().statistic == "consent-rate-by-region"
