"""The published consent rate: once a day, under the budget, for a public list of regions whoever lives in them."""

import json
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from consent.models import DataSubject
from policies.models import Region
from privacy import tasks
from privacy.budgets import noise, releases
from privacy.models import BudgetSpend, PrivacyBudget, Release

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(register_in_force):
    """Put people of a region into the register, as the ledger would leave them: so many of them with consent."""
    counter = iter(range(1_000_000))

    def register(region, count, consenting, *, state="given", expires=None):
        moment = int(timezone.now().timestamp())
        given = {"s": state, "n": 1, "x": expires and moment + expires, "e": False, "r": "", "t": moment, "src": "api"}
        DataSubject.objects.bulk_create(
            DataSubject(
                ref=f"00000000-0000-0000-0000-{next(counter):012d}",
                region=region,
                revision=1,
                consents={"recommendations": given} if number < consenting else {},
            )
            for number in range(count)
        )

    return register


@pytest.fixture
def silent(monkeypatch):
    """Draw no noise, and note for which epsilon it would have been drawn."""
    drawn = []

    def count(value, *, epsilon, sensitivity=1, rng=None):
        drawn.append((epsilon, sensitivity))
        return value

    monkeypatch.setattr(noise, "noisy_count", count)
    return drawn


def _release():
    return releases.release_consent_rate_by_region(actor="job:test")


def _of(rows, *regions):
    return [row for row in rows if row["region"] in regions]


def test_every_listed_region_is_published(people, silent):
    people("DE", 40, 30)
    people("FR", 20, 5)
    people("IS", 19, 19)
    people("", 50, 50)

    rows = _release().rows

    assert [row["region"] for row in rows] == sorted(Region.objects.values_list("code", flat=True))
    assert _of(rows, "AT", "DE", "FR", "IS") == [
        {"region": "AT", "people": 0, "consent_rate_per_mille": None},
        {"region": "DE", "people": 40, "consent_rate_per_mille": 750},
        {"region": "FR", "people": 20, "consent_rate_per_mille": 250},
        {"region": "IS", "people": 19, "consent_rate_per_mille": None},
    ]
    json.dumps(rows, allow_nan=False)


@pytest.mark.parametrize("region", ["IS", "ZZ", "AQ-1"])
def test_one_person_changes_no_group_of_the_release(people, region):
    """The kind: groups that come from the data say by being there that somebody is in them."""
    people("DE", 30, 10)
    before = [row["region"] for row in _release().rows]
    DataSubject.objects.all().delete()
    people(region, 1, 1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(days=1))

        assert [row["region"] for row in _release().rows] == before


def test_zeros_have_noise_as_well(people, monkeypatch):
    monkeypatch.setattr(noise, "noisy_count", lambda value, **parameters: value + 7)

    assert {row["people"] for row in _release().rows} == {7}


def test_a_part_of_a_country_counts_where_it_is_listed(people, silent):
    people("FR-75", 30, 30)
    people("US-CA", 20, 10)
    people("ZZ-1", 40, 40)

    rows = _release().rows

    assert [(row["region"], row["people"]) for row in rows if row["people"]] == [("FR", 30), ("US-CA", 20)]


def test_the_threshold_sees_noisy_numbers_only(people, monkeypatch):
    people("DE", 25, 25)
    monkeypatch.setattr(noise, "noisy_count", lambda value, **parameters: value - 6)

    assert _of(_release().rows, "DE") == [{"region": "DE", "people": 19, "consent_rate_per_mille": None}]


def test_the_noise_of_a_region_costs_one_epsilon_in_two_halves(people, silent):
    people("DE", 40, 30)

    _release()

    assert silent == [(float(releases.EPSILON) / 2, 1)] * 2 * Region.objects.count()
    assert BudgetSpend.objects.get().epsilon == releases.EPSILON


@pytest.mark.parametrize(
    ("state", "expires", "counts"),
    [("given", None, True), ("given", 3600, True), ("given", -3600, False), ("withdrawn", None, False)],
)
def test_only_a_consent_in_force_counts(people, silent, state, expires, counts):
    people("DE", 40, 40, state=state, expires=expires)

    assert _of(_release().rows, "DE")[0]["consent_rate_per_mille"] == (1000 if counts else 0)


def test_what_is_published_is_near_the_truth_and_not_the_truth_every_time(people):
    people("DE", 1000, 500)

    def draw():
        with transaction.atomic():
            (row,) = _of(_release().rows, "DE")
            transaction.set_rollback(True)
        return row["people"]

    drawn = [draw() for _ in range(20)]

    # A tail beyond 200 has a probability below exp(-0.25 * 200) for each of the 20.
    assert all(abs(people - 1000) < 200 for people in drawn)
    assert len(set(drawn)) > 1


def test_a_second_release_on_the_same_day_is_the_first(people, silent):
    people("DE", 40, 30)
    first = _release()
    people("DE", 40, 0)

    second = _release()

    assert (second.pk, second.rows) == (first.pk, first.rows)
    assert PrivacyBudget.objects.get().epsilon_spent == releases.EPSILON
    assert AuditEvent.objects.filter(action="statistic.released").count() == 1


def test_the_next_day_has_a_release_of_its_own(people, silent, monkeypatch):
    people("DE", 40, 30)
    first = _release()
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(days=1))

    assert _release().pk != first.pk
    assert PrivacyBudget.objects.get().epsilon_spent == 2 * releases.EPSILON


def test_nothing_is_drawn_when_the_budget_is_spent(people, silent):
    people("DE", 40, 30)
    PrivacyBudget.objects.update(epsilon_spent=Decimal("9.9"))

    with pytest.raises(releases.BudgetExhausted):
        _release()

    assert silent == []
    assert not Release.objects.exists()


def test_the_charge_stays_when_the_noise_fails(people, monkeypatch):
    people("DE", 40, 30)
    with monkeypatch.context() as patched:
        patched.setattr(noise, "noisy_count", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            _release()

    assert PrivacyBudget.objects.get().epsilon_spent == releases.EPSILON
    assert not Release.objects.exists()

    assert _release().spend == BudgetSpend.objects.get()  # the same charge, not a second one


def test_noise_cannot_be_drawn_anew_or_taken_back(people, silent):
    people("DE", 40, 30)
    _release()

    for statement in ("DELETE FROM privacy_release", "UPDATE privacy_release SET rows = '[]'"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_nightly_task_releases(people, silent):
    people("DE", 40, 30)

    tasks.release_consent_rates()

    assert Release.objects.get().statistic == "consent-rate-by-region"


def test_the_nightly_task_is_content_with_a_spent_budget(people, silent):
    PrivacyBudget.objects.update(epsilon_spent=Decimal(10))

    tasks.release_consent_rates()

    assert not Release.objects.exists()


def test_the_nightly_task_is_content_without_a_budget(people, silent, caplog):
    PrivacyBudget.objects.all().delete()

    with caplog.at_level(logging.INFO):
        tasks.release_consent_rates()

    assert not Release.objects.exists()
    assert silent == []
    assert "Nothing is published about a data set without a budget" in caplog.text
