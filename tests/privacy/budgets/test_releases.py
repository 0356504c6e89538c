"""Published statistics: once in each period, under a budget, for public groups, each number with its error."""

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
from privacy.budgets import estimates, ledger, noise, releases
from privacy.models import BudgetSpend, PrivacyBudget, Release, Statistic

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


def _release(slug="consent-rate-by-region"):
    return releases.release(Statistic.objects.get(slug=slug), actor="job:test")


def _of(rows, *groups):
    return [row for row in rows if row["group"] in groups]


def _define(**members):
    """A statistic as it is after two officers approved it, at an epsilon of 0.5."""
    slug = f"own-{members['kind']}"
    return Statistic.objects.create(**{"slug": slug, "title": "Own", "epsilon": Decimal("0.5"), **members})


def test_every_listed_region_is_published(people, silent):
    people("DE", 40, 30)
    people("FR", 20, 5)
    people("IS", 19, 19)
    people("", 50, 50)

    rows = _release().rows

    assert [row["group"] for row in rows] == sorted(Region.objects.values_list("code", flat=True))
    assert [(row["group"], row["rows"], row["value"]) for row in _of(rows, "AT", "DE", "FR", "IS")] == [
        ("AT", 0, None),
        ("DE", 40, 0.75),
        ("FR", 20, 0.25),
        ("IS", 19, None),
    ]
    json.dumps(rows, allow_nan=False)


@pytest.mark.parametrize("region", ["IS", "ZZ", "AQ-1"])
def test_one_person_changes_no_group_of_the_release(people, region):
    """The kind: groups that come from the data say by being there that somebody is in them."""
    people("DE", 30, 10)
    before = [row["group"] for row in _release().rows]
    DataSubject.objects.all().delete()
    people(region, 1, 1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(days=31))

        assert [row["group"] for row in _release().rows] == before


def test_zeros_have_noise_as_well(people, monkeypatch):
    monkeypatch.setattr(noise, "noisy_count", lambda value, **parameters: value + 7)

    assert {row["rows"] for row in _release().rows} == {7}


def test_a_part_of_a_country_counts_where_it_is_listed(people, silent):
    people("FR-75", 30, 30)
    people("US-CA", 20, 10)
    people("ZZ-1", 40, 40)

    rows = _release().rows

    assert [(row["group"], row["rows"]) for row in rows if row["rows"]] == [("FR", 30), ("US-CA", 20)]


def test_the_threshold_sees_noisy_numbers_only(people, monkeypatch):
    people("DE", 25, 25)
    monkeypatch.setattr(noise, "noisy_count", lambda value, **parameters: value - 6)

    assert _of(_release().rows, "DE") == [
        {"group": "DE", "value": None, "low": None, "high": None, "rows": 19, "rows_margin": 15}
    ]


def test_the_noise_of_a_region_costs_one_epsilon_in_two_halves(people, silent):
    people("DE", 40, 30)

    _release()

    assert silent == [(0.25, 1)] * 2 * Region.objects.count()
    assert BudgetSpend.objects.get().epsilon == Decimal("0.5")


@pytest.mark.parametrize(
    ("state", "expires", "counts"),
    [("given", None, True), ("given", 3600, True), ("given", -3600, False), ("withdrawn", None, False)],
)
def test_only_a_consent_in_force_counts(people, silent, state, expires, counts):
    people("DE", 40, 40, state=state, expires=expires)

    assert _of(_release().rows, "DE")[0]["value"] == (1 if counts else 0)


def test_what_is_published_is_near_the_truth_and_not_the_truth_every_time(people):
    people("DE", 1000, 500)

    def draw():
        with transaction.atomic():
            (row,) = _of(_release().rows, "DE")
            transaction.set_rollback(True)
        return row["rows"]

    drawn = [draw() for _ in range(20)]

    # A tail beyond 200 has a probability below exp(-0.25 * 200) for each of the 20.
    assert all(abs(people - 1000) < 200 for people in drawn)
    assert len(set(drawn)) > 1


def test_a_second_release_in_the_same_month_is_free(people, silent):
    people("DE", 40, 30)
    first = _release()
    people("DE", 40, 0)

    second = _release()

    assert (second.pk, second.rows) == (first.pk, first.rows)
    assert ledger.balance(PrivacyBudget.objects.get()).spent == Decimal("0.5")
    assert AuditEvent.objects.filter(action="statistic.released").count() == 1


def test_the_next_month_has_a_release_of_its_own(people, silent, monkeypatch):
    people("DE", 40, 30)
    first = _release()
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(days=31))

    assert _release().pk != first.pk
    assert BudgetSpend.objects.count() == 2


def test_nothing_is_drawn_when_the_budget_is_spent(people, silent):
    people("DE", 40, 30)
    PrivacyBudget.objects.update(epsilon_total=Decimal("0.4"))

    with pytest.raises(ledger.BudgetExhausted):
        _release()

    assert silent == []
    assert not Release.objects.exists()


