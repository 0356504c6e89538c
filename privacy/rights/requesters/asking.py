"""Requests of people without an account: an address that is checked first, then the request as any other.

Known and unknown people are treated alike until the code is right: the person is not looked up before. The address is
the id that is matched; where the business knows the person by another id, an officer matches (``match``).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from common import actors
from consent import links, pseudonyms
from consent.shown_ids import Shown
from oversight.officers import single
from privacy.rights.clocks.laws import Right
from privacy.rights.letters import letters
from privacy.rights.letters.wording import Kind
from privacy.rights.models import DownloadLink, Letter, RightsRequest
from privacy.rights.problems import MoveNotAllowed
from privacy.rights.requesters import codes, requester
from privacy.rights.requesters.codes import Outcome, Tried
from privacy.rights.requesters.models import Requester
from privacy.rights.requesters.proof import Acting, Proof
from privacy.rights.requesters.requester import Asks
from privacy.rights.requests import dates, fulfilling, other_cells, requests, statements
from privacy.rights.requests.statements import Said
from privacy.rights.requests.states import PROVEN, TRANSITIONS, Move, State

JOB = actors.job("rights")
NOT_PROVEN_IN_TIME = "The address was not proven in time."
_PROVES_WITHIN = timedelta(days=14)
_MATCHED = (State.RECEIVED, State.IDENTITY_ASKED)
_ASKED = "We have sent a code to the address that was given."


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Request by an e-mail address: from the form for people without an account, or of an agent.

    ``person``: the address of the child, or of who gave the mandate, where it is another than the requester's own.
    """

    right: Right
    address: str
    region: str
    locale: str
    acting: Acting = Acting.SELF
    person: str = ""
    words: str = ""
    door: str = "form"
    actor: str = "subject"
    idempotency_key: str | None = None
    is_persons_address: bool = False


@transaction.atomic
def ask(asking: Asking, *, now: datetime | None = None) -> RightsRequest:
    """Open a request that waits for its address to be proven, and send the code. Raises TooManyRequests."""
    moment = now or timezone.now()
    shown = Shown(asking.person or asking.address)
    opening = requests.Opening(
        right=asking.right,
        subject_ref=pseudonyms.subject_ref(shown.id),
        region=asking.region,
        door=asking.door,
        actor=asking.actor,
        is_identified=False,
        said=Said(asking.words, subject=shown.document() if asking.person else {}),
        shown=shown,
        idempotency_key=asking.idempotency_key,
        asks=Asks(
            acting=asking.acting,
            locale=asking.locale,
            address=asking.address,
            is_persons_address=asking.is_persons_address,
        ),
    )
    opened = requests.open_request(opening, now=moment)
    request = opened.request
    if not opened.is_new:
        return request
    found = requester.of(request)
    # Also where no code is sent: every request brings the address letters, also one that another person made.
    codes.take(requester.tag(asking.address))
    if requester.accepts(request, found, Proof.NONE):
        accept(request, actor=JOB, now=moment)
        # Its own page, and not that of a request which it joins: that one may be another requester's.
        return RightsRequest.objects.get(pk=request.pk)
    return requests.move(request.pk, Move.ASK_IDENTITY, actor=JOB, reason=_ASKED, now=moment)


def send_code(request: RightsRequest, address: str, *, now: datetime | None = None) -> None:
    """Send a code to the requester's address; once that has ended, to the one typed, if it is the same.

    Nothing says whether it was. Raises TooManyRequests.
    """
    moment = now or timezone.now()
    found = requester.of(request)
    if found is None or found.address_tag is None or not _has_mandate(request, found, moment):
        return
    # Of the address that a code goes to, not of the one that was typed.
    codes.take(found.address_tag)
    known = requester.address_of(found) or (address if address and requester.tag(address) == found.address_tag else "")
    is_waiting = Letter.objects.filter(request=request, kind=Kind.CODE, sending_at=None, address__isnull=False).exists()
    if found.codes_sent < codes.MOST_CODES and known and not is_waiting:
        letters.write(request, Kind.CODE, actor=JOB, moment=moment, address=known)


