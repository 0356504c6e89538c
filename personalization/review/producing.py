"""What a person would be recommended now, for a review that the person asked for."""

from uuid import UUID

from django.conf import settings

from common import actors
from model_registry.reviews.kinds import Kind
from model_registry.reviews.outputs.holding import Made
from personalization import proxy
from personalization.models import Event
from personalization.review import outputs
from personalization.serving.requests import RecommendationRequest
from policies.admin.decision_log import facts

_USUAL = "recommendations"


def produce(subject_ref: UUID) -> Made | None:
    """Return the list of the first purpose for which the person is shown one of their own. The decision is logged."""
    used = Event.objects.filter(subject_ref=subject_ref).order_by().values_list("purpose", flat=True).distinct()
    for purpose in dict.fromkeys([_USUAL, *sorted(used)]):
        wanted = RecommendationRequest(
            subject_ref=subject_ref, purpose=purpose, processing_region=settings.PROCESSING_REGION
        )
        made = proxy.make(wanted, caller=actors.job("reviews"))
        if made.output is not None:
            return made.output()
    return None


RECOMMENDATIONS = Kind(
    slug=outputs.KIND,
    title="Recommendations",
    template="admin/reviews/recommendations.html",
    edit=outputs.edit,
    masked=outputs.masked,
    produce=produce,
    facts=facts.in_groups,
)
