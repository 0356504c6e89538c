"""Figures of reviews: how many, how long they took, what came of them, and how far reviewers agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from django.db.models import Count, QuerySet

from model_registry.reviews.models import Review, Verdict
from model_registry.reviews.verdicts.kappa import Agreement, cohens_kappa

State = Review.State
_MOST = 10_000  # reviews that were decided last


@dataclass(frozen=True)
class Figures:
    """Counts by state, the median time to a decision, and the agreement of first and second verdicts."""

    counts: dict[str, int]
    taken: timedelta | None
    agreement: Agreement

    @property
    def decided(self) -> int:
        return sum(self.counts.get(state, 0) for state in Review.DECIDED)

    @property
    def is_empty(self) -> bool:
        return not self.counts


def of(reviews: QuerySet[Review]) -> Figures:
    """Return the figures of some reviews, in three statements. Verdicts count once their review is decided."""
    counts = dict(reviews.order_by().values_list("state").annotate(number=Count("pk")))
    decided = reviews.filter(state__in=Review.DECIDED).order_by("-decided_at")
    moments = decided.values_list("opened_at", "decided_at")[:_MOST]
    spans = [(after - before).total_seconds() for before, after in moments if after]
    taken = timedelta(seconds=round(median(spans))) if spans else None
    return Figures(counts, taken, cohens_kappa(_pairs(decided)))


def _pairs(decided: QuerySet[Review]) -> Sequence[tuple[str, str]]:
    """Return the kinds of the first and the second verdict of each review that had two."""
    newest = decided.filter(verdicts__place=2).values("pk")[:_MOST]
    verdicts = Verdict.objects.filter(review__in=newest, place__in=(1, 2)).order_by("review", "place")
    found: dict[object, list[str]] = {}
    for review, kind in verdicts.values_list("review", "kind"):
        found.setdefault(review, []).append(kind)
    return [(first, second) for first, second in found.values()]
