"""Panel of a model version: how many of its outputs were reviewed, and how far reviewers agree."""

from django.urls import reverse
from django.utils.html import format_html

from common.admin_pages.display import NOTHING, table
from model_registry.models import ModelVersion
from model_registry.pages.panels import Panel
from model_registry.reviews.models import Review
from model_registry.reviews.verdicts import figures
from model_registry.reviews.verdicts.kappa import Agreement


def _draw(version: ModelVersion) -> str:
    found = figures.of(Review.objects.filter(version=version))
    if found.is_empty:
        return ""
    counts = found.counts
    rows = [
        ("Waiting", counts.get(Review.State.WAITING, 0)),
        ("Approved", counts.get(Review.State.APPROVED, 0)),
        ("Changed", counts.get(Review.State.CHANGED, 0)),
        ("Rejected", counts.get(Review.State.REJECTED, 0)),
        ("Agreement of two reviewers (Cohen's kappa)", in_words(found.agreement)),
    ]
    return format_html('{}<p><a href="{}">All reviews</a></p>', table(rows), reverse("reviews"))


def in_words(agreement: Agreement) -> str:
    """Return kappa with its interval, and the number of outputs behind it."""
    if agreement.kappa is None:
        return agreement.why or NOTHING
    pairs = f"{agreement.pairs} output{'' if agreement.pairs == 1 else 's'} judged twice"
    if agreement.interval is None:
        return f"{agreement.kappa:.2f}, {pairs}. {agreement.why}"
    low, high = agreement.interval
    return f"{agreement.kappa:.2f} (95 per cent interval {low:.2f} to {high:.2f}), {pairs}"


REVIEWS = Panel("Reviews by people", _draw, order=60)