@dataclass(frozen=True)
class Proven:
    """Result of a code: how it was, the secret of a session of the person it was right for, and what it gives."""

    tried: Tried
    session: str | None = None
    gives_files: bool = False


def prove(request: RightsRequest, code: str, *, now: datetime | None = None) -> Proven:
    """Try a code. A right one accepts the request, or joins it to an open one, and opens a session for oneself.

    Who asks for another, or whose address alone does not prove the person, gets no session: an officer looks first,
    and the files come through the request's page.
    """
    moment = now or timezone.now()
    tried = codes.check(request, code, moment)
    if tried.outcome is not Outcome.RIGHT:
        return Proven(tried)
    found = requester.of(request)
    if not _has_mandate(request, found, moment):
        return Proven(tried)
    with transaction.atomic():
        request = requests.locked(request.pk)
        if request.state == State.IDENTITY_ASKED:
            requests.note_proof(request, actor="subject", moment=moment)
            if requester.accepts(request, found, Proof.ADDRESS):
                request = accept(request, actor="subject", now=moment)
    fulfilling.run_or_leave(request.pk, now=moment)
    if not requester.opens_session(request, found):
        return Proven(tried, gives_files=True)
    address, proof = requester.address_of(found), secrets.token_bytes(32)
    shown = Shown(address) if address else None
    return Proven(tried, links.start_session(subject_ref=request.subject_ref, proof=proof, issued_by=JOB, shown=shown))


def _has_mandate(request: RightsRequest, found: Requester | None, now: datetime) -> bool:
    return requester.has_mandate(found, dates.local_day(now, request.region))


def accept(request: RightsRequest, *, actor: str, now: datetime) -> RightsRequest:
    """Accept a proven request. Where the person has asked the same before, this one ends and that one goes on."""
    if not _has_mandate(request, requester.of(request), now):
        raise MoveNotAllowed("The mandate of the agent has ended: refuse the request, or ask the person.")
    _refuse_the_matcher(request, actor)
    try:
        with transaction.atomic():
            return requests.move(request.pk, Move.ACCEPT, actor=actor, now=now)
    except IntegrityError:
        first = RightsRequest.objects.get(
            subject_ref=request.subject_ref, right=request.right, state__in=[state.value for state in PROVEN]
        )
        joined = {"joined": str(first.pk)}
        requests.take_id(first.pk, statements.unseal(request.statement, request.statement_salt).subject)
        requests.move(request.pk, Move.CANCEL, actor=JOB, reason="The same was asked before.", details=joined, now=now)
        return first


def _refuse_the_matcher(request: RightsRequest, actor: str) -> None:
    """Refuse the officer who said whom it is about: alone, one could have anyone's data sent to any address."""
    matched = request.steps.filter(move="match").last()
    if matched is not None and actors.is_same_person(actor, matched.actor, None) and not single.is_single():
        raise MoveNotAllowed("You said whom this request is about, so another officer has to accept it.")


def is_matched_now(request: RightsRequest) -> bool:
    """Return whether an officer may say whom a request is about: before it is accepted, and its address is proven."""
    return request.state in _MATCHED and not requester.is_unproven(request)


@dataclass(frozen=True)
class Addresses:
    """Addresses that a request came with: where its letters go, and that of the person, if it is another."""

    requester: str
    person: str


def addresses(request: RightsRequest) -> Addresses | None:
    """Return the addresses, as long as the request is matched; None then, and where it has none."""
    known = requester.address_of(requester.of(request)) if is_matched_now(request) else None
    if known is None:
        return None
    return Addresses(known, statements.unseal(request.statement, request.statement_salt).subject.get("id", known))


