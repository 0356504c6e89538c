"""Counts of ended rollouts, deleted by the record period ``rollout_counts``. What a guard saw stays in its rollout."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from personalization.rollouts.models import RolloutCount
from privacy.retention.own_records import record_periods

KIND = "rollout_counts"


def due(period: timedelta) -> Iterator[tuple[str, int | str]]:
    """Return how many counts are older than a period."""
    yield "Counts by the minute deleted the next night, for good", _older(period).count()


def forget_old() -> int:
    """Delete the counts that are older than they are kept; return their number. Idempotent."""
    return _older(record_periods.period(KIND)).delete()[0]


def _older(period: timedelta) -> QuerySet[RolloutCount]:
    return RolloutCount.objects.filter(rollout__ended_at__lt=timezone.now() - period)
