"""A hold placed at a random moment of a run of deletions: from its commit on, nothing of its person goes."""

import random
import threading
import time
from uuid import UUID

import pytest
from django.db import connection, transaction

from consent.pseudonyms import subject_ref
from oversight import guard
from personalization.models import Event
from privacy import tasks
from privacy.holds import members
from privacy.models import Disposal, Hold, HoldMember
from privacy.retention import disposal
from tests.helpers.scale import scale

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 12


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    monkeypatch.setattr(disposal, "BATCH", 2)


def _hold(number: int, seen: list[int], pause: float) -> None:
    try:
        time.sleep(pause)
        with transaction.atomic(), guard.writing("tests"):
            placed = Hold.objects.create(slug=f"claim-{number}", reason="a claim", people=[_person(number)])
            members.write(placed)
            seen.append(Event.objects.filter(subject_ref=_person(number)).count())
    finally:
        connection.close()


def _person(number: int) -> str:
    return str(subject_ref(f"customer-{number}"))


def _round(number: int, queued: Disposal, dice: random.Random) -> tuple[int, int]:
    """Run a deletion beside a hold; return what the hold found at its commit, and what is there at the end."""
    seen: list[int] = []
    placing = threading.Thread(target=_hold, args=(number, seen, dice.random() * 0.04))
    placing.start()
    disposal.run(queued.id)
    placing.join(timeout=60)
    assert seen, "the hold was not placed"
    disposal.run(queued.id)  # what a sweep would do afterwards
    return seen[0], Event.objects.filter(subject_ref=UUID(_person(number))).count()


@scale("rounds", small=12, long=1_000)
def test_a_withdrawals_deletion_and_a_hold_never_race(choose, remember, rounds):
    dice, inside = random.Random(15), 0
    for number in range(rounds):
        choose(f"customer-{number}", "give")
        remember(f"customer-{number}", ROWS)
        disposal.queue_for_withdrawals([choose(f"customer-{number}", "withdraw")])

        found, left = _round(number, Disposal.objects.get(subject_ref=_person(number)), dice)

        assert left == found
        inside += 0 < found < ROWS
    if rounds > 100:  # small samples need not fall inside a run
        assert inside > rounds // 20
    assert HoldMember.objects.count() == rounds


@scale("rounds", small=6, long=1_000)
def test_a_retention_run_and_a_hold_never_race(choose, remember, rounds):
    dice = random.Random(18)
    for number in range(rounds):
        choose(f"customer-{number}", "give")
        remember(f"customer-{number}", ROWS, days=400)
        [queued] = [
            run for run in disposal.queue_for_retention(actor="operator") if run.purpose.slug == "recommendations"
        ]

        found, left = _round(number, queued, dice)

        assert left == found
        Event.objects.filter(subject_ref=_person(number)).delete()
