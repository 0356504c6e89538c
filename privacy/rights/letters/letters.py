"""Make letters: by themselves at the steps that the law wants announced, and in an officer's words."""

from collections.abc import Mapping
from datetime import datetime

from privacy.rights.answers import packages, sealing
from privacy.rights.clocks.laws import Right
from privacy.rights.erasure import answering
from privacy.rights.letters.models import Letter
from privacy.rights.letters.wording import Facts, Kept, Kind, written
from privacy.rights.models import RightsRequest
from privacy.rights.requesters import pages, requester
from privacy.rights.requests.states import Move

_BY_STEP: Mapping[str, Kind] = {
    Move.ACCEPT: Kind.RECEIVED,
    Move.ASK_IDENTITY: Kind.IDENTITY,
    Move.ASK_CLARIFICATION: Kind.CLARIFICATION,
    Move.BLOCK: Kind.BLOCKED,
    Move.REFUSE: Kind.REFUSED,
    Move.COMPLETE: Kind.DONE,
    "extend": Kind.EXTENDED,
}
MOST_WORDS = 4_000


def follow(request: RightsRequest, step: str, *, words: str, actor: str, moment: datetime) -> None:
    """Write the letter of a step, if it has one, to a requester with an address; others see the step on their page."""
    kind = _BY_STEP.get(step)
    found = requester.of(request) if kind else None
    address = requester.address_of(found)
    if kind is not None and found is not None and address:
        if kind is Kind.IDENTITY and found.proven_at is None:
            kind = Kind.CODE
        if kind is Kind.DONE:
            words = words or _decision(request)
        write(request, kind, words=words, actor=actor, moment=moment, address=address)


def _decision(request: RightsRequest) -> str:
    """Return the decision that an officer gave in words; empty for a request that answered itself."""
    decided = request.steps.filter(move=Move.VERIFY).exclude(reason="").order_by("-id").first()
    return decided.reason if decided else ""


def write(
    request: RightsRequest, kind: Kind, *, words: str = "", actor: str, moment: datetime, address: str | None
) -> Letter:
    """Keep a letter, sealed; ``sending`` sends it where there is an address. A code is written when it leaves."""
    locale = requester.locale_of(request)
    letter = Letter(request=request, kind=kind, locale=locale, made_by=str(actor), made_at=moment)
    if kind is not Kind.CODE:
        body = written(kind, locale, facts_of(request, words=words, has_page=bool(address))).body
        letter.sealed = sealing.seal(body.encode(), request.pk)
    letter.address = sealing.seal(address.encode(), request.pk) if address else None
    letter.save(force_insert=True)
    return letter


def facts_of(request: RightsRequest, *, words: str = "", code: str = "", has_page: bool = True) -> Facts:
    page = pages.url(request) if has_page else ""
    right = Right(request.right)
    kept = tuple(Kept(**each) for each in answering.kept(request)) if right is Right.ERASURE else ()
    return Facts(right, request.due_on, words[:MOST_WORDS], page, code, kept)


def text_of(letter: Letter) -> str:
    """Return what was written; empty where it is no longer kept."""
    return sealing.unseal(bytes(letter.sealed), letter.request_id).decode() if letter.sealed else ""


def forget_expired(now: datetime) -> int:
    """Forget what letters said, as long after the end of their request as its files are kept; return how many."""
    old = Letter.objects.filter(sealed__isnull=False, request__closed_at__lte=now - packages.PACKAGE_LASTS)
    return old.update(sealed=None)
