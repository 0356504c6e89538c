"""Rows of monitors: what a version was trained on, what it served, and how that compares with its objectives.

None holds a person: distributions in bins, counts of answers and of items shown.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.utils import timezone

from model_registry.models import Model, ModelVersion


class TrainingReference(models.Model):
    """Distributions at the training of a version, which monitors compare with.

    ``inputs``: counts of the events learnt from, by input and value. ``scores``: of the lists the version gives the
    people it learnt from, in the bins of ``monitors.measures.bins``. ``features``: each definition that its snapshot
    has, with how many people are in it and how many of them have no value.
    """

    version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="training_reference")
    inputs = models.JSONField(default=dict)
    scores = models.JSONField(default=list)
    features = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "reference of a training"

    def __str__(self) -> str:
        return f"reference of {self.version_id}"


class ServedCount(models.Model):
    """What a version answered on a day: by name, numbers that processes add up (``monitors.tally`` has the names)."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    name = models.CharField(max_length=100)
    numbers = ArrayField(models.FloatField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "day", "name"], name="personalization_served_once")]
        indexes = [models.Index(fields=["day"], name="personalization_served_day")]

    def __str__(self) -> str:
        return f"{self.name} of {self.version_id} on {self.day}"


class ItemExposure(models.Model):
    """How often a version showed an item on a day. Of the item alone: to whom is not known."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    item = models.CharField(max_length=64)
    shown = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "day", "item"], name="personalization_shown_once")]
        indexes = [models.Index(fields=["day"], name="personalization_shown_day")]

    def __str__(self) -> str:
        return f"{self.item} {self.shown} times"


class MonitorObjective(models.Model):
    """Objective of a monitor in place of its own: for one model, or for all of them. A register.

    ``limit``: in the unit of the monitor. ``suspends_after``: so many measured days in a row beyond it suspend the
    version protectively; empty never does. Switched off, the monitor measures and judges nothing.
    """

    slug = models.SlugField(max_length=64, unique=True)
    monitor = models.CharField(max_length=32)
    model = models.ForeignKey(Model, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    limit = models.DecimalField(max_digits=12, decimal_places=4)
    suspends_after = models.PositiveSmallIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "objective of a monitor"
        verbose_name_plural = "objectives of monitors"
        constraints = [
            models.UniqueConstraint(
                fields=["monitor", "model"], name="personalization_one_objective", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="personalization_objective_days", condition=Q(suspends_after=None) | Q(suspends_after__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class MonitorResult(models.Model):
    """What a monitor found of a version on a day. ``part``: of an input or a level, where it looks at several.

    ``samples``: on how many values it rests. ``p``: the probability without any drift, adjusted for the tests of the
    day. ``limit``: the objective that it was judged by.
    """

    class State(models.TextChoices):
        WITHIN = "within", "Within"
        BEYOND = "beyond", "Beyond"
        TOO_FEW = "too_few", "Too few to say"
        UNKNOWN = "unknown", "Nothing to compare with"
        WATCHED = "watched", "No objective"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    monitor = models.CharField(max_length=32)
    part = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=8, choices=State)
    value = models.FloatField(null=True)
    samples = models.PositiveBigIntegerField(default=0)
    p = models.FloatField(null=True)
    limit = models.FloatField(null=True)
    figures = models.JSONField(default=dict)
    measured_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["version", "-day", "monitor", "part"]
        verbose_name = "result of a monitor"
        verbose_name_plural = "results of monitors"
        constraints = [
            models.UniqueConstraint(fields=["version", "day", "monitor", "part"], name="personalization_measured_once")
        ]
        indexes = [models.Index(fields=["day"], name="personalization_measured_day")]

    def __str__(self) -> str:
        return f"{self.monitor} {self.part} of {self.version_id} on {self.day}"
