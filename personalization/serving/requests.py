"""What is asked of the proxy, and what it answers."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec

from consent.signals import NO_SIGNALS, Signals
from model_registry.reviews.outputs.holding import Made
from personalization.rules.hidden import Viewer
from personalization.rules.masked import Fields, without
from personalization.serving import wording
from personalization.serving.wording import Worded
from policies.decisions.evaluate import Decision


class RecommendationRequest(msgspec.Struct, frozen=True, kw_only=True):
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


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


class Written(NamedTuple):
    """Items of an answer: which they are, and all that is said of them as JSON.

    One text is held and sent again for less than hundreds of objects, which each search for garbage looks at.
    """

    ids: tuple[str, ...]
    text: msgspec.Raw

    @classmethod
    def of(cls, items: list[dict[str, Any]]) -> "Written":
        return cls(tuple([item["item"] for item in items]), msgspec.Raw(_encode(items)))

    @classmethod
    def worded(cls, items: Sequence[Worded]) -> "Written":
        ids, texts = zip(*items, strict=True) if items else ((), ())
        return cls(ids, msgspec.Raw(f"[{','.join(texts)}]".encode()))

    def items(self) -> list[dict[str, Any]]:
        return _decode(self.text)


class Recommendations(msgspec.Struct, frozen=True):
    """What was served, at which level, by which decision. ``output``: what a person may have to review first."""

    level: str
    written: Written
    decision: Decision
    model: str | None
    fallback: str | None = None
    took_us: int | None = None  # of the engine
    output: Callable[[], Made] | None = None
    left_out: int | None = None  # of the candidates, where the caller gave them
    is_held: bool = False  # outputs about the person are kept for a review
    masked: Fields = frozenset()  # what its decision keeps out of it, once it is shown

    def masking(self, fields: Fields) -> Self:
        """Return the answer without these fields of its items."""
        if not fields:
            return self
        return msgspec.structs.replace(self, written=Written.of(without(self.items, fields)))

    @property
    def items(self) -> list[dict[str, Any]]:
        return self.written.items()

    def body(self) -> bytes:
        """Return the document as JSON."""
        return _encode(self._document(self.written.text))

    def document(self) -> dict[str, Any]:
        return self._document(self.items)

    def _document(self, items: Any) -> dict[str, Any]:
        return {
            "level": self.level,
            "permitted_level": self.decision.level,
            "decision_id": self.decision.id,
            "reasons": wording.decided(self.decision),
            "model": self.model,
            "fallback": self.fallback,
            "items": items,
            **({} if self.left_out is None else {"left_out": self.left_out}),
            "profiled": self.level != "none",
            "bundle_revision": self.decision.bundle_revision,
            "subject_revision": self.decision.subject_revision,
        }
