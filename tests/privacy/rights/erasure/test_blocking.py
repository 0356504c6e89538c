"""What keeps an erasure blocks it with its reason, and frees it by itself when it has ended."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from consent.models import DataSubject
from personalization.models import Event
from privacy.rights.erasure import carrying
from privacy.rights.models import Blocker, RightsRequest
from privacy.rights.requests import blocking, fulfilling, requests
from privacy.rights.requests.states import Move, State
from privacy.rights.tasks import fulfil_requests
from tests.helpers.holds import Register, hold, restriction
from tests.privacy.rights.erasure.conftest import asked, erased

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("placed", [hold(), hold(purposes=["newsletter"]), restriction()])
def test_a_hold_keeps_everything_until_it_is_released(known: UUID, placed: Any) -> None:
    register = Register()
    register.place(placed)

    request = erased()

    assert request.state == State.BLOCKED
    [blocker] = request.blockers.all()
    assert (blocker.ground, blocker.reviewer) == (Blocker.Ground.HOLD, "job:rights")
    assert blocker.expires_on > timezone.now().date()
    assert Event.objects.filter(subject_ref=known).count() == 3
    assert not DataSubject.objects.get(ref=known).is_erased
    fulfil_requests()
    request.refresh_from_db()
    assert request.state == State.BLOCKED

    register.release(placed, **({"informed_on": "2026-11-01"} if placed.register == "restriction" else {}))
    fulfil_requests()

    request.refresh_from_db()
    assert request.state == State.DONE
    assert not Event.objects.exists()


def test_a_hold_that_comes_in_between_keeps_the_rest(known: UUID, monkeypatch: Any) -> None:
    register = Register()
    take = carrying._take

    def taken(*args: Any) -> bool:
        result = take(*args)
        monkeypatch.setattr(carrying, "_take", take)
        register.place(hold())
        return result

    monkeypatch.setattr(carrying, "_take", taken)
    request = erased()

    assert request.state == State.BLOCKED
    assert DataSubject.objects.get(ref=known).is_erased  # stays in force
    assert Event.objects.filter(subject_ref=known).count() == 3
    register.release(hold())
    fulfil_requests()
    request.refresh_from_db()
    assert (request.state, Event.objects.exists()) == (State.DONE, False)


def test_a_blocker_whose_day_has_come_frees_its_request(known: UUID) -> None:
    request = asked()
    requests.move(request.pk, Move.START, actor="officer:anna")
    today = timezone.now().date()
    requests.block(
        request.pk, ground="legal_minimum", what="invoices", reason="The law.", expires_on=today + timedelta(days=2),
        actor="officer:anna",
    )  # fmt: skip

    assert blocking.free_ended(now=timezone.now()) == 0
    assert blocking.free_ended(now=timezone.now() + timedelta(days=2)) == 1

    request.refresh_from_db()
    assert request.state == State.IN_PROGRESS
    assert fulfilling.sweep() == 1
    assert RightsRequest.objects.get(pk=request.pk).state == State.DONE


def test_an_officers_blocker_outlasts_the_end_of_a_hold(known: UUID) -> None:
    request = asked()
    requests.move(request.pk, Move.START, actor="officer:anna")
    requests.block(
        request.pk, ground="others_data", what="a shared order", reason="Two people.",
        expires_on=timezone.now().date() + timedelta(days=9), actor="officer:anna",
    )  # fmt: skip

    assert blocking.free_ended(now=timezone.now()) == 0
