"""Fulfilment of requests: what answers a right by itself, and the verification query before any ``done``.

Each right that ends in ``done`` has a query that says what is still missing. A right without one cannot end so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from common import actors
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.problems import MoveNotAllowed
from privacy.rights.requests import requests
from privacy.rights.requests.states import Move, State

JOB = actors.job("rights")
# A request that finds no end by itself after so many rounds of work waits for an officer.
_MOST_ROUNDS = 3


Figures = dict[str, int]


@dataclass(frozen=True)
class Fulfilment:
    """How a right is fulfilled: ``act`` does it, where it needs no officer; ``missing`` asks what the result lacks."""

    missing: Callable[[RightsRequest, Figures], list[str]]
    act: Callable[[RightsRequest, datetime], Figures] | None = None


_fulfilments: dict[Right, Fulfilment] = {}


def add(fulfilments: Mapping[Right, Fulfilment]) -> None:
    """Register how rights are fulfilled. Called in ``AppConfig.ready()``."""
    _fulfilments.update(fulfilments)


def is_automatic(right: str) -> bool:
    found = _fulfilments.get(Right(right))
    return found is not None and found.act is not None


@transaction.atomic
def run(pk: UUID, *, actor: str = JOB, now: datetime | None = None) -> RightsRequest:
    """Fulfil an accepted request and verify it, in one transaction: killed anywhere, it is as it was, and is run again.

    A request in another state, or of a right that officers fulfil, is left as it is.
    """
    moment = now or timezone.now()
    request = requests.locked(pk)
    fulfilment = _fulfilments.get(Right(request.right))
    if fulfilment is None or fulfilment.act is None or request.state not in (State.ACCEPTED, State.IN_PROGRESS):
        return request
    if request.state == State.ACCEPTED:
        request = requests.move(pk, Move.START, actor=actor, now=moment)
    for _round in range(_MOST_ROUNDS):
        figures = fulfilment.act(request, moment)
        requests.move(pk, Move.VERIFY, actor=actor, now=moment)
        request = verify(pk, figures, actor=actor, now=moment)
        if request.state == State.DONE:
            break
    return request


@transaction.atomic
def verify(pk: UUID, figures: Figures, *, actor: str, now: datetime | None = None) -> RightsRequest:
    """Ask the stores what is missing: nothing ends the request as done, anything sends it back to work.

    Raises MoveNotAllowed for a right without a verification query.
    """
    request = requests.locked(pk)
    fulfilment = _fulfilments.get(Right(request.right))
    if fulfilment is None:
        raise MoveNotAllowed("Nothing can verify this right's result yet: refuse the request, or keep it open.")
    missing = fulfilment.missing(request, figures)
    return requests.finish_verified(
        request,
        Move.REWORK if missing else Move.COMPLETE,
        actor=actor,
        moment=now or timezone.now(),
        reason=f"Missing: {', '.join(missing)}." if missing else "",
        details={"figures": figures},
    )


@transaction.atomic
def verify_by_officer(pk: UUID, *, actor: str, decision: str) -> RightsRequest:
    """Verify what an officer did; ``decision`` is what the person is told of it. Raises like ``requests.move``."""
    requests.move(pk, Move.VERIFY, actor=actor, reason=decision)
    return verify(pk, {}, actor=actor)


def sweep(limit: int = 100) -> int:
    """Run accepted requests that a crash left; return how many."""
    automatic = [right for right in _fulfilments if is_automatic(right)]
    left = RightsRequest.objects.filter(state=State.ACCEPTED, right__in=automatic)
    pks = list(left.order_by("received_at").values_list("pk", flat=True)[:limit])
    for pk in pks:
        run(pk)
    return len(pks)
