"""Proof of identity by right and risk: one table of what is enough to accept a request.

Sources: GDPR, Articles 11, 12(2) and 12(6) (ask for more only where there is doubt); 11 CCR 7026(d) and 7027(e) (an
opt-out needs no verification), 7060 to 7062 (a higher degree for specific pieces of data), 7063 (agents), 7070
(children). Engineering readings, not legal advice.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from privacy.rights.clocks.laws import Right


class Acting(StrEnum):
    """For whom a requester asks."""

    SELF = "self"
    GUARDIAN = "guardian"
    AGENT = "agent"


class Proof(IntEnum):
    """Proof of who asks, the weaker first."""

    NONE = 0
    # A code was read at the address that is the person's id here.
    ADDRESS = 1
    # A session of the person, or a service that vouches for them.
    SESSION = 2
    # An officer has looked.
    OFFICER = 3


_LEAST: Mapping[Right, Proof] = dict.fromkeys(Right, Proof.ADDRESS) | {Right.OPT_OUT: Proof.NONE}
# By law and right, where an address alone is not enough: 11 CCR 7062(c), specific pieces of personal information.
_STRICTER: Mapping[tuple[str, Right], Proof] = {
    ("us-ca", Right.ACCESS): Proof.SESSION,
    ("us-ca", Right.PORTABILITY): Proof.SESSION,
}


def least(right: Right, law: str, acting: Acting) -> Proof:
    """Return the least proof that accepts a request. Who acts for another is always looked at by an officer."""
    if acting is not Acting.SELF and right is not Right.OPT_OUT:
        return Proof.OFFICER
    return _STRICTER.get((law, right), _LEAST[right])


def is_enough(proof: Proof, right: Right, law: str, acting: Acting) -> bool:
    """Return whether a proof accepts a request without an officer."""
    return proof >= least(right, law, acting)
