"""Transition table of a change set: which step leads from which state to which, and under which kind."""

from dataclasses import dataclass
from enum import StrEnum

from oversight.models import ChangeSet
from oversight.problems import NotNow

State = ChangeSet.State


class Step(StrEnum):
    """Step in the life of a set; its audit action is ``changes.`` and this name."""

    DRAFTED = "drafted"
    PROPOSED = "proposed"
    REOPENED = "reopened"
    APPLIED = "applied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    APPLIED_IN_EMERGENCY = "applied_in_emergency"
    APPLIED_PROTECTIVELY = "applied_protectively"
    APPLIED_ALONE = "applied_alone"
    APPLIED_AS_RELAXED = "applied_as_relaxed"
    SHIPPED = "shipped"
    RELEASED = "released"
    REVIEWED = "reviewed"
    UNDONE = "undone"


@dataclass(frozen=True)
class Transition:
    """From one of these states to that one."""

    sources: frozenset[str]
    target: str


def _from(*sources: str, to: str) -> Transition:
    return Transition(frozenset(sources), to)


TRANSITIONS = {
    Step.PROPOSED: _from(State.DRAFT, to=State.PROPOSED),
    Step.REOPENED: _from(State.PROPOSED, to=State.DRAFT),
    Step.APPLIED: _from(State.PROPOSED, to=State.IN_FORCE),
    Step.REFUSED: _from(State.PROPOSED, to=State.REFUSED),
    Step.WITHDRAWN: _from(State.DRAFT, State.PROPOSED, to=State.WITHDRAWN),
    Step.APPLIED_IN_EMERGENCY: _from(State.DRAFT, to=State.IN_FORCE),
    Step.APPLIED_PROTECTIVELY: _from(State.DRAFT, to=State.IN_FORCE),
    Step.APPLIED_AS_RELAXED: _from(State.DRAFT, to=State.IN_FORCE),
    Step.APPLIED_ALONE: _from(State.DRAFT, State.PROPOSED, to=State.IN_FORCE),
    Step.SHIPPED: _from(State.DRAFT, to=State.IN_FORCE),
    Step.RELEASED: _from(State.DRAFT, to=State.IN_FORCE),
    Step.UNDONE: _from(State.IN_FORCE, to=State.UNDONE),
}


def target(state: str, step: Step) -> str:
    """Return the state that a step leads to. Raises NotNow."""
    transition = TRANSITIONS[step]
    if state not in transition.sources:
        raise NotNow(
            f"This change set is {State(state).label.lower()}; it cannot be {step.replace('_', ' ')}. Reload its page."
        )
    return transition.target


def allows(state: str, step: Step) -> bool:
    """Return whether a step may be taken in a state."""
    return state in TRANSITIONS[step].sources
