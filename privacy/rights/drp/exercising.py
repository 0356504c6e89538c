"""Rights of the protocol over this installation's requests: open, status, revoke."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from consent.register.jurisdictions.clocks import midnight
from privacy.rights.clocks.laws import Right
from privacy.rights.drp.agents import actor_of
from privacy.rights.drp.messages import RightsMessage
from privacy.rights.drp.models import Agent, AgentRequest
from privacy.rights.models import RightsRequest
from privacy.rights.requesters import asking, pages
from privacy.rights.requesters.asking import Asking
from privacy.rights.requesters.models import Requester
from privacy.rights.requesters.proof import Acting
from privacy.rights.requests import requests
from privacy.rights.requests.states import PROVE, Move, State

RIGHTS: Mapping[str, Right] = {
    "sale:opt-out": Right.OPT_OUT,
    "deletion": Right.ERASURE,
    "access": Right.ACCESS,
    "access:categories": Right.ACCESS,
    "access:specific": Right.ACCESS,
}
_REGIONS = {"ccpa": "US-CA"}
_NO_OPT_IN = "A yes is taken from the person alone, on their privacy page."


@transaction.atomic
def exercise(message: RightsMessage, agent: Agent, body: bytes, *, now: datetime) -> AgentRequest | None:
    """Open a request for the person an agent names; None for a right that is not taken from agents.

    The same message answers with the first request. The person is asked by e-mail, unless the right needs no proof.
    """
    right = RIGHTS.get(message.exercise)
    if right is None:
        return None
    key = hashlib.sha256(body).hexdigest()
    known = AgentRequest.objects.filter(request__request_key=requests.key_of(actor_of(agent), key)).first()
    if known is not None:
        return known
    request = asking.ask(
        Asking(
            right=right,
            address=message.email,
            region=_REGIONS.get(message.regime or "", ""),
            locale=settings.LANGUAGE_CODE,
            acting=Acting.AGENT,
            door="drp",
            actor=actor_of(agent),
            idempotency_key=key,
            is_persons_address=True,
        ),
        now=now,
    )
    # Of two deliveries of one message at once, the second finds what the first has made.
    found, _created = AgentRequest.objects.get_or_create(
        request=request,
        defaults={
            "agent": agent,
            "agent_request_id": message.agent_request_id,
            "exercise": message.exercise,
            "status_callback": message.status_callback,
            "next_try_at": now,
        },
    )
    return found


def refused_status(message: RightsMessage, *, now: datetime) -> dict[str, Any]:
    """Return the status of a request that was not opened."""
    status = {
        "request_id": str(UUID(bytes=hashlib.sha256(f"{message.agent_request_id}{now}".encode()).digest()[:16])),
        "received_at": now.isoformat(),
        "status": "denied",
        "reason": "claim_not_covered",
        "processing_details": _NO_OPT_IN,
    }
    return {**status, **_agents_own(message.agent_request_id)}


def status_of(found: AgentRequest) -> dict[str, Any]:
    """Return the status object of a request, as the protocol has it; once the mandate has ended, that alone."""
    request = found.request if has_ended(found) else _goes_on_as(found.request)
    status: dict[str, Any] = {
        "request_id": str(found.request_id),
        "received_at": found.request.received_at.isoformat(),
        **_agents_own(found.agent_request_id),
    }
    if has_ended(found):
        return {**status, "status": "revoked"}
    if request.due_on is not None:
        status["expected_by"] = midnight(request.due_on, request.region).isoformat()
    return {**status, **_STATES[State(request.state)](request)}


def has_ended(found: AgentRequest) -> bool:
    """Return whether the mandate was withdrawn: the agent is given nothing more."""
    return Requester.objects.filter(request=found.request_id, mandate_withdrawn_at__isnull=False).exists()


def _agents_own(agent_request_id: str) -> dict[str, str]:
    return {"agent_request_id": agent_request_id} if agent_request_id else {}


def _goes_on_as(request: RightsRequest) -> RightsRequest:
    """Return the request that a proven one joined, as the same was asked before; else the request itself."""
    joined = request.steps.filter(move=Move.CANCEL, details__has_key="joined").first()
    return request if joined is None else RightsRequest.objects.get(pk=joined.details["joined"])


def _waits_for_proof(request: RightsRequest) -> dict[str, Any]:
    if request.steps.filter(move=PROVE).exists():
        return {"status": "in_progress"}  # the person has proven the address; an officer looks
    return {
        "status": "in_progress",
        "reason": "need_user_verification",
        "user_verification_url": pages.url(request),
    }


def _in_progress(request: RightsRequest) -> dict[str, Any]:
    extension = request.steps.filter(move="extend").last()
    return {"status": "in_progress", **({"processing_details": extension.reason} if extension else {})}


def _done(request: RightsRequest) -> dict[str, Any]:
    """Return the end of a request; files are the person's, behind a code at the page that is named."""
    if request.right != Right.ACCESS:
        return {"status": "fulfilled"}
    package = getattr(request, "package", None)
    ends = {"expires_at": package.expires_at.isoformat()} if package else {}
    return {"status": "fulfilled", "results_url": pages.url(request), **ends}


def _refused(request: RightsRequest) -> dict[str, Any]:
    steps = list(request.steps.order_by("-id")[:2])
    was_unproven = len(steps) > 1 and steps[1].state in (State.RECEIVED, State.IDENTITY_ASKED)
    reason = "insuf_verification" if was_unproven else "other"
    return {"status": "denied", "reason": reason, "processing_details": steps[0].reason}


def _cancelled(request: RightsRequest) -> dict[str, Any]:
    is_expired = request.steps.filter(move=Move.CANCEL, reason=asking.NOT_PROVEN_IN_TIME).exists()
    return {"status": "expired" if is_expired else "revoked"}


_STATES = {
    State.RECEIVED: _waits_for_proof,
    State.IDENTITY_ASKED: _waits_for_proof,
    State.ACCEPTED: _in_progress,
    State.CLARIFICATION_ASKED: _in_progress,
    State.IN_PROGRESS: _in_progress,
    State.BLOCKED: _in_progress,
    State.VERIFYING: _in_progress,
    State.DONE: _done,
    State.REFUSED: _refused,
    State.CANCELLED: _cancelled,
}


def revoke(found: AgentRequest, *, actor: str) -> AgentRequest:
    """Take a request back: what has not begun ends, and nothing more is given to the agent."""
    if found.request.is_open:
        asking.withdraw_mandate(found.request_id, actor=actor, now=timezone.now())
    return AgentRequest.objects.select_related("request").get(pk=found.pk)
