"""The seam of the policy: whether a release may leave. Nothing does unless a policy is registered and permits it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SINGLING_OUT, INFERENCE = "singling out", "inference"  # the attacks that are measured


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a policy is asked about a release: measures of it and words of the registers, never an identity.

    ``kind``: "table", or "noisy" where an epsilon protects. ``l`` and ``t`` are those measured of the sensitive column;
    ``t`` and ``epsilon`` in thousandths. ``smallest_overlap``: the least rows, or sensitive values, that are left of a
    person's class when this release is laid on an earlier one of the same table; None where there is none. ``inferred``
    and ``singled_out``: what attacks on a part of it found beyond their control, in thousandths; None if not measured.
    ``person_key``: whether pseudonyms point to people; ``k`` then counts the people who share all classes of one.
    """

    kind: str
    k: int
    l: int  # noqa: E741 - the literature's name
    t: int
    epsilon: int | None
    has_sensitive: bool
    purpose: str
    receivers: tuple[str, ...]
    people: str
    region: str
    days: int
    smallest_overlap: int | None
    inferred: int | None = None
    singled_out: int | None = None
    person_key: bool = False


@dataclass(frozen=True)
class Reason:
    code: str
    detail: str
    sentence: str

    def as_document(self) -> dict[str, Any]:
        return {"code": self.code, "detail": self.detail, "sentence": self.sentence}


@dataclass(frozen=True)
class Verdict:
    """What the policy said: ``revision`` of the bundle, why not, and what the second officer should look at."""

    is_permitted: bool
    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    revision: str


_NONE = Verdict(False, (Reason("policy_missing", "", "No policy is registered that says what may leave."),), (), "none")
Gate = Callable[[Facts], Verdict]
_gate: Gate | None = None


def use(gate: Gate | None) -> None:
    """Register the policy. Called in ``AppConfig.ready()``."""
    global _gate
    _gate = gate


def ask(facts: Facts) -> Verdict:
    """Ask whether a release may leave: refused where no policy is registered."""
    return _NONE if _gate is None else _gate(facts)
