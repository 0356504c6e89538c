"""Work that reviews give: one item for each output that waits, escalated when it is late."""

from datetime import timedelta
from typing import Any

from django.urls import reverse

from model_registry.reviews.models import Review
from oversight.models import WorkItem
from oversight.work.kinds import Kind

RIGHT = "reviews.change_review"


def _describe(object_name: str) -> str:
    review = Review.objects.select_related("version__model").get(pk=object_name)
    by = f" by {review.version}" if review.version else ""
    asked = ", asked for by the person" if review.request_id else ""
    return f"{review.kind.capitalize()} for {review.purpose}{by}{asked}. The general list is shown until then."


def _may_see(item: WorkItem, user: Any) -> bool:
    """Return whether the work can still be this officer's: who gave a verdict has done it."""
    return not Review.objects.filter(pk=item.object, verdicts__account=user.pk).exists()


REVIEW = Kind(
    slug="output-review",
    title="Output to review",
    due=timedelta(days=3),
    permission=RIGHT,
    url=lambda name: reverse("review", args=[name]),
    describe=_describe,
    may_see=_may_see,
)
