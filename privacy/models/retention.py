"""Retention periods, deletion runs and the proof of what they removed."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.identifiers import uuid7
from consent.models import Purpose


class RetentionSchedule(models.Model):
    """Retention period of a purpose's data, counted from when it was received."""

    purpose = models.OneToOneField(Purpose, on_delete=models.PROTECT, related_name="retention")
    retain_for = models.DurationField(help_text="Days, counted from when the data was received.")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["purpose"]
        verbose_name = "retention schedule"
        constraints = [
            models.CheckConstraint(name="privacy_retention_is_positive", condition=Q(retain_for__gt=timedelta(0)))
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.retain_for.days} days"


class Disposal(models.Model):
    """One deletion run: reason, progress, what it removed, and the manifest that proves it."""

    class Reason(models.TextChoices):
        WITHDRAWAL = "withdrawal", "Consent withdrawn"
        RETENTION = "retention", "Retention ended"

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reason = models.CharField(max_length=12, choices=Reason)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT)
    subject_ref = models.UUIDField(null=True)
    record_id = models.UUIDField(null=True, unique=True)  # the withdrawal it follows; one disposal each
    before = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    removed = models.JSONField(default=dict)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-queued_at"]
        verbose_name = "deletion run"
        indexes = [
            models.Index(fields=["queued_at"], condition=~Q(status="done"), name="privacy_disposal_open"),
            models.Index(fields=["subject_ref", "-queued_at"], name="privacy_disposal_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.purpose}"

    @property
    def total_removed(self) -> int:
        return sum(self.removed.values())


class DisposalBatch(models.Model):
    """Deletions of one transaction: digests of the keys, never the data. Append only."""

    disposal = models.ForeignKey(Disposal, on_delete=models.PROTECT, related_name="batches")
    store = models.CharField(max_length=64)
    key_digests = models.JSONField()

    class Meta:
        verbose_name = "deletion batch"
        verbose_name_plural = "deletion batches"

    def __str__(self) -> str:
        return f"{len(self.key_digests)} rows of {self.store}"
