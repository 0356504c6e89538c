"""Register of feature definitions: a row a version of a feature."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

_NAME = "[a-z][a-z0-9_]{0,39}"


class Feature(models.Model):
    """Version of a feature of a person: which of their events it is computed from, how, and under which purpose.

    What a version computes never changes; a change is the next version. Of a name the newest version that may be used
    is in force: to switch it off is the way back to the one before.
    """

    class Kind(models.TextChoices):
        COUNT = "count", "Number of events"
        ITEMS = "items", "Number of different items"
        SINCE = "since", "Seconds since the latest event"

    name = models.CharField(max_length=40, validators=[RegexValidator(f"^{_NAME}$")])
    version = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    events = ArrayField(models.CharField(max_length=8))
    # Without one, everything before the moment counts.
    window_days = models.PositiveSmallIntegerField(null=True, blank=True)
    purpose = models.CharField(max_length=64)
    freshness_s = models.PositiveIntegerField()
    owner = models.CharField(max_length=150)
    description = models.CharField(max_length=200, blank=True)
    in_use = models.BooleanField(default=True)

    class Meta:
        ordering = ["name", "-version"]
        verbose_name = "feature"
        verbose_name_plural = "features"
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="personalization_feature_version"),
            models.CheckConstraint(
                name="personalization_feature_numbers",
                condition=Q(version__gte=1)
                & Q(freshness_s__gte=1)
                & (Q(window_days=None) | Q(window_days__range=(1, 3660))),
            ),
            models.CheckConstraint(
                name="personalization_feature_name", condition=Q(name__regex=f"^{_NAME}$") & ~Q(events=[])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"
