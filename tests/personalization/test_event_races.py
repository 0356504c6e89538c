"""An event and a withdrawal at the same time: whichever commits first, nothing is stored after a "no"."""

import threading

import pytest
from django.db import connection, transaction

from common.http.problems import Unavailable
from consent.ledger import ledger
from consent.pseudonyms import subject_ref
from personalization import events
from personalization.intake.taking import take_in
from personalization.models import Event, Item
from policies.decisions import evaluate
from privacy.models import Disposal
from tests.helpers import recent
from tests.helpers.polling import until_waiting_for_locks

REF = subject_ref("customer-1")


def _choose(choice):
    request = ledger.Request(
        subject_ref=REF,
        choices=[ledger.Choice(purpose="recommendations", choice=choice)],
        source="api",
        actor="service:shop",
        region="DE",
        age_band="adult",
    )
    return ledger.save_choices(request)


def _event(number=1):
    return events.NewEvent(
        event_id=f"e-{number}",
        sender="service:shop",
        subject_ref=REF,
        purpose="recommendations",
        kind="view",
        item="kettle",
        occurred_at=recent.AT,
        processing_region="eu-central",
    )


@pytest.fixture
def kettle(register_in_force):
    Item.objects.create(slug="kettle", title="Kettle")
    _choose("give")


@pytest.fixture
def after_each_decision(monkeypatch):
    """Run something between the decision about an event and its storage, as another process would."""
    decide, steps = evaluate.decide, []

    def and_then(*args, **kwargs):
        decision = decide(*args, **kwargs)
        if steps:
            steps.pop(0)()
        return decision

    monkeypatch.setattr(evaluate, "decide", and_then)
    return steps


@pytest.mark.django_db
def test_a_withdrawal_between_decision_and_storage_stores_nothing(kettle, after_each_decision):
    after_each_decision.append(lambda: _choose("withdraw"))

    taken = take_in(_event())

    assert not taken.stored
    assert taken.decision.reasons == ["consent_withdrawn"]
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_a_choice_that_changes_nothing_for_the_event_is_decided_again_and_stored(kettle, after_each_decision):
    after_each_decision.append(lambda: _choose("give"))

    taken = take_in(_event())

    assert (taken.stored, taken.decision.subject_revision) == (True, 2)


@pytest.mark.django_db
def test_a_person_whose_choices_never_settle_is_answered_not_available(kettle, after_each_decision):
    after_each_decision.extend([lambda: _choose("give")] * 10)

    with pytest.raises(Unavailable):
        take_in(_event())

    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_waits_for_the_withdrawal_in_flight_and_is_then_refused(kettle):
    taken = []

    def send():
        try:
            taken.append(take_in(_event()))
        finally:
            connection.close()

    with transaction.atomic():
        _choose("withdraw")
        sender = threading.Thread(target=send)
        sender.start()
        until_waiting_for_locks()
    sender.join(timeout=300)

    assert [each.stored for each in taken] == [False]
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_stored_while_the_withdrawal_is_being_written_goes_with_the_rest(kettle, monkeypatch):
    take_in(_event(1))
    written, sent = ledger._written, []

    def a_moment_later(*args, **named):
        if not sent:
            sent.append(take_in(_event(2)))
        return written(*args, **named)

    monkeypatch.setattr(ledger, "_written", a_moment_later)

    _choose("withdraw")

    assert [each.stored for each in sent] == [True]
    assert Disposal.objects.get().removed == {"events": 2}
    assert not Event.objects.exists()