@transaction.atomic
def match(pk: UUID, business_id: str, *, actor: str, now: datetime | None = None) -> RightsRequest:
    """Say whom a request is about, by the business's own id, which is not kept. Only before it is accepted.

    From here on another officer has to accept it: the address is not that person's id. The step does not say who it
    was: steps outlive the pseudonym. Raises MoveNotAllowed, and ValueError for an id of no data subject.
    """
    request = requests.locked(pk)
    if request.state not in _MATCHED:
        raise MoveNotAllowed("Whom a request is about is settled once it is accepted.")
    if requester.is_unproven(request):
        raise MoveNotAllowed("The address is not proven yet: anyone may have typed it. Wait for its code to be tried.")
    person = pseudonyms.checked(business_id)
    request.subject_ref = pseudonyms.subject_ref(person)
    request.save(update_fields=["subject_ref"])
    _keep_id(request, person)
    requests.note(request, "match", actor, now or timezone.now())
    return request


@transaction.atomic
def name_person(pk: UUID, business_id: str, *, actor: str, now: datetime | None = None) -> RightsRequest:
    """Give the id of the person an erasure is about, where no door has shown it, so that other cells can be asked.

    Raises MoveNotAllowed where it is another person's or not needed, and ValueError for an id of no data subject.
    """
    request = requests.locked(pk)
    person = pseudonyms.checked(business_id)
    if not other_cells.lacks_id(request):
        raise MoveNotAllowed("No other cell waits for the id of this person.")
    if pseudonyms.subject_ref(person) != request.subject_ref:
        raise MoveNotAllowed("This request is about a person with another id.")
    _keep_id(request, person)
    requests.note(request, "name", actor, now or timezone.now())
    return request


def _keep_id(request: RightsRequest, person: str) -> None:
    """Keep the id of a matched person until the request closes, where other cells are asked by it."""
    said = statements.unseal(request.statement, request.statement_salt)
    named = other_cells.with_id(said, Shown(person), right=request.right, door=request.door)
    if named != said:
        request.statement, request.statement_salt = statements.seal(named)
        request.save(update_fields=["statement", "statement_salt"])


@transaction.atomic
def withdraw_mandate(pk: UUID, *, actor: str, now: datetime | None = None) -> RightsRequest:
    """End an agent's mandate at once: links and unsent letters end, and a request whose work has not begun, too.

    Raises RequestUnknown, and MoveNotAllowed where no agent asked.
    """
    moment = now or timezone.now()
    request = requests.locked(pk)
    found = requester.of(request)
    if found is None or requester.acting_of(found) is Acting.SELF:
        raise MoveNotAllowed("The person asked for themselves: there is no mandate.")
    letters.write(request, Kind.MANDATE, actor=actor, moment=moment, address=requester.address_of(found))
    Requester.objects.filter(pk=found.pk, mandate_withdrawn_at=None).update(
        mandate_withdrawn_at=moment, address=None, address_salt=None, code_hash=None
    )
    DownloadLink.objects.filter(package__request=request, used_at=None).delete()
    Letter.objects.filter(request=request, sending_at=None).exclude(kind=Kind.MANDATE).update(address=None)
    requests.note(request, "end_mandate", actor, moment)
    if Move.CANCEL in TRANSITIONS[State(request.state)]:
        request = requests.move(pk, Move.CANCEL, actor=actor, reason="The mandate was withdrawn.", now=moment)
    return request


def end_unproven(*, now: datetime | None = None, limit: int = 1_000) -> int:
    """End requests whose address was not proven in time, and their addresses with them; return how many."""
    moment = now or timezone.now()
    left = RightsRequest.objects.filter(
        state=State.IDENTITY_ASKED,
        received_at__lt=moment - _PROVES_WITHIN,
        requester__address__isnull=False,
        requester__proven_at=None,
    )
    pks = list(left.values_list("pk", flat=True)[:limit])
    for pk in pks:
        requests.move(pk, Move.CANCEL, actor=JOB, reason=NOT_PROVEN_IN_TIME, now=moment)
    return len(pks)
