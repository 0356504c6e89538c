"""A person's request for human review: a review of what the person would be shown, whose verdict is the answer.

Where nothing about the person is shown there is no output to look at: an officer decides in words on the request's
page.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from model_registry.reviews import kinds
from model_registry.reviews.models import Output, Review
from model_registry.reviews.outputs import holding
from model_registry.reviews.outputs.holding import REQUESTED_SERVE_HOURS, Made, Terms
from oversight.work import items
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.requests import outcomes
from privacy.rights.requests import work as request_work
from privacy.rights.requests.fulfilling import Figures, Fulfilment

_DECIDED = outcomes.FULFILMENTS[Right.HUMAN_REVIEW]
_RULE = "request-of-the-person"


def carry_out(request: RightsRequest, actor: str, now: datetime) -> bool:
    """Open the review of a request, once; return whether it is decided."""
    review = latest(request)
    if review is None or (review.state == Review.State.VOID and review.why_void == Review.Why.OVERTAKEN):
        _open(request, actor, now)
        return False
    return review.state in Review.DECIDED


def latest(request: RightsRequest) -> Review | None:
    return Review.objects.filter(request=request).order_by("-opened_at", "-pk").first()


def missing(request: RightsRequest, figures: Figures) -> list[str]:
    """Return what is missing of an answer: a verdict, or an officer's decision in words."""
    review = latest(request)
    is_decided = review is not None and review.state in Review.DECIDED
    return [] if is_decided else _DECIDED.missing(request, figures)


def _open(request: RightsRequest, actor: str, now: datetime) -> None:
    for kind in kinds.all_kinds():
        made = kind.produce(request.subject_ref)
        if made is not None:
            _hold(request, made, actor, now)
            return
    Review.objects.create(
        kind="none", purpose="none", level="none", serve_hours=1, request=request, state=Review.State.VOID,
        why_void=Review.Why.NOTHING,
    )  # fmt: skip


def _hold(request: RightsRequest, made: Made, actor: str, now: datetime) -> None:
    """Open a review; one of the same output, that a rule has opened, makes room for the person's own."""
    same = {"subject_ref": made.subject_ref, "purpose": made.purpose, "kind": made.kind, "asked": made.asked}
    try:
        with transaction.atomic():
            for output in Output.objects.filter(**same):
                holding.void(output.pk, Review.Why.OVERTAKEN, actor=actor)
            holding.hold(made, _terms(request, now), actor=actor, request=request)
    except IntegrityError:
        pass  # opened at the same instant; the next sweep finds it, or opens this one


def _terms(request: RightsRequest, now: datetime) -> Terms:
    """Return the terms: due when the request's own work is, so that it can still be answered in time."""
    item = items.find_open(request_work.REQUEST.slug, str(request.pk))
    due = item.due_at - now if item else request_work.AHEAD
    return Terms((_RULE,), False, max(due, timedelta(hours=1)), REQUESTED_SERVE_HOURS)


HUMAN_REVIEW = Fulfilment(missing, carry_out=carry_out)
