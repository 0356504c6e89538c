"""A broker that is away is asked once, and nobody waits for it again until the pause is over."""

import pytest
from celery.contrib.django.task import DjangoTask
from kombu.exceptions import OperationalError

from common.jobs import best_effort_task
from privacy.tasks import run_disposals


@pytest.fixture
def clock(monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(best_effort_task.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(best_effort_task.BestEffortTask, "_away_until", 0.0)
    return now


@pytest.fixture
def asked(monkeypatch):
    calls = []

    def refuse(self, *args, **options):
        calls.append(self.name)
        raise OperationalError("no socket")

    monkeypatch.setattr(DjangoTask, "apply_async", refuse)
    return calls


def test_disposals_are_left_to_the_sweep_while_the_broker_is_away(clock, asked):
    assert run_disposals.delay("a") is None
    assert run_disposals.delay("b") is None

    assert asked == ["privacy.tasks.run_disposals"]


def test_the_broker_is_asked_again_after_the_pause(clock, asked):
    run_disposals.delay("a")
    clock[0] += best_effort_task.PAUSE_S

    run_disposals.delay("b")

    assert len(asked) == 2
