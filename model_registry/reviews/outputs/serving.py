"""What may be shown to a person of an output that may be under review: itself, what was approved, or nothing yet.

An approval counts for its person only, while the consent, the model and its file are those of the output, and until its
time is over. It is read again at each request, so a change of one of them counts at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from common import actors
from model_registry.models import ModelVersion
from model_registry.reviews.models import Output, Review, Verdict
from model_registry.reviews.outputs import holding, sealing
from model_registry.reviews.outputs.holding import Made, Terms
from privacy.rights.requests.states import OPEN

State = Review.State
JOB = actors.job("reviews")
# A person whose facts go to and fro (a signal in one browser, none in another) has a review of each; of no more.
MOST_WAITING = 3


class Show(StrEnum):
    """What is shown: the output as it was made, what a reviewer approved, or nothing about the person."""

    MADE = "made"
    APPROVED = "approved"
    AWAITING_REVIEW = "awaiting_review"
    REJECTED = "rejected_by_review"


@dataclass(frozen=True)
class Shown:
    show: Show
    content: Mapping[str, Any] | None = None


def resolve(made: Made, marks: Sequence[Mapping[str, Any]], *, now: datetime | None = None) -> Shown:
    """Return what may be shown now; opens a review where the output is marked and none is open."""
    moment = now or timezone.now()
    terms = Terms.of(marks, made.confidence)
    held = [each for each in _held(made) if _stands(each, made, moment)]
    found = _about(held, made, is_marked=terms is not None)
    if found is not None:
        return _of(found, moment)
    if terms is None:
        return Shown(Show.MADE)
    if sum(each.review.state == State.WAITING for each in held) < MOST_WAITING:
        _hold(made, terms)
    return Shown(Show.AWAITING_REVIEW)


def _held(made: Made) -> Iterable[Output]:
    """Return what is held about the person, in one statement."""
    query = Output.objects.filter(subject_ref=made.subject_ref, purpose=made.purpose, kind=made.kind)
    return query.select_related("review__version__model", "review__request").order_by("made_at")


def _stands(output: Output, made: Made, now: datetime) -> bool:
    """Return whether a review still counts. What is over goes; what was overtaken is void."""
    review = output.review
    if review.serves_until is not None and review.serves_until <= now:
        output.delete()
        return False
    why = _ended(output, made)
    if why:
        holding.void(review.pk, why, actor=JOB)
    return not why


def _ended(output: Output, made: Made) -> str:
    review, version = output.review, output.review.version
    is_same = (
        output.revision == made.revision
        and output.artifact_sha256 == made.artifact_sha256
        and version is not None
        and str(version) == made.model
        # A version that was suspended or replaced in between is not the one the output came from.
        and version.status in ModelVersion.SERVING
        and version.status_changed_at <= output.made_at
    )
    if not is_same:
        return Review.Why.OVERTAKEN
    request = review.request
    if review.state == State.WAITING and request is not None and request.state not in OPEN:
        return Review.Why.ANSWERED
    return ""


def _about(held: Sequence[Output], made: Made, *, is_marked: bool) -> Output | None:
    """Return the review that decides: the person's own where it waits or said no, else that of the same question."""
    for each in held:
        review = each.review
        if review.request_id and (review.state in (State.WAITING, State.REJECTED) or each.asked == made.asked):
            return each
    same = (each for each in held if each.asked == made.asked)
    return next(same, None) if is_marked else None


def _of(output: Output, now: datetime) -> Shown:
    state = output.review.state
    if state == State.REJECTED:
        return Shown(Show.REJECTED)
    if state in (State.APPROVED, State.CHANGED):
        content = approved(output)
        if content is not None:
            return Shown(Show.APPROVED, content)
        holding.void(output.pk, Review.Why.ALTERED, actor=JOB)
    return Shown(Show.AWAITING_REVIEW)


def approved(output: Output) -> Mapping[str, Any] | None:
    """Return what the verdict that decided lets be shown; None where it is not what the reviewer saw."""
    verdict = output.review.verdicts.select_related("text").order_by("-place").first()
    content = sealing.intact(output)
    if verdict is None or content is None or verdict.digest != output.review.digest:
        return None
    if verdict.kind == Verdict.Kind.CHANGE:
        written = sealing.unseal(verdict.text.sealed, output.review)
        content = written["content"] if written else None
    if content is None or sealing.digest(content, output) != verdict.result:
        return None
    return content


def _hold(made: Made, terms: Terms) -> None:
    """Open a review; another request of the same instant may have opened it."""
    try:
        with transaction.atomic():
            holding.hold(made, terms, actor=JOB)
    except IntegrityError:
        pass
