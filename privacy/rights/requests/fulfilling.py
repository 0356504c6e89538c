"""Fulfilment of requests: what answers a right by itself, and the verification query before any ``done``.

Each right that ends in ``done`` has a query that says what is still missing. A right without one cannot end so.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from common import actors
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.problems import MoveNotAllowed
from privacy.rights.requests import requests
from privacy.rights.requests.states import Move, State

logger = logging.getLogger(__name__)
JOB = actors.job("rights")
# A request that finds no end by itself after so many rounds of work waits for an officer.
_MOST_ROUNDS = 3
_PAGE = 100


Figures = dict[str, int]


def _always(_request: RightsRequest, _actor: str) -> bool:
    return True


def _nothing(_request: RightsRequest) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Fulfilment:
    """How a right is fulfilled.

    ``missing`` asks what the result lacks, by the figures of ``act``, or of ``count``: a verification query whose
    result the step keeps. ``act`` does it in one transaction, where it needs no officer; ``carry_out`` does it in
    several, each noted, and returns whether all are done. ``may_act``: whether this request answers itself, for this
    actor. ``said``: what the step that completes the request keeps of the answer.
    """

    missing: Callable[[RightsRequest, Figures], list[str]]
    act: Callable[[RightsRequest, datetime], Figures] | None = None
    carry_out: Callable[[RightsRequest, str, datetime], bool] | None = None
    may_act: Callable[[RightsRequest, str], bool] = _always
    count: Callable[[RightsRequest], Figures] | None = None
    said: Callable[[RightsRequest], Mapping[str, Any]] = _nothing


_fulfilments: dict[Right, Fulfilment] = {}


def add(fulfilments: Mapping[Right, Fulfilment]) -> None:
    """Register how rights are fulfilled. Called in ``AppConfig.ready()``."""
    _fulfilments.update(fulfilments)


def is_automatic(right: str) -> bool:
    found = _fulfilments.get(Right(right))
    return found is not None and (found.act is not None or found.carry_out is not None)


def may_act(request: RightsRequest, actor: str) -> bool:
    """Return whether a request answers itself when this actor runs it."""
    return is_automatic(request.right) and _fulfilments[Right(request.right)].may_act(request, actor)


def run(pk: UUID, *, actor: str = JOB, now: datetime | None = None) -> RightsRequest:
    """Fulfil an accepted request and verify it. Killed anywhere, it goes on where it was when it is run again.

    A request in another state, or that waits for an officer, is left as it is.
    """
    moment = now or timezone.now()
    request = requests.existing(pk)
    fulfilment = _fulfilments.get(Right(request.right))
    if fulfilment is not None and fulfilment.carry_out is not None:
        return _run_in_steps(request, fulfilment, actor, moment)
    return _run_at_once(pk, fulfilment, actor, moment)


def run_or_leave(pk: UUID, *, now: datetime | None = None) -> RightsRequest:
    """Fulfil a request; what fails is logged, leaves it as far as it came, and is tried again by the next sweep."""
    try:
        return run(pk, now=now)
    except Exception:
        logger.exception("A request could not be fulfilled; the next sweep tries again")
        return requests.existing(pk)


@transaction.atomic
def _run_at_once(pk: UUID, fulfilment: Fulfilment | None, actor: str, now: datetime) -> RightsRequest:
    request = requests.locked(pk)
    if fulfilment is None or fulfilment.act is None or request.state not in (State.ACCEPTED, State.IN_PROGRESS):
        return request
    if not fulfilment.may_act(request, actor):
        return request
    if request.state == State.ACCEPTED:
        request = requests.move_locked(request, Move.START, actor=actor, now=now)
    for _round in range(_MOST_ROUNDS):
        figures = fulfilment.act(request, now)
        request = requests.move_locked(request, Move.VERIFY, actor=actor, now=now)
        request = verify_locked(request, figures, actor=actor, now=now)
        if request.state == State.DONE:
            break
    return request


def _run_in_steps(request: RightsRequest, fulfilment: Fulfilment, actor: str, now: datetime) -> RightsRequest:
    assert fulfilment.carry_out is not None  # noqa: S101 (the caller has looked)
    pk = request.pk
    if actor == JOB and requests.reworks(request) >= _MOST_ROUNDS:
        return request  # waits for an officer
    for _round in range(_MOST_ROUNDS):
        request = _begin(pk, actor, now)
        is_begun = request.state == State.IN_PROGRESS
        if is_begun and not fulfilment.carry_out(request, actor, now):
            return requests.existing(pk)
        request = _verify_once(pk, actor, now, is_carried_out=is_begun)
        if request.state != State.IN_PROGRESS:
            return request
    return request


@transaction.atomic
def _begin(pk: UUID, actor: str, now: datetime) -> RightsRequest:
    request = requests.locked(pk)
    if request.state != State.ACCEPTED:
        return request
    return requests.move_locked(request, Move.START, actor=actor, now=now)


@transaction.atomic
def _verify_once(pk: UUID, actor: str, now: datetime, *, is_carried_out: bool) -> RightsRequest:
    """Verify what was carried out here, or what waits for it; a request in another state is left as it is."""
    request = requests.locked(pk)
    if is_carried_out and request.state == State.IN_PROGRESS:
        request = requests.move_locked(request, Move.VERIFY, actor=actor, now=now)
    return verify_locked(request, {}, actor=actor, now=now) if request.state == State.VERIFYING else request


@transaction.atomic
def verify(pk: UUID, figures: Figures, *, actor: str, now: datetime | None = None) -> RightsRequest:
    """Ask the stores what is missing: nothing ends the request as done, anything sends it back to work.

    Raises MoveNotAllowed for a right without a verification query.
    """
    return verify_locked(requests.locked(pk), figures, actor=actor, now=now)


def verify_locked(
    request: RightsRequest, figures: Figures, *, actor: str, now: datetime | None = None
) -> RightsRequest:
    """Verify a request that the caller has locked, as ``verify``."""
    fulfilment = _fulfilments.get(Right(request.right))
    if fulfilment is None:
        raise MoveNotAllowed("Nothing can verify this right's result yet: refuse the request, or keep it open.")
    if fulfilment.count is not None:
        figures = fulfilment.count(request)
    missing = fulfilment.missing(request, figures)
    return requests.finish_verified(
        request,
        Move.REWORK if missing else Move.COMPLETE,
        actor=actor,
        moment=now or timezone.now(),
        reason=f"Missing: {', '.join(missing)}." if missing else "",
        details={"figures": figures, **({} if missing else fulfilment.said(request))},
    )


@transaction.atomic
def verify_by_officer(pk: UUID, *, actor: str, decision: str) -> RightsRequest:
    """Verify what an officer did; ``decision`` is what the person is told of it. Raises like ``requests.move``."""
    requests.move(pk, Move.VERIFY, actor=actor, reason=decision)
    return verify(pk, {}, actor=actor)


def sweep() -> int:
    """Run every request that a crash left, and free those whose blockers have ended; return how many were run.

    Page by page, so memory does not grow with the queue. What fails comes again with the next.
    """
    ran = 0
    for pk in _left():
        run_or_leave(pk)
        ran += 1
    return ran


def _left() -> Iterator[UUID]:
    """Yield the requests that a sweep goes on with: those of rights that take several steps also from the middle."""
    automatic = [right for right in _fulfilments if is_automatic(right)]
    in_steps = [right for right, each in _fulfilments.items() if each.carry_out is not None]
    accepted = RightsRequest.objects.filter(state=State.ACCEPTED, right__in=automatic)
    begun = RightsRequest.objects.filter(state__in=(State.IN_PROGRESS, State.VERIFYING), right__in=in_steps)
    for query in (accepted, begun):
        last: UUID | None = None
        while page := _page(query, last):
            yield from page
            last = page[-1]


def _page(query: Any, after: UUID | None) -> list[UUID]:
    rest = query if after is None else query.filter(pk__gt=after)
    return list(rest.order_by("pk").values_list("pk", flat=True)[:_PAGE])
