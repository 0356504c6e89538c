"""Register of authorised agents: taken in by two officers, as each may ask in people's names."""

from oversight.registers import Document, Register
from privacy.rights.drp.models import Agent


def narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether an agent is only switched off."""
    return before is not None and after == {**before, "is_active": False}


AGENT = Register(
    name="agent",
    title="Authorised agent",
    model=Agent,
    key=("slug",),
    in_bundle=False,
    keeps=True,
    is_local=True,
    narrows=narrows,
)
