"""No path through the states of a request ends as done without its verification query."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from oversight.models import WorkItem
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.problems import ExtensionRefused, MoveNotAllowed, ReasonNeeded
from privacy.rights.requesters import asking
from privacy.rights.requests import fulfilling, requests, statements, work
from privacy.rights.requests.fulfilling import Fulfilment
from privacy.rights.requests.states import BY_VERIFICATION, OPEN, TRANSITIONS, Move, State

ACTOR = "officer:anna"


def opened(right: Right = Right.COMPLAINT, **changes: object) -> RightsRequest:
    said = {
        "right": right, "subject_ref": uuid.uuid4(), "region": "DE", "door": "api", "actor": "service:shop",
        "is_identified": False, **changes,
    }  # fmt: skip
    return requests.open_request(requests.Opening(**said)).request


def test_every_state_has_its_row_and_every_open_one_a_way_out() -> None:
    assert set(TRANSITIONS) == set(State)
    for state in State:
        assert bool(TRANSITIONS[state]) == (state in OPEN)


def test_done_is_reached_only_from_verifying() -> None:
    into = [(state, move) for state, row in TRANSITIONS.items() for move, to in row.items() if to is State.DONE]

    assert into == [(State.VERIFYING, Move.COMPLETE)]
    assert Move.COMPLETE in BY_VERIFICATION


class Requests(RuleBasedStateMachine):
    """Any moves in any order, and a verification query whose answer is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.request = opened()
        self.missing = ["the result"]
        self.is_verified = False
        fulfilling.add({Right.COMPLAINT: Fulfilment(lambda _request, _figures: self.missing)})

    @rule(move=st.sampled_from(Move))
    def make(self, move: Move) -> None:
        self.request.refresh_from_db()
        allowed = move in TRANSITIONS[State(self.request.state)] and move not in BY_VERIFICATION
        try:
            with transaction.atomic():
                requests.move(self.request.pk, move, actor=ACTOR, reason="because")
            assert allowed
        except MoveNotAllowed:
            assert not allowed

    @rule(is_missing=st.booleans())
    def verify(self, is_missing: bool) -> None:
        self.request.refresh_from_db()
        self.missing = ["the result"] if is_missing else []
        try:
            with transaction.atomic():
                fulfilling.verify(self.request.pk, {}, actor=ACTOR)
            self.is_verified = self.is_verified or not is_missing
        except MoveNotAllowed:
            assert self.request.state != State.VERIFYING

    @rule()
    def extend(self) -> None:
        with transaction.atomic():
            try:
                requests.extend(self.request.pk, actor=ACTOR, reason="complex")
                raise AssertionError("this right has no number, so nothing to extend")
            except ExtensionRefused:
                pass

    @invariant()
    def done_is_verified(self) -> None:
        self.request.refresh_from_db()
        assert (self.request.state == State.DONE) == self.is_verified
        assert (self.request.verified_at is not None) == self.is_verified

    @invariant()
    def the_steps_say_where_it_stands(self) -> None:
        assert self.request.steps.last().state == self.request.state

    @invariant()
    def work_waits_exactly_while_it_is_open(self) -> None:
        waiting = WorkItem.objects.filter(
            kind=work.REQUEST.slug, object=str(self.request.pk), state__in=WorkItem.OPEN_STATES
        ).count()
        assert waiting == (1 if self.request.is_open else 0)


class TestPaths(TestCase):
    def test_no_path_ends_done_without_its_verification(self) -> None:
        kept = dict(fulfilling._fulfilments)
        try:
            run_state_machine_as_test(Requests, settings=settings(max_examples=15, stateful_step_count=15))
        finally:
            fulfilling._fulfilments.update(kept)


@pytest.mark.django_db
def test_the_database_refuses_done_without_verification() -> None:
    request = opened()

    with pytest.raises(IntegrityError, match="rights_done_is_verified"), transaction.atomic():
        RightsRequest.objects.filter(pk=request.pk).update(state="done")


@pytest.mark.django_db
def test_steps_are_append_only() -> None:
    request = opened()

    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        request.steps.update(reason="another")


