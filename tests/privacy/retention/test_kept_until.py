"""Until when each kind of a person's data is kept, and by what; figures of runs against their limits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consent.models import DataSubject, Purpose
from consent.pseudonyms import subject_ref
from personalization.models import Event
from privacy.models import ContractEnd, Disposal, HoldMember, RetentionSchedule
from privacy.retention.data_sets import kept_until
from privacy.retention.pages import figures
from tests.helpers.holds import Register, hold

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(choose, remember):
    """A person of Germany with orders of 10 and 20 days ago, purchases of 30, and what was looked at 5 days ago."""
    RetentionSchedule.objects.filter(purpose__slug="order_fulfilment").delete()  # each test has its own
    choose("customer-1", "give")
    for days in (10, 20):
        remember("customer-1", 1, days=days, purpose="order_fulfilment")
    bought = remember("customer-1", 1, days=30, purpose="order_fulfilment")
    Event.objects.filter(pk__in=bought).update(kind="purchase")
    remember("customer-1", 1, days=5)


def _schedule(slug, days=100, purpose="order_fulfilment", **said):
    of = Purpose.objects.get(slug=purpose) if purpose else None
    return RetentionSchedule.objects.create(slug=slug, purpose=of, retain_for=timedelta(days=days), **said)


def _kept():
    """Return what is kept by purpose and kind, with days from now."""
    found = kept_until.of_person(DataSubject.objects.get(ref=subject_ref("customer-1")))
    return {(each.stored.purpose, each.stored.kind): each for each in found}


def _days(moment):
    return round((moment - timezone.now()) / timedelta(days=1))


def test_entries_go_by_the_period_of_their_schedule(stored):
    _schedule("orders")

    viewed = _kept()["order_fulfilment", "view"]

    assert (_days(viewed.first), _days(viewed.last), viewed.by.slug) == (80, 90, "orders")
    assert _kept()["recommendations", "view"].by.slug == "recommendations"


def test_a_legal_minimum_is_named_for_what_it_keeps(stored):
    _schedule("orders")
    _schedule("tax", 3650, action="keep", kinds=["purchase"], ground="§ 147 AO")

    found = _kept()

    assert found["order_fulfilment", "purchase"].by.slug == "tax"
    assert _days(found["order_fulfilment", "purchase"].last) == 3620
    assert found["order_fulfilment", "view"].by.slug == "orders"


def test_the_shortest_schedule_decides_and_that_of_another_law_does_not(stored):
    _schedule("orders")
    _schedule("french", 40, jurisdiction="FR")
    _schedule("active", 60, trigger="last_activity")

    viewed = _kept()["order_fulfilment", "view"]

    assert (viewed.by.slug, _days(viewed.first), _days(viewed.last)) == ("active", 50, 50)


def test_data_of_a_contract_goes_after_its_end_and_not_before_one(stored):
    _schedule("contract", 30, trigger="contract_end")
    assert _kept()["order_fulfilment", "view"].last is None
    ContractEnd.objects.create(subject_ref=subject_ref("customer-1"), ended_at=timezone.now())

    assert _days(_kept()["order_fulfilment", "view"].last) == 30


def test_a_hold_keeps_what_it_names_and_nothing_else(stored):
    _schedule("orders")
    HoldMember.objects.all().delete()
    Register().place(hold(purposes=["order_fulfilment"], data_sets=["events"]))

    found = _kept()

    assert found["order_fulfilment", "view"].is_held
    assert not found["recommendations", "view"].is_held


def test_a_profile_has_no_end_while_a_permission_is_in_force(stored, choose):
    _schedule("profiles", 50, None, data_set="profiles", trigger="withdrawal", action="anonymise")
    assert _kept()["", ""].last is None
    choose("customer-1", "withdraw")

    assert (_days(_kept()["", ""].last), _kept()["", ""].by.slug) == (50, "profiles")


def test_of_one_kind_the_longest_is_what_a_person_reads(stored):
    found = _kept()
    endless, dated = found["order_fulfilment", "view"], found["recommendations", "view"]

    assert kept_until.latest([dated, endless]) is endless
    assert kept_until.latest([dated]) is dated


def test_figures_count_what_went_and_measure_the_oldest(stored):
    _schedule("orders", 20)
    run = {"reason": "retention", "schedule": "orders", "before": timezone.now(), "status": "done"}
    Disposal.objects.create(**run, removed={"events": 7}, finished_at=timezone.now())
    Disposal.objects.create(**run, removed={"events": 9}, finished_at=timezone.now(), undone_at=timezone.now())
    Disposal.objects.create(**run, removed={"events": 5}, finished_at=timezone.now() - timedelta(days=40))

    removed, oldest = figures.of_runs()

    assert [row[1:] for row in removed.rows if row[1:] != ("0", "0")] == [("7", "0")]
    assert len(removed.rows) == 30
    rows = {row[0]: row[1:] for row in oldest.rows}
    assert rows["Events: orders"] == ("30 of 20 days: over", "100 %", "0 %")
    assert rows["Events: recommendations"][0] == "5 of 365 days"
    assert "<svg" in removed.svg
