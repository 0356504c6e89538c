"""Rows of model rollouts, and counts of the answers of both sides: numbers by the minute, nothing about anyone."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from model_registry.models import ModelVersion
from oversight.models import RolloutBase

MOST_SHARE = 5_000  # half of the people, so that there is always a side to compare with


class ModelRollout(RolloutBase):
    """A version next to the live one. A share of 0 is a shadow: its answers are compared and never shown."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="rollouts")
    live = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    started_account = models.BigIntegerField(null=True)
    share_set_at = models.DateTimeField(default=timezone.now)
    figures = models.JSONField(null=True)  # what the guard that rolled it back had counted

    class Meta(RolloutBase.Meta):
        verbose_name = "rollout of a model"
        verbose_name_plural = "rollouts of models"
        constraints = [
            models.UniqueConstraint(
                name="personalization_one_open_rollout", fields=["version"], condition=Q(state="open")
            ),
            models.CheckConstraint(
                name="personalization_rollout_approved", condition=Q(share=0) | Q(approval__isnull=False)
            ),
            models.CheckConstraint(name="personalization_rollout_share", condition=Q(share__lte=MOST_SHARE)),
        ]

    def __str__(self) -> str:
        return f"rollout of {self.version}"


class RolloutCount(models.Model):
    """Answers of one side in one minute. The arrays count how often each step of a scale occurred.

    They are deleted some weeks after the rollout's end (``monitors.running``).
    """

    class Side(models.TextChoices):
        CANDIDATE = "candidate", "Candidate"
        LIVE = "live", "Live version"
        SHADOW = "shadow", "Candidate, compared and not shown"

    rollout = models.ForeignKey(ModelRollout, on_delete=models.CASCADE, related_name="counts", db_index=False)
    side = models.CharField(max_length=9, choices=Side)
    minute = models.DateTimeField()
    answers = models.PositiveIntegerField()
    fallbacks = models.PositiveIntegerField()
    failures = models.PositiveIntegerField()
    dropped = models.PositiveIntegerField()  # comparisons that were left out under load
    levels = ArrayField(models.PositiveIntegerField())  # by rank, none first
    took = ArrayField(models.PositiveIntegerField())  # by duration: ``counting.BOUNDS_US``
    overlap = ArrayField(models.PositiveIntegerField())  # of a shadow: common items among the first ten, 0 to 10
    agreement = ArrayField(models.PositiveIntegerField())  # of a shadow: rank correlation, -1 to 1 in tenths
    score = ArrayField(models.PositiveIntegerField())  # of a shadow: how far the scores lie apart, 0 to 1 in tenths

    class Meta:
        ordering = ["minute"]
        constraints = [
            models.UniqueConstraint(fields=["rollout", "side", "minute"], name="personalization_rollout_count")
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.minute:%H:%M}"
