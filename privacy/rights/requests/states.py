"""Transitions of a request: one table, and no way to ``done`` but through the verification query."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    RECEIVED = "received"
    IDENTITY_ASKED = "identity_asked"
    ACCEPTED = "accepted"
    CLARIFICATION_ASKED = "clarification_asked"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    VERIFYING = "verifying"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Move(StrEnum):
    ASK_IDENTITY = "ask_identity"
    ACCEPT = "accept"
    ASK_CLARIFICATION = "ask_clarification"
    CLARIFY = "clarify"
    START = "start"
    BLOCK = "block"
    UNBLOCK = "unblock"
    VERIFY = "verify"
    COMPLETE = "complete"
    REWORK = "rework"
    REFUSE = "refuse"
    CANCEL = "cancel"


OPEN = (
    State.RECEIVED, State.IDENTITY_ASKED, State.ACCEPTED, State.CLARIFICATION_ASKED, State.IN_PROGRESS, State.BLOCKED,
    State.VERIFYING,
)  # fmt: skip
# Open requests of people whose identity is proven: of these there is one by person and right. Proof comes before that,
# so that an unproven request neither joins a person's own nor stands in its way.
PROVEN = tuple(state for state in OPEN if state not in (State.RECEIVED, State.IDENTITY_ASKED))
_LEAVE = {Move.REFUSE: State.REFUSED, Move.CANCEL: State.CANCELLED}
TRANSITIONS: Mapping[State, Mapping[Move, State]] = {
    State.RECEIVED: {Move.ASK_IDENTITY: State.IDENTITY_ASKED, Move.ACCEPT: State.ACCEPTED, **_LEAVE},
    State.IDENTITY_ASKED: {Move.ACCEPT: State.ACCEPTED, **_LEAVE},
    State.ACCEPTED: {Move.ASK_CLARIFICATION: State.CLARIFICATION_ASKED, Move.START: State.IN_PROGRESS, **_LEAVE},
    State.CLARIFICATION_ASKED: {Move.CLARIFY: State.ACCEPTED, **_LEAVE},
    # What was begun is carried to its end: a half of an erasure cannot be taken back.
    State.IN_PROGRESS: {Move.BLOCK: State.BLOCKED, Move.VERIFY: State.VERIFYING, Move.REFUSE: State.REFUSED},
    State.BLOCKED: {Move.UNBLOCK: State.IN_PROGRESS, Move.REFUSE: State.REFUSED},
    State.VERIFYING: {Move.COMPLETE: State.DONE, Move.REWORK: State.IN_PROGRESS},
    State.DONE: {},
    State.REFUSED: {},
    State.CANCELLED: {},
}
# Step that leaves the state: the requester has proven the address.
PROVE = "prove"
# The law wants the reasons of these, in words the person can be given.
NEEDS_REASON = frozenset({Move.ASK_IDENTITY, Move.ASK_CLARIFICATION, Move.BLOCK, Move.REFUSE, Move.REWORK})
# Only the verification query makes these moves (``requests.verifying``).
BY_VERIFICATION = frozenset({Move.COMPLETE, Move.REWORK})


def target(state: str, move: Move) -> State | None:
    """Return the state that a move leads to; None where the table does not allow it."""
    return TRANSITIONS[State(state)].get(move)
