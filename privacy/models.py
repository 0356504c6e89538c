"""Retention, disposal and releases: retention periods, deletion runs and their proof, published statistics."""

from datetime import timedelta
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
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


class PrivacyBudget(models.Model):
    """Epsilon that may ever be spent on one data set (differential privacy, basic composition)."""

    data_set = models.SlugField(max_length=64, unique=True)
    epsilon_total = models.DecimalField(max_digits=8, decimal_places=4)
    epsilon_spent = models.DecimalField(max_digits=8, decimal_places=4, default=Decimal(0))

    class Meta:
        ordering = ["data_set"]
        verbose_name = "privacy budget"
        constraints = [
            models.CheckConstraint(
                name="privacy_budget_not_overspent",
                condition=Q(epsilon_spent__gte=0) & Q(epsilon_spent__lte=F("epsilon_total")),
            )
        ]

    def __str__(self) -> str:
        return self.data_set

    @property
    def epsilon_left(self) -> Decimal:
        return self.epsilon_total - self.epsilon_spent


class BudgetSpend(models.Model):
    """One charge against a budget. Append only: written before the noise is drawn, never given back."""

    budget = models.ForeignKey(PrivacyBudget, on_delete=models.PROTECT, related_name="spends")
    release_key = models.CharField(max_length=120, unique=True)
    epsilon = models.DecimalField(max_digits=8, decimal_places=4)
    spent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-spent_at"]
        verbose_name = "budget spend"
        constraints = [models.CheckConstraint(name="privacy_spend_is_positive", condition=Q(epsilon__gt=0))]

    def __str__(self) -> str:
        return f"{self.release_key}: {self.epsilon}"


class Release(models.Model):
    """A published statistic, as published. Append only; the noise is part of it."""

    spend = models.OneToOneField(BudgetSpend, on_delete=models.PROTECT)
    statistic = models.SlugField(max_length=64)
    rows = models.JSONField()
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-published_at"]

    def __str__(self) -> str:
        return f"{self.statistic} {self.published_at:%Y-%m-%d}"
