"""Two callers at once on one person: nothing is lost, merged or left out of the chain."""

import threading
from functools import partial
from uuid import UUID

import pytest
from django.db import connection, transaction

from common.http.problems import Problem
from consent.ledger import ledger, verification
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from tests.helpers.polling import until_waiting_for_locks
from tests.helpers.scale import scale

pytestmark = pytest.mark.django_db(transaction=True)


def _at_the_same_time(monkeypatch, calls):
    """Let every call read before any of them writes; return what each came to, in the order of ``calls``."""
    everybody_has_read, written = threading.Barrier(len(calls)), ledger._written
    outcomes, waited = [None] * len(calls), threading.local()

    def write_together(*args, **kwargs):
        if not getattr(waited, "done", False):
            waited.done = True
            everybody_has_read.wait(timeout=300)
        return written(*args, **kwargs)

    def run(place, call):
        try:
            outcomes[place] = call()
        except Problem as problem:
            outcomes[place] = problem
        finally:
            connection.close()

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "_written", write_together)
        threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    return outcomes


def _assert_gapless(person, count):
    records = ConsentRecord.objects.filter(subject_id=subject_ref(person))
    assert sorted(records.values_list("subject_revision", flat=True)) == list(range(1, count + 1))
    assert DataSubject.objects.get(ref=subject_ref(person)).revision == count
    verdict = verification.verify_ledger()
    assert verdict.ok, verdict.broken


@pytest.mark.parametrize("known", [False, True])
def test_two_choices_about_different_purposes_are_both_recorded(choose, monkeypatch, known):
    if known:
        choose("customer-1", "give")

    outcomes = _at_the_same_time(
        monkeypatch,
        [lambda: choose("customer-1", "refuse"), lambda: choose("customer-1", "give", "newsletter")],
    )

    assert sorted(saved.subject_revision for saved in outcomes) == [1 + known, 2 + known]
    _assert_gapless("customer-1", 2 + known)


def test_two_choices_about_one_purpose_are_recorded_one_after_the_other(choose, monkeypatch):
    outcomes = _at_the_same_time(
        monkeypatch, [lambda: choose("customer-1", "give"), lambda: choose("customer-1", "refuse")]
    )

    first, second = sorted(outcomes, key=lambda saved: saved.subject_revision)
    assert second.records[0]["supersedes"] == first.records[0]["id"]
    _assert_gapless("customer-1", 2)


@pytest.mark.parametrize("known", [False, True])
def test_of_two_who_saw_the_same_record_one_is_told_to_look_again(choose, monkeypatch, known):
    seen = UUID(choose("customer-1", "give").records[0]["id"]) if known else None

    outcomes = _at_the_same_time(
        monkeypatch, [partial(choose, "customer-1", choice, supersedes=seen) for choice in ("refuse", "give")]
    )

    (loser,) = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert (loser.status, loser.code) == (409, "superseded")
    _assert_gapless("customer-1", 1 + known)


def test_one_request_sent_twice_at_once_is_recorded_once(choose, monkeypatch):
    outcomes = _at_the_same_time(monkeypatch, [lambda: choose("customer-1", "give", key="order-17")] * 2)

    assert sorted(saved.replayed for saved in outcomes) == [False, True]
    assert outcomes[0].records == outcomes[1].records
    _assert_gapless("customer-1", 1)


@scale("rounds", small=1, long=200)
def test_many_at_once_are_all_recorded(choose, monkeypatch, rounds):
    calls = [lambda: choose("customer-1", "give"), lambda: choose("customer-1", "refuse")] * 3

    outcomes = [outcome for _ in range(rounds) for outcome in _at_the_same_time(monkeypatch, calls)]

    assert sorted(saved.subject_revision for saved in outcomes) == list(range(1, 6 * rounds + 1))
    _assert_gapless("customer-1", 6 * rounds)


def test_a_choice_waits_for_the_one_in_flight_and_then_sees_it(choose):
    outcomes = []

    def late():
        try:
            outcomes.append(choose("customer-1", "withdraw"))
        except Problem as problem:
            outcomes.append(problem)
        finally:
            connection.close()

    choose("customer-1", "give")
    thread = threading.Thread(target=late)
    with transaction.atomic():
        choose("customer-1", "refuse")
        thread.start()
        until_waiting_for_locks()
    thread.join(timeout=300)

    assert [outcome.code for outcome in outcomes] == ["nothing_to_withdraw"]
    _assert_gapless("customer-1", 2)


def test_a_choice_that_is_rolled_back_leaves_no_gap(choose):
    choose("customer-1", "give")
    with transaction.atomic():
        choose("customer-1", "refuse")
        transaction.set_rollback(True)

    choose("customer-1", "withdraw")

    _assert_gapless("customer-1", 2)
