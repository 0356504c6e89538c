"""Hold an output back: the terms of the rules that mark it, and the review with its work item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import trail
from model_registry.models import ModelVersion
from model_registry.reviews import work
from model_registry.reviews.models import Output, Review
from model_registry.reviews.outputs import sealing
from oversight.work import items
from privacy.rights.models import RightsRequest

REQUESTED_SERVE_HOURS = 24 * 30


@dataclass(frozen=True, kw_only=True)
class Made:
    """Output as its maker has it: about whom, by which decision and model, and how sure the model is, in per cent."""

    kind: str
    subject_ref: UUID
    purpose: str
    model: str
    artifact_sha256: str
    level: str
    decision_id: str
    revision: int
    asked: str
    content: Mapping[str, Any]
    confidence: int


@dataclass(frozen=True)
class Terms:
    """Terms of a review: the strictest of each that the rules name."""

    rules: tuple[str, ...]
    four_eyes: bool
    due: timedelta
    serve_hours: int

    @classmethod
    def of(cls, marks: Iterable[Mapping[str, Any]], confidence: int) -> Self | None:
        """Return the terms of the rules that mark an output of this confidence; None where none does.

        A member that is missing counts as its strictest.
        """
        found = [mark for mark in marks if _is_marked(mark, confidence)]
        if not found:
            return None
        return cls(
            tuple(sorted(str(mark.get("rule", "")) for mark in found)),
            any(mark.get("four_eyes", True) for mark in found),
            timedelta(hours=min(mark.get("due_hours", 1) for mark in found)),
            min(mark.get("serve_hours", 1) for mark in found),
        )


def _is_marked(mark: Mapping[str, Any], confidence: int) -> bool:
    limit = mark.get("confidence_below")
    return limit is None or confidence < limit


@transaction.atomic
def hold(made: Made, terms: Terms, *, actor: str, request: RightsRequest | None = None) -> Review:
    """Open a review of an output. Raises IntegrityError where one of the same person and decision is held already."""
    review = Review(
        kind=made.kind, purpose=made.purpose, version=_version(made.model), level=made.level, rules=list(terms.rules),
        four_eyes=terms.four_eyes, serve_hours=terms.serve_hours, request=request,
    )  # fmt: skip
    output = Output(
        review=review, kind=made.kind, subject_ref=made.subject_ref, purpose=made.purpose, asked=made.asked,
        decision_id=made.decision_id, revision=made.revision, artifact_sha256=made.artifact_sha256,
    )  # fmt: skip
    review.digest = sealing.digest(made.content, output)
    review.save(force_insert=True)
    output.sealed = sealing.seal(made.content, review)
    output.save(force_insert=True)
    items.open_item(work.REVIEW.slug, str(review.pk), actor=actor, due_at=timezone.now() + terms.due)
    details = {"kind": review.kind, "purpose": review.purpose, "rules": review.rules, "digest": review.digest}
    trail.record("review.opened", f"review {review.pk}", actor=actor, details=details)
    return review


@transaction.atomic
def void(pk: UUID, why: str, *, actor: str) -> None:
    """End a review whose output must not be shown; what was approved of it counts no longer. The output goes."""
    review = Review.objects.select_for_update(of=("self",)).get(pk=pk)
    Output.objects.filter(review=review).delete()
    if review.state == Review.State.VOID:
        return
    before, review.state, review.why_void = review.state, Review.State.VOID, why
    review.save(update_fields=["state", "why_void"])
    item = items.find_open(work.REVIEW.slug, str(pk))
    if item is not None:
        items.void(item, actor=actor, outcome=review.get_why_void_display())
    trail.record("review.void", f"review {pk}", actor=actor, details={"before": before, "why": str(why)})


def _version(model: str) -> ModelVersion | None:
    slug, _, number = model.rpartition("@")
    return ModelVersion.objects.filter(model__slug=slug, version=int(number)).first() if number.isdigit() else None
