"""Blockers: a hold or a restriction keeps an erasure, and every blocker frees its request when it has ended."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_noop

from consent.models import DataSubject
from privacy.models import HoldMember
from privacy.rights.models import Blocker, RightsRequest
from privacy.rights.problems import MoveNotAllowed
from privacy.rights.requests import requests
from privacy.rights.requests.fulfilling import JOB
from privacy.rights.requests.states import State

_PAGE = 500
LOOK_AGAIN = timedelta(days=30)
REASON = gettext_noop(
    "What we have about you must be kept for now, for a claim or because its use is restricted. We go on by ourselves"
    " as soon as that has ended."
)


def is_kept(ref: UUID) -> bool:
    """Return whether a hold or a restriction keeps anything of a person, by the register or by the person's row."""
    if HoldMember.objects.filter(ref=ref).exists():
        return True
    person = DataSubject.objects.filter(ref=ref).values_list("held", "restricted", "limits").first()
    return person is not None and any(person)


def block_if_kept(request: RightsRequest, *, actor: str, now: datetime) -> bool:
    """Block a request whose person is kept; return whether it was."""
    if not is_kept(request.subject_ref):
        return False
    requests.block(
        request.pk,
        ground=Blocker.Ground.HOLD,
        what="everything: holds and restrictions on the person",
        reason=REASON,
        expires_on=(now + LOOK_AGAIN).date(),
        actor=JOB,
        now=now,
    )
    return True


def free_ended(*, now: datetime) -> int:
    """Lift blockers whose day has come, and those of holds that have ended; return how many requests are free again."""
    freed = 0
    waiting = RightsRequest.objects.filter(state=State.BLOCKED).prefetch_related("blockers").order_by("pk")
    for request in waiting.iterator(chunk_size=_PAGE):
        if all(_has_ended(each, request, now) for each in request.blockers.all() if each.lifted_at is None):
            freed += _free(request.pk, now)
    return freed


def _has_ended(blocker: Blocker, request: RightsRequest, now: datetime) -> bool:
    if blocker.expires_on <= now.date():
        return True
    return blocker.reviewer == str(JOB) and not is_kept(request.subject_ref)


def _free(pk: UUID, now: datetime) -> bool:
    try:
        requests.unblock(pk, actor=JOB, now=now)
    except MoveNotAllowed:
        return False  # an officer was first
    return True