@pytest.mark.django_db
@pytest.mark.parametrize("move", [Move.ASK_IDENTITY, Move.REFUSE])
def test_what_the_law_wants_reasons_for_needs_them(move: Move) -> None:
    request = opened()

    with pytest.raises(ReasonNeeded):
        requests.move(request.pk, move, actor=ACTOR, reason=" ")
    assert requests.move(request.pk, move, actor=ACTOR, reason="No match.").steps.last().reason == "No match."


@pytest.mark.django_db
def test_an_unproven_request_joins_no_other_and_blocks_none() -> None:
    unproven = opened(Right.COMPLAINT, is_identified=False)
    ref = unproven.subject_ref

    first = opened(Right.COMPLAINT, subject_ref=ref, is_identified=True)
    second = opened(Right.COMPLAINT, subject_ref=ref, is_identified=False)
    again = opened(Right.COMPLAINT, subject_ref=ref, is_identified=True)

    assert len({unproven.pk, first.pk, second.pk}) == 3
    assert again.pk == first.pk
    assert asking.accept(unproven, actor=ACTOR, now=timezone.now()).pk == first.pk
    assert requests.existing(unproven.pk).state == State.CANCELLED
    requests.move(first.pk, Move.CANCEL, actor=ACTOR)
    assert asking.accept(second, actor=ACTOR, now=timezone.now()).state == State.ACCEPTED


@pytest.mark.django_db
def test_an_extension_moves_the_date_and_the_work() -> None:
    request = opened(Right.ERASURE, is_identified=True)
    before = WorkItem.objects.get(object=str(request.pk)).due_at

    extended = requests.extend(request.pk, actor=ACTOR, reason="Many systems.")

    assert extended.due_on == extended.latest_on
    assert WorkItem.objects.get(object=str(request.pk)).due_at > before
    with pytest.raises(ExtensionRefused):
        requests.extend(request.pk, actor=ACTOR, reason="Again.")


@pytest.mark.django_db
def test_an_extension_after_the_first_period_is_refused() -> None:
    request = opened(Right.ERASURE, is_identified=True)

    with pytest.raises(ExtensionRefused):
        requests.extend(request.pk, actor=ACTOR, reason="Late.", now=timezone.now() + timedelta(days=40))
    request.refresh_from_db()
    assert request.extended_on is None


@pytest.mark.django_db
def test_a_clock_stands_still_while_identity_is_asked() -> None:
    request = opened(Right.ERASURE)
    day = request.due_on
    asked = requests.move(request.pk, Move.ASK_IDENTITY, actor=ACTOR, reason="Two people have this address.")
    assert asked.due_on is None

    accepted = requests.move(request.pk, Move.ACCEPT, actor=ACTOR, now=timezone.now() + timedelta(days=7))

    assert day is not None
    assert accepted.due_on is not None
    assert accepted.due_on >= day + timedelta(days=5)


@pytest.mark.django_db
def test_a_blocker_has_its_ground_reviewer_and_expiry() -> None:
    request = opened(Right.ERASURE, is_identified=True)
    requests.move(request.pk, Move.START, actor=ACTOR)

    blocker = requests.block(
        request.pk, ground="hold", what="orders", reason="A claim is open.", expires_on=date(2027, 1, 1), actor=ACTOR
    )
    assert (blocker.reviewer, blocker.lifted_at) == (ACTOR, None)
    requests.unblock(request.pk, actor=ACTOR)
    blocker.refresh_from_db()
    assert blocker.lifted_at is not None


@pytest.mark.django_db
def test_what_the_person_wrote_ends_with_the_request() -> None:
    request = opened(Right.RECTIFICATION, is_identified=True, said=statements.Said("My region is FR."))
    assert b"My region is" not in bytes(request.statement or b"")
    assert statements.unseal(request.statement, request.statement_salt).words == "My region is FR."

    closed = requests.move(request.pk, Move.REFUSE, actor=ACTOR, reason="It is right.")

    assert (closed.statement, closed.statement_salt) == (None, None)


@pytest.mark.django_db
def test_work_is_escalated_before_the_day_of_the_law() -> None:
    request = opened(Right.ERASURE, is_identified=True)
    item = WorkItem.objects.get(object=str(request.pk))

    assert request.due_on is not None
    assert item.due_at.date() < request.due_on
