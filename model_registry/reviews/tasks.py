"""Regular jobs of reviews."""

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from common import actors
from model_registry.reviews.models import Output, Review
from model_registry.reviews.outputs import holding
from privacy.rights.requests.states import OPEN

_AT_ONCE = 1_000
JOB = actors.job("reviews")


@shared_task(ignore_result=True)
def sweep_reviews() -> None:
    """End reviews whose output is gone or whose request was answered, and forget outputs whose time is over."""
    waiting = Review.objects.filter(state=Review.State.WAITING)
    for pk in waiting.filter(output=None).values_list("pk", flat=True)[:_AT_ONCE]:
        holding.void(pk, Review.Why.ERASED, actor=JOB)
    answered = waiting.exclude(Q(request=None) | Q(request__state__in=OPEN))
    for pk in answered.values_list("pk", flat=True)[:_AT_ONCE]:
        holding.void(pk, Review.Why.ANSWERED, actor=JOB)
    Output.objects.filter(review__serves_until__lte=timezone.now()).delete()
