"""Tokens of agents: made when an agent proves its key, one for each pair of agent and business."""

import secrets
from datetime import datetime

from django.db import transaction

from audit import trail
from common.canonical import sha256
from privacy.rights.drp.models import Agent, AgentToken


def actor_of(agent: Agent) -> str:
    return f"agent:{agent.slug}"


@transaction.atomic
def issue_token(agent: Agent, *, now: datetime) -> str:
    """Return a new token of an agent; the former one ends."""
    token = secrets.token_urlsafe(32)
    AgentToken.objects.update_or_create(agent=agent, defaults={"token_hash": sha256(token.encode()), "issued_at": now})
    trail.record("agent.token_issued", agent.slug, actor=actor_of(agent))
    return token


def agent_of(token: str | None) -> Agent | None:
    """Return the agent in force that a token belongs to."""
    if not token:
        return None
    return Agent.objects.filter(is_active=True, token__token_hash=sha256(token.encode())).first()
