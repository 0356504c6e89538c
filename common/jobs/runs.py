"""Rows of runs that a worker carries out: asked for, taken up by one worker, and again after one that was killed."""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.utils import timezone


class RunState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class Runs(models.QuerySet[Any]):
    """Runs of a kind. ``after``: silent for so long, a run's worker was killed."""

    def stalled(self, after: timedelta) -> Self:
        return self.filter(state=RunState.RUNNING, moved_at__lt=timezone.now() - after)

    def without_worker(self, after: timedelta) -> Self:
        """Select runs that a worker may take up: waiting ones, and those of a worker that was killed."""
        return self.filter(state=RunState.WAITING) | self.stalled(after)

    def take(self, pk: uuid.UUID | str, *, after: timedelta) -> Any | None:
        """Return a run as this worker's own; None where another one has it, or it has ended."""
        taken_up = {"state": RunState.RUNNING, "moved_at": timezone.now(), "steps_done": 0}
        return self.get(pk=pk) if self.without_worker(after).filter(pk=pk).update(**taken_up) else None


class RunBase(models.Model):
    """Columns of a run. ``moved_at``: its last sign of life."""

    State = RunState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    state = models.CharField(max_length=8, choices=RunState, default=RunState.WAITING)
    step = models.CharField(max_length=32, blank=True)
    steps_done = models.PositiveSmallIntegerField(default=0)
    author = models.CharField(max_length=160)
    requested_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    objects = Runs.as_manager()

    class Meta:
        abstract = True
        ordering = ["-requested_at"]

    def move(self, step: str, done: int) -> None:
        """Note a step that begins, after so many that are done."""
        self.step, self.steps_done, self.moved_at = step, done, timezone.now()
        self.save(update_fields=["step", "steps_done", "moved_at"])
