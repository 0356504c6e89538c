"""Kinds of rollouts: where that of a policy differs from that of a version of a model."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from common.rollouts.shares import FULL
from oversight.approvals.subjects import Subject
from oversight.models import RolloutBase

R = TypeVar("R", bound=RolloutBase)


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[R]):
    """How a kind of rollout is put in force.

    ``put`` brings the row's share into force after a step, and ``take_out`` ends the candidate, with the figures of the
    guard that did. Both run in the caller's transaction after ``take_turn``, so no reader sees a step without its
    effect.
    """

    slug: str
    take_turn: Callable[[], None]
    running: Callable[[], Iterable[R]]
    subject: Callable[[R], Subject]
    put: Callable[[R, str, str], None]  # rollout, step, actor
    take_out: Callable[[R, str, dict[str, Any] | None], None]  # rollout, actor, figures
    most: int = FULL  # the largest share; all people is what ending it in force is for