def test_the_charge_stays_when_the_noise_fails(people, monkeypatch):
    people("DE", 40, 30)
    with monkeypatch.context() as patched:
        patched.setattr(noise, "noisy_count", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            _release()

    assert ledger.balance(PrivacyBudget.objects.get()).spent == Decimal("0.5")
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

    tasks.release_statistics()

    assert Release.objects.get().statistic == "consent-rate-by-region"


def test_the_nightly_task_is_content_with_a_spent_budget(people, silent):
    PrivacyBudget.objects.update(epsilon_total=Decimal("0.4"))

    tasks.release_statistics()

    assert not Release.objects.exists()


def test_the_nightly_task_is_content_without_a_budget(people, silent, caplog):
    PrivacyBudget.objects.all().delete()

    with caplog.at_level(logging.INFO):
        tasks.release_statistics()

    assert not Release.objects.exists()
    assert silent == []
    assert "Nothing is published about a data set without a budget" in caplog.text


def test_the_task_publishes_what_is_due_and_skips_the_rest(people, silent):
    people("DE", 40, 30)
    _define(data_set="consents", kind="count", every="night", epsilon=Decimal("0.1"))
    _define(data_set="choices", kind="top-k", group_by="purpose", every="night")
    _define(data_set="consents", kind="mean", value="given", lower=0, upper=5, is_active=False)

    released, withheld = releases.release_due(actor="job:test")

    assert sorted(each.statistic for each in released) == ["consent-rate-by-region", "own-count"]
    assert [(each.statistic.slug, each.reason.code) for each in withheld] == [("own-top-k", "no_budget")]
    assert [each.slug for each in releases.withheld(ledger.balances())] == ["own-top-k"]


def test_a_statistic_that_fails_does_not_keep_the_others(people, silent, caplog):
    people("DE", 40, 30)
    _define(data_set="gone", kind="count", slug="a-first")

    released, withheld = releases.release_due(actor="job:test")

    assert ([each.statistic for each in released], withheld) == (["consent-rate-by-region"], [])
    assert "The statistic a-first failed" in caplog.text


def test_every_published_number_has_its_error(people):
    """The kind: a number without its error is read as the truth."""
    people("DE", 100, 60)
    PrivacyBudget.objects.update(epsilon_total=Decimal(20))
    bounds = {"value": "given", "lower": 0, "upper": 10}
    for kind in ("histogram", "sum", "mean", "quantile"):
        _define(data_set="consents", kind=kind, **bounds)
    _define(data_set="consents", kind="count", group_by="age_band")
    _define(data_set="consents", kind="top-k", group_by="region", top=3)

    released, withheld = releases.release_due(actor="job:test")

    assert (len(released), withheld) == (7, [])
    for each in released:
        assert each.definition["confidence"] == estimates.CONFIDENCE
        assert each.rows
        for row in each.rows:
            numbers = [row["low"], row["value"], row["high"]]
            assert ("rows" in row) == ("rows_margin" in row)
            assert numbers == [None] * 3 or numbers == sorted(numbers), each.statistic


def _values(slug):
    return {row["group"]: row["value"] for row in _release(slug).rows}


def test_statistics_are_of_the_rows_they_name(people, silent):
    people("DE", 40, 30)
    people("FR", 20, 0)
    PrivacyBudget.objects.update(epsilon_total=Decimal(20))
    bounds = {"value": "given", "lower": 0, "upper": 4}
    for kind in ("sum", "mean", "quantile", "histogram"):
        _define(data_set="consents", kind=kind, cells=4, **bounds)
    _define(data_set="consents", kind="count")
    _define(data_set="consents", kind="top-k", group_by="region", top=2)

    assert _values("own-count") == {"all": 60}
    assert _values("own-sum") == {"all": 30}
    assert _values("own-mean") == {"all": 0.5}
    assert _values("own-top-k") == {"DE": 40, "FR": 20}
    assert _values("own-histogram") == {"0 to 1": 30, "1 to 2": 30, "2 to 3": 0, "3 to 4": 0}
    assert _values("own-quantile") == {"all": 1.0}


def test_a_value_outside_its_bounds_is_moved_to_them(people, silent):
    people("DE", 40, 30)
    PrivacyBudget.objects.update(epsilon_total=Decimal(20))
    _define(data_set="consents", kind="sum", value="given", lower=2, upper=4)

    assert _values("own-sum") == {"all": 80}


@pytest.mark.parametrize(("rows_each", "counted"), [(1, 2), (2, 4), (9, 5)])
def test_so_many_rows_of_one_person_count(choose, silent, rows_each, counted):
    """The kind: one person with many rows must not move a count by more than its noise was drawn for."""
    for choice in ("give", "withdraw", "give"):
        choose("anna", choice)
    for choice in ("give", "withdraw"):
        choose("ben", choice)
    PrivacyBudget.objects.create(data_set="choices", epsilon_total=Decimal(1))
    _define(data_set="choices", kind="count", rows_each=rows_each)

    assert _values("own-count") == {"all": counted}
    assert silent == [(0.5, rows_each)]


def test_a_published_number_is_read_again_without_a_budget(people, silent):
    people("DE", 40, 30)
    first = _release()
    PrivacyBudget.objects.update(epsilon_total=Decimal("0.1"))

    assert _release().pk == first.pk
    assert releases.withheld(ledger.balances()) == []


def test_a_statistic_that_changed_waits_for_its_next_period(people, silent, monkeypatch):
    people("DE", 40, 30)
    first = _release()
    Statistic.objects.update(epsilon=Decimal("0.25"))

    assert _release().pk == first.pk
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(days=31))
    assert _release().spend.epsilon == Decimal("0.25")
