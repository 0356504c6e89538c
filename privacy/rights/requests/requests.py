"""Open, move, extend and close requests. Every change is a step, an audit event, and new dates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import trail
from common.canonical import digest_of, sha256
from consent.problems import IdempotencyKeyReused
from consent.shown_ids import Shown
from privacy.rights.clocks.laws import Right
from privacy.rights.letters import letters
from privacy.rights.models import Blocker, RequestStep, RightsRequest
from privacy.rights.problems import ExtensionRefused, MoveNotAllowed, ReasonNeeded, RequestUnknown
from privacy.rights.requesters import requester
from privacy.rights.requesters.requester import Asks
from privacy.rights.requests import dates, other_cells, recipients, statements, work
from privacy.rights.requests.statements import Said
from privacy.rights.requests.states import (
    BY_VERIFICATION,
    NEEDS_REASON,
    PROVE,
    PROVEN,
    TRANSITIONS,
    Move,
    State,
    target,
)

_MOST_REASON = 1000


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Request as it came in. ``is_identified``: the door has proven who asks; ``asks``: who, if not the session.

    ``shown``: the person's id, where the door has seen it.
    """

    right: Right
    subject_ref: UUID
    region: str
    door: str
    actor: str
    is_identified: bool
    said: Said = statements.NOTHING
    shown: Shown | None = None
    idempotency_key: str | None = None
    appeals: UUID | None = None
    asks: Asks | None = None


@dataclass(frozen=True)
class Opened:
    request: RightsRequest
    is_new: bool


def open_request(opening: Opening, *, now: datetime | None = None) -> Opened:
    """Open a request. The same key, or an open request of the same person and right, answers with the first.

    Identity comes before that: a request that is not proven joins none, and keeps none from being opened. Raises
    IdempotencyKeyReused.
    """
    moment = now or timezone.now()
    try:
        with transaction.atomic():
            return Opened(_create(opening, moment), True)
    except IntegrityError:
        found = _first(opening)
        if found is None:
            raise
        take_id(found.pk, _said(opening).subject)
        return Opened(found, False)


def _create(opening: Opening, moment: datetime) -> RightsRequest:
    key, digest = _key(opening)
    request = RightsRequest(
        right=opening.right,
        subject_ref=opening.subject_ref,
        region=opening.region,
        door=opening.door,
        opened_by=str(opening.actor),
        request_key=key,
        request_digest=digest,
        appeals_id=opening.appeals,
        received_at=moment,
        received_on=dates.local_day(moment, opening.region),
    )
    if said := _said(opening):
        request.statement, request.statement_salt = statements.seal(said)
    dates.count(request)
    request.save(force_insert=True)
    if opening.asks is not None:
        requester.keep(request, opening.asks)
    note(request, "open", opening.actor, moment)
    if opening.is_identified:
        _moved(request, Move.ACCEPT, opening.actor, moment, reason="")
    work.follow(request, actor=opening.actor)
    return request


def _said(opening: Opening) -> Said:
    return other_cells.with_id(opening.said, opening.shown, right=opening.right, door=opening.door)


def _key(opening: Opening) -> tuple[bytes | None, bytes | None]:
    if opening.idempotency_key is None:
        return None, None
    # Without the region: where it is not stated it is the stored one, which an erasure takes away.
    said: list[Any] = [opening.right.value, str(opening.subject_ref), opening.said.words]
    if opening.said.correction:
        said.append(dict(opening.said.correction))
    if opening.asks is not None:
        said += [opening.asks.acting, str(opening.asks.mandate_until)]
    return key_of(opening.actor, opening.idempotency_key), digest_of(said)


def key_of(actor: str, idempotency_key: str) -> bytes:
    """Return the stored form of a caller's Idempotency-Key."""
    return sha256(f"{actor}\n{idempotency_key}".encode())


def _first(opening: Opening) -> RightsRequest | None:
    key, digest = _key(opening)
    by_key = RightsRequest.objects.filter(request_key=key).first() if key else None
    if by_key is not None:
        if bytes(by_key.request_digest or b"") != digest:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used for another request. Use a new key for a new request."
            )
        return by_key
    if not opening.is_identified:
        return None
    return RightsRequest.objects.filter(subject_ref=opening.subject_ref, right=opening.right, state__in=PROVEN).first()


@transaction.atomic
def take_id(pk: UUID, subject: Mapping[str, str]) -> None:
    """Keep the id that a later request of the same person showed with the open one, if other cells need it there."""
    if not subject:
        return
    request = locked(pk)
    said = statements.unseal(request.statement, request.statement_salt)
    if request.is_open and not said.subject and other_cells.are_asked(request.right, request.door):
        request.statement, request.statement_salt = statements.seal(replace(said, subject=subject))
        request.save(update_fields=["statement", "statement_salt"])


