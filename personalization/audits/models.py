"""Rows of audits: runs with their signed documents, and the cases of the regression set."""

from typing import Any

from django.db import models
from django.db.models import Q

from common.jobs.runs import RunBase
from consent.models import Level
from model_registry.models import Model, ModelVersion


class AuditRun(RunBase):
    """A run of audits on a version's file, from the moment it is asked for.

    ``document``: what was found, ``signature``: the JWS over it. Both are written once, when the run ends.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="audit_runs")
    artifact_sha256 = models.CharField(max_length=64)
    audits = models.JSONField(default=list)
    document = models.JSONField(null=True)
    signature = models.TextField(blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta(RunBase.Meta):
        verbose_name = "audit of a model"
        verbose_name_plural = "audits of models"
        indexes = [models.Index(fields=["version", "-requested_at"], name="personalization_audits_of")]

    def __str__(self) -> str:
        return f"audit of version {self.version_id}, {self.requested_at:%Y-%m-%d}"

    @property
    def has_ended(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)

    @property
    def percent(self) -> int:
        """Return how much of it is done; loading counts as a step."""
        return min(99, 100 * self.steps_done // (len(self.audits) + 1))

    @property
    def results(self) -> dict[str, Any]:
        """Return the result of each audit; empty before the end."""
        found: dict[str, Any] = (self.document or {}).get("results", {})
        return found


class RegressionCase(models.Model):
    """A recorded case: a made-up history with what must and must not be recommended, asked of every version.

    ``history``, ``expected``, ``forbidden`` and ``reasons`` are items by their names in the API, the history oldest
    first.
    """

    slug = models.SlugField(max_length=64, unique=True)
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="regression_cases")
    level = models.CharField(max_length=16, choices=Level, default=Level.INDIVIDUAL)
    region = models.CharField(max_length=8, blank=True)
    age_band = models.CharField(max_length=16, blank=True)
    history = models.JSONField(default=list, blank=True)
    expected = models.JSONField(default=list, blank=True)
    forbidden = models.JSONField(default=list, blank=True)
    reasons = models.JSONField(default=list, blank=True)
    level_used = models.CharField(max_length=16, choices=Level, blank=True)
    note = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "recorded case"
        constraints = [
            models.CheckConstraint(
                name="personalization_case_expects",
                condition=~Q(expected=[], forbidden=[], reasons=[], level_used=""),
            ),
        ]

    def __str__(self) -> str:
        return self.slug
