"""What is asked of the proxy, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self
from uuid import UUID

from consent.signals import NO_SIGNALS, Signals
from model_registry.reviews.outputs.holding import Made
from personalization.rules.hidden import Viewer
from personalization.rules.masked import Fields, without
from personalization.serving import wording
from policies.decisions.evaluate import Decision


@dataclass(frozen=True, kw_only=True)
class RecommendationRequest:
    """A service's request for one person."""

    subject_ref: UUID
    is_visitor: bool = False  # without a record; the subject is NO_SUBJECT then
    purpose: str = "recommendations"
    requested_level: str = "individual"
    count: int = 10
    session: tuple[str, ...] = ()
    signals: Signals = NO_SIGNALS
    non_profiled: bool = False
    region: str | None = None
    age_band: str | None = None
    processing_region: str
    data_categories: tuple[str, ...] = ("purchases", "ratings", "views")
    candidates: tuple[str, ...] | None = None  # the only items to rank, each once
    seen_by: Viewer | None = None  # who it is made for, once that is known

    @property
    def asked_level(self) -> str:
        return "none" if self.non_profiled else self.requested_level


@dataclass(frozen=True)
class Recommendations:
    """What was served, at which level, by which decision. ``output``: what a person may have to review first."""

    level: str
    items: list[dict[str, Any]]
    decision: Decision
    model: str | None
    fallback: str | None = None
    took_us: int | None = None  # of the engine
    notes: list[str] = field(default_factory=list)
    output: Callable[[], Made] | None = None
    left_out: int | None = None  # of the candidates, where the caller gave them
    is_held: bool = False  # outputs about the person are kept for a review
    masked: Fields = frozenset()  # what its decision keeps out of it, once it is shown

    def masking(self, fields: Fields) -> Self:
        """Return the answer without these fields of its items."""
        return replace(self, items=without(self.items, fields)) if fields else self

    def document(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "permitted_level": self.decision.level,
            "decision_id": self.decision.id,
            "reasons": wording.decided(self.decision),
            "model": self.model,
            "fallback": self.fallback,
            "items": self.items,
            **({} if self.left_out is None else {"left_out": self.left_out}),
            "profiled": self.level != "none",
            "bundle_revision": self.decision.bundle_revision,
            "subject_revision": self.decision.subject_revision,
        }