@transaction.atomic
def move(
    pk: UUID,
    step: Move,
    *,
    actor: str,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> RightsRequest:
    """Make a move that the table allows. Raises RequestUnknown, MoveNotAllowed, ReasonNeeded."""
    if step in BY_VERIFICATION:
        raise MoveNotAllowed("Only the verification of a request's result makes this move.")
    return move_locked(locked(pk), step, actor=actor, reason=reason, details=details, now=now)


def move_locked(
    request: RightsRequest,
    step: Move,
    *,
    actor: str,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> RightsRequest:
    """Make a move on a request that the caller has locked. Raises MoveNotAllowed, ReasonNeeded."""
    check(request, step, reason)
    return _moved(request, step, actor, now or timezone.now(), reason=reason, details=details)


def existing(pk: UUID) -> RightsRequest:
    """Return the request as it is now. Raises RequestUnknown."""
    try:
        return RightsRequest.objects.get(pk=pk)
    except RightsRequest.DoesNotExist:
        raise RequestUnknown("No request has this id.") from None


def locked(pk: UUID) -> RightsRequest:
    """Return the request, locked until the transaction ends. Raises RequestUnknown."""
    try:
        return RightsRequest.objects.select_for_update(of=("self",)).get(pk=pk)
    except RightsRequest.DoesNotExist:
        raise RequestUnknown("No request has this id.") from None


def reworks(request: RightsRequest) -> int:
    """Return how often a verification sent a request back to work."""
    return request.steps.filter(move=Move.REWORK).count()


def check(request: RightsRequest, step: Move, reason: str) -> None:
    """Raise MoveNotAllowed or ReasonNeeded for a step that may not be made."""
    if target(request.state, step) is None:
        allowed = ", ".join(TRANSITIONS[State(request.state)]) or "nothing: it is closed"
        raise MoveNotAllowed(f"The request is {request.get_state_display().lower()}; from there: {allowed}.")
    if step in NEEDS_REASON and not reason.strip():
        raise ReasonNeeded("Say why, in words that the person can be given.")


@transaction.atomic
def block(
    pk: UUID, *, ground: str, what: str, reason: str, expires_on: date, actor: str, now: datetime | None = None
) -> Blocker:
    """Block a request on a ground, until a day on which it is looked at again. Raises like ``move``."""
    moment = now or timezone.now()
    request = move(pk, Move.BLOCK, actor=actor, reason=reason, details={"ground": ground}, now=moment)
    return Blocker.objects.create(
        request=request,
        ground=Blocker.Ground(ground),
        what=what[:200],
        reason=reason[:_MOST_REASON],
        reviewer=str(actor),
        set_at=moment,
        expires_on=expires_on,
    )


@transaction.atomic
def unblock(pk: UUID, *, actor: str, reason: str = "", now: datetime | None = None) -> RightsRequest:
    """Lift a request's blockers, and go on. Raises like ``move``."""
    moment = now or timezone.now()
    request = move(pk, Move.UNBLOCK, actor=actor, reason=reason, now=moment)
    request.blockers.filter(lifted_at__isnull=True).update(lifted_at=moment)
    return request


@transaction.atomic
def extend(
    pk: UUID, *, actor: str, reason: str, until: date | None = None, now: datetime | None = None
) -> RightsRequest:
    """Announce an extension with its reasons, within the first period. Raises ExtensionRefused, ReasonNeeded."""
    moment = now or timezone.now()
    request = locked(pk)
    if not reason.strip():
        raise ReasonNeeded("An extension counts only if the person is given its reasons.")
    if not request.is_open or request.extended_on is not None:
        raise ExtensionRefused("The request is closed, or was extended before.")
    request.extended_on, request.extended_until = dates.local_day(moment, request.region), until
    if not dates.count(request).is_extended:
        raise ExtensionRefused(
            "The law gives no extension for this right, the first period has ended, or a law that sets no maximum "
            "needs the date: answer now."
        )
    request.save()
    note(request, "extend", actor, moment, reason=reason, details={"due_on": str(request.due_on)})
    letters.follow(request, "extend", words=reason, actor=actor, moment=moment)
    work.follow(request, actor=actor)
    return request


def _moved(
    request: RightsRequest,
    step: Move,
    actor: str,
    moment: datetime,
    *,
    reason: str,
    details: Mapping[str, Any] | None = None,
) -> RightsRequest:
    if step is Move.START and request.right in recipients.INFORMED_OF:
        details = {**(details or {}), "recipients": recipients.of_person(request.subject_ref)}
    state = target(request.state, step)
    assert state is not None  # noqa: S101 (checked by the caller)
    was_work, due_on = request.state in PROVEN, request.due_on
    request.state = state
    if not request.is_open:
        request.closed_at, request.statement, request.statement_salt = moment, None, None
    note(request, step, actor, moment, reason=reason, details=details)
    if request.is_open:
        dates.count(request)
    request.save()
    letters.follow(request, step, words=reason, actor=actor, moment=moment)
    if not request.is_open:
        requester.forget_address(request)
    # Of a request that is officers' work and stays it until the same day, the item is there.
    if not (was_work and request.is_open and request.due_on == due_on):
        work.follow(request, actor=actor)
    return request


def finish_verified(
    request: RightsRequest, step: Move, *, actor: str, moment: datetime, reason: str, details: Mapping[str, Any]
) -> RightsRequest:
    """Make a move of the verification query (``requests.verifying``), on a locked request."""
    check(request, step, reason)
    if step is Move.COMPLETE:
        request.verified_at = moment
    return _moved(request, step, actor, moment, reason=reason, details=details)


def note_proof(request: RightsRequest, *, actor: str, moment: datetime) -> None:
    """Note on a locked request that its address was proven: its clock runs again, and it is an officer's work."""
    if request.steps.filter(move=PROVE).exists():
        return
    note(request, PROVE, actor, moment)
    dates.count(request)
    request.save()
    work.follow(request, actor=actor)


def note(
    request: RightsRequest,
    step: str,
    actor: str,
    moment: datetime,
    *,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write a step into the request's history and the audit trail."""
    said = dict(details or {})
    RequestStep.objects.create(
        request=request,
        move=step,
        state=request.state,
        actor=str(actor),
        at=moment,
        reason=reason[:_MOST_REASON],
        details=said,
    )
    facts = {"right": request.right, "law": request.law, "state": request.state, "due_on": str(request.due_on), **said}
    trail.record(f"request.{step}", str(request.pk), actor=actor, details=facts)
