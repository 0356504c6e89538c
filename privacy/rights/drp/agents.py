"""Tokens of agents: made when an agent proves its key, one for each pair of agent and business."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from audit import trail
from common.canonical import sha256
from privacy.rights.drp.messages import Envelope, MessageRefused, read_as
from privacy.rights.drp.models import Agent, AgentToken


def actor_of(agent: Agent) -> str:
    return f"agent:{agent.slug}"


@transaction.atomic
def issue_token(agent: Agent, document: Mapping[str, Any], *, now: datetime) -> str:
    """Return a new token for an agent's signed message; the former one ends.

    Raises MessageRefused for a message that asks for something else, or is not newer than the one before: whoever has
    seen a message of the agent's would have its token.
    """
    locked = Agent.objects.select_for_update().get(pk=agent.pk)
    former = AgentToken.objects.filter(agent=locked).first()
    asked_at = read_as(Envelope, dict(document)).issued_at
    if "exercise" in document or (former is not None and asked_at <= former.asked_at):
        raise MessageRefused("This message has been used, or asks for something else than a token.")
    token = secrets.token_urlsafe(32)
    said = {"token_hash": sha256(token.encode()), "issued_at": now, "asked_at": asked_at}
    AgentToken.objects.update_or_create(agent=locked, defaults=said)
    trail.record("agent.token_issued", agent.slug, actor=actor_of(agent))
    return token


def agent_of(token: str | None) -> Agent | None:
    """Return the agent in force that a token belongs to."""
    if not token:
        return None
    return Agent.objects.filter(is_active=True, token__token_hash=sha256(token.encode())).first()
