"""Counts of rollouts go by the record period, those of open ones never."""

from datetime import timedelta

import pytest
from django.utils import timezone

from model_registry.models import ModelVersion
from personalization.models import ModelRollout, RolloutCount
from personalization.monitors import running
from personalization.rollouts import ageing, counting
from personalization.rollouts.counting import Answer
from tests.helpers.model_rollouts import start

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("days", "left"), [(None, 1), (59, 1), (61, 0)])
def test_counts_go_so_long_after_the_end_of_their_rollout(candidate: ModelVersion, days: int | None, left: int) -> None:
    rollout = start(candidate)
    counting.count(rollout.pk, counting.Side.LIVE, Answer(level="individual"))
    ended_at = None if days is None else timezone.now() - timedelta(days=days)
    ModelRollout.objects.filter(pk=rollout.pk).update(ended_at=ended_at)

    assert dict(ageing.due(timedelta(days=60))) == {"Counts by the minute deleted the next night, for good": 1 - left}
    assert (ageing.forget_old(), RolloutCount.objects.count()) == (1 - left, left)


def test_the_daily_run_of_the_monitors_leaves_counts_to_their_record_period(candidate: ModelVersion) -> None:
    rollout = start(candidate)
    counting.count(rollout.pk, counting.Side.LIVE, Answer(level="individual"))
    ModelRollout.objects.filter(pk=rollout.pk).update(ended_at=timezone.now() - timedelta(days=300))

    running.run()

    assert RolloutCount.objects.count() == 1
