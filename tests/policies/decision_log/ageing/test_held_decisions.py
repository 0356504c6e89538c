"""Decisions of people under a hold stay when their day leaves the decision log, and go when the hold ends."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from consent.pseudonyms import subject_ref
from policies import tasks
from policies.decision_log import chain, pseudonyms
from policies.decision_log.ageing import dropping, holding
from policies.models import Decision, DecisionBatch, HeldTag, LogCheckpoint, PeriodKey
from tests.helpers.aged_log import line, store
from tests.helpers.holds import Register, hold, restriction

ANN, BOB = subject_ref("customer-1"), subject_ref("customer-2")


@pytest.fixture
def holds(register_in_force: None) -> Register:
    return Register()


@pytest.fixture
def old(holds: Register, own_spool: Path) -> datetime:
    """Four batches of one day 400 days ago: of both, of Bob, of Ann for another purpose, of Bob; and one of today."""
    noon = (timezone.now() - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    old = noon - timedelta(days=400)
    store(own_spool, line(old, ANN), line(old, BOB), at=old)
    store(own_spool, line(old, BOB), at=old)
    store(own_spool, line(old, ANN, purpose="newsletter"), at=old)
    store(own_spool, line(old, BOB), at=old)
    store(own_spool, line(noon, BOB), at=noon)
    return old


def _left(old: datetime) -> list[tuple[int, int]]:
    rows = Decision.objects.filter(decided_at=old).order_by("batch_id", "position")
    return list(rows.values_list("batch_id", "position"))


@pytest.mark.parametrize("placed", [hold(), restriction(), hold(data_sets=["decisions"])], ids=lambda p: p.key)
def test_decisions_of_a_person_under_a_hold_stay(holds: Register, old: datetime, placed: Any) -> None:
    holds.place(placed)

    done = dropping.run()

    assert list(done.dropped.values()) == [3]
    assert _left(old) == [(1, 0), (3, 0)]
    verdict = chain.verify()
    assert (verdict.broken, verdict.decisions) == (None, 3)
    assert LogCheckpoint.objects.get().document["kept"] == 2
    assert dropping.run().dropped == {}


def test_a_hold_of_one_purpose_keeps_no_other(holds: Register, old: datetime) -> None:
    holds.place(hold(purposes=["newsletter"]))

    dropping.run()

    assert _left(old) == [(3, 0)]
    assert chain.verify().ok


def test_a_hold_of_other_data_keeps_no_decision(holds: Register, old: datetime) -> None:
    holds.place(hold(data_sets=["events"]))

    dropping.run()

    assert _left(old) == []


def test_held_decisions_go_when_the_hold_ends(holds: Register, old: datetime) -> None:
    placed = hold()
    holds.place(placed)
    dropping.run()
    holds.release(placed)

    assert list(dropping.run().dropped.values()) == [2]
    assert _left(old) == []
    assert chain.verify().ok
    assert DecisionBatch.objects.count() == 1


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DELETE FROM policies_decision WHERE batch_id = 3", "decision batch 3 sealed 1 decisions and 0 are there"),
        ("DELETE FROM policies_decision WHERE batch_id = 1", "decision batch 1 sealed 2 decisions and 1 are there"),
        ("UPDATE policies_decision SET entry = replace(entry, 'permit', 'deny') WHERE batch_id = 1", "was changed"),
        (
            "UPDATE policies_decision SET batch_id = 2, position = 0 WHERE batch_id = 3",
            "a decision of batch 2 is there, though all of them were dropped",
        ),
        ("UPDATE policies_decisionbatch SET decision_count = 9 WHERE sequence = 2", "decision batch 2 was changed"),
    ],
)
def test_verification_finds_tampering_among_what_is_held(
    holds: Register, old: datetime, as_attacker: Callable[[str], None], statement: str, finding: str
) -> None:
    holds.place(hold())
    dropping.run()

    as_attacker(statement)

    assert finding in str(chain.verify().broken)


def test_a_check_goes_on_among_what_is_held(holds: Register, old: datetime) -> None:
    holds.place(hold())
    dropping.run()

    assert [chain.verify(after_batch=after).broken for after in range(6)] == [None] * 6


def _older_keys() -> None:
    for month in range(1, 1 + pseudonyms.KEPT_PERIODS):
        PeriodKey.objects.create(period=f"2099-0{month}", key=bytes(32))


def test_a_hold_reaches_a_month_whose_key_went_after_it(holds: Register, old: datetime) -> None:
    holds.place(hold())
    _older_keys()

    tasks.forget_pseudonym_keys()

    assert not PeriodKey.objects.filter(period=f"{old:%Y-%m}").exists()
    assert set(HeldTag.objects.values_list("ref", flat=True)) == {ANN}
    dropping.run()
    assert _left(old) == [(1, 0), (3, 0)]


def test_a_hold_placed_after_the_key_went_finds_no_decision(holds: Register, old: datetime) -> None:
    _older_keys()
    tasks.forget_pseudonym_keys()

    holds.place(hold())

    dropping.run()
    assert _left(old) == []


def test_noted_pseudonyms_go_with_the_hold(holds: Register, old: datetime) -> None:
    placed = hold()
    holds.place(placed)
    _older_keys()
    tasks.forget_pseudonym_keys()

    holds.release(placed)
    tasks.forget_pseudonym_keys()

    assert not HeldTag.objects.exists()


def test_without_a_hold_no_pseudonym_is_noted(old: datetime) -> None:
    holding.note_tags(list(PeriodKey.objects.all()))

    assert not HeldTag.objects.exists()
