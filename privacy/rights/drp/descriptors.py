"""Register of authorised agents: taken in by two officers, as each may ask in people's names."""

from oversight.registers import Document, Register
from privacy.rights.drp.models import Agent, AgentToken


def narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether an agent is only switched off."""
    return before is not None and after == {**before, "is_active": False}


def _save(agent: Agent, _created: bool) -> None:
    """Save an agent. Another key, and being switched off, end the token: it was given for what no longer stands."""
    stored = Agent.objects.filter(pk=agent.pk).first()
    agent.save()
    if stored is not None and (stored.verify_key != agent.verify_key or not agent.is_active):
        AgentToken.objects.filter(agent=agent).delete()


AGENT = Register(
    name="agent",
    title="Authorised agent",
    model=Agent,
    key=("slug",),
    in_bundle=False,
    keeps=True,
    is_local=True,
    narrows=narrows,
    save=_save,
)
