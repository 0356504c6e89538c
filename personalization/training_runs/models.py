"""Row of a training, from the moment it is asked for."""

from django.db import models
from django.db.models import Q

from common.jobs.runs import RunBase, RunState
from model_registry.models import ModelVersion


class TrainingRun(RunBase):
    """A training of the bundled recommender. Of those that wait or run there is one at most.

    ``version``: the draft that it made; none where no person allows it, or where it failed.
    """

    OPEN = (RunState.WAITING, RunState.RUNNING)

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(RunBase.Meta):
        verbose_name = "training of a model"
        verbose_name_plural = "trainings of models"
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(state__in=("waiting", "running")), name="personalization_one_training"
            )
        ]

    def __str__(self) -> str:
        return f"training of {self.requested_at:%Y-%m-%d %H:%M}"
