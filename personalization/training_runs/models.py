"""Row of a training, from the moment it is asked for."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from model_registry.models import ModelVersion


class TrainingRun(models.Model):
    """A training of the bundled recommender. Of those that wait or run there is one at most.

    ``version``: the draft that it made; none where nobody allows it, or where it failed.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    OPEN = (State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    step = models.CharField(max_length=32, blank=True)
    steps_done = models.PositiveSmallIntegerField(default=0)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    author = models.CharField(max_length=160)
    requested_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)  # the last sign of life of a run
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-requested_at"]
        verbose_name = "training of a model"
        verbose_name_plural = "trainings of models"
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(state__in=("waiting", "running")), name="personalization_one_training"
            )
        ]

    def __str__(self) -> str:
        return f"training of {self.requested_at:%Y-%m-%d %H:%M}"
