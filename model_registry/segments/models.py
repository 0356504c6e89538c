from django.db import models
from django.db.models import Q
from django.utils import timezone


class StoppedSegment(models.Model):
    """A segment of a version that is off: it stands in the bundle, so no person is served by it from there on.

    A row is added protectively, by a job or an officer, and goes only with two officers. It is about one version: the
    next one is trained without a segment that is too small.
    """

    model = models.ForeignKey("model_registry.Model", on_delete=models.PROTECT, related_name="stopped_segments")
    version = models.PositiveIntegerField()
    segment = models.CharField(max_length=120)
    reason = models.CharField(max_length=200)
    stopped_on = models.DateField(default=timezone.localdate)

    class Meta:
        ordering = ["model", "version", "segment"]
        verbose_name = "stopped segment"
        constraints = [
            models.UniqueConstraint(fields=["model", "version", "segment"], name="model_registry_stopped_once"),
            models.CheckConstraint(name="model_registry_stopped_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.segment} of {self.model.slug}@{self.version}"
