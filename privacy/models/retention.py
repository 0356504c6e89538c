"""Retention periods, deletion plans, deletion runs and the proof of what they removed."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.admin_pages.display import in_days
from common.identifiers import uuid7
from consent.models import Purpose
from oversight.models import Approval


class RetentionSchedule(models.Model):
    """How long a data set is kept: from when its time counts, for how long, what happens then, and for which law.

    A legal minimum (action ``keep``) is a row like any other: what it names is kept for as long, whatever else is due.
    """

    class Trigger(models.TextChoices):
        RECEIVED = "received", "It was received"
        ACTIVITY = "last_activity", "The person was last active"
        CONTRACT = "contract_end", "The contract ended"
        WITHDRAWAL = "withdrawal", "The last permission was withdrawn"
        WINDOW = "window", "Newer entries of the person push it out"

    class Action(models.TextChoices):
        DELETE = "delete", "Delete"
        ANONYMISE = "anonymise", "Anonymise"
        AGGREGATE = "aggregate", "Keep counts of groups, and delete"
        SHRED = "crypto_shred", "Destroy the person's key"
        KEEP = "keep", "Keep at least that long (legal minimum)"

    slug = models.SlugField(max_length=64, unique=True)
    purpose = models.ForeignKey(
        Purpose, on_delete=models.PROTECT, null=True, blank=True, related_name="retention_schedules"
    )
    data_set = models.CharField(max_length=64, default="events")
    trigger = models.CharField(max_length=16, choices=Trigger, default=Trigger.RECEIVED)
    retain_for = models.DurationField(null=True, blank=True)
    keep_last = models.PositiveIntegerField(null=True, blank=True)
    action = models.CharField(max_length=16, choices=Action, default=Action.DELETE)
    kinds = models.JSONField(default=list, blank=True)
    jurisdiction = models.CharField(max_length=32, blank=True, default="")
    ground = models.CharField(max_length=200, blank=True, default="")
    undo_days = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["purpose", "slug"]
        verbose_name = "retention schedule"
        constraints = [
            models.CheckConstraint(
                name="privacy_retention_is_a_day",
                condition=Q(retain_for__isnull=False, retain_for__gte=timedelta(days=1), keep_last=None)
                & ~Q(trigger="window")
                | Q(trigger="window", retain_for=None, keep_last__isnull=False, keep_last__gte=1),
            ),
            models.CheckConstraint(name="privacy_undo_is_a_month", condition=Q(undo_days__lte=31)),
            models.UniqueConstraint(
                fields=["purpose", "data_set", "trigger", "jurisdiction"],
                condition=~Q(action="keep"),
                nulls_distinct=False,
                name="privacy_retention_once",
                violation_error_message=(
                    "There is a schedule of this purpose, data set, trigger and jurisdiction already. Change that one."
                ),
            ),
        ]

    def __str__(self) -> str:
        kept = f"the last {self.keep_last or 0:,}" if self.retain_for is None else in_days(self.retain_for)
        return f"{self.purpose or 'Every purpose'}: {kept}"

    def save(self, *args: Any, **options: Any) -> None:
        self._name()
        super().save(*args, **options)

    def clean(self) -> None:
        self._name()

    def _name(self) -> None:
        """Name a schedule that has no reference after its purpose."""
        if not self.slug and self.purpose is not None:
            self.slug = self.purpose.slug

    @property
    def is_legal_minimum(self) -> bool:
        return self.action == self.Action.KEEP


class ContractEnd(models.Model):
    """When a person's contract ended, as the business said: what schedules with that trigger count from."""

    subject_ref = models.UUIDField(primary_key=True)
    ended_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "end of a contract"
        verbose_name_plural = "ends of contracts"

    def __str__(self) -> str:
        return f"{self.ended_at:%Y-%m-%d}"


class DeletionPlan(models.Model):
    """What a retention run will delete, frozen and signed before anything goes. Approved as it is, or refused."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Waits for approval"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, null=True)
    schedule = models.CharField(max_length=64)
    before = models.DateTimeField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    signature = models.TextField()
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    author = models.CharField(max_length=160)
    author_account = models.BigIntegerField(null=True)
    # Verdict of an officer; none where the schedule alone approved it, or its author withdrew it.
    decision = models.ForeignKey(Approval, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-made_at"]
        verbose_name = "deletion plan"
        permissions = [("approve_deletionplan", "Can approve deletion plans")]
        constraints = [
            models.CheckConstraint(
                name="privacy_plan_approved",
                condition=~Q(state="approved") | Q(decision__isnull=False) | Q(document__blockers=[]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose or self.schedule}: {self.due:,} rows"

    @property
    def about(self) -> str:
        """What the plan is named by in the audit trail."""
        return self.purpose.slug if self.purpose else self.schedule

    @property
    def due(self) -> int:
        return sum(each["due"] for each in self.document["data_sets"].values())

    @property
    def blockers(self) -> list[str]:
        """What keeps the plan from running without an officer's approval."""
        return list(self.document["blockers"])


class DeletionSwitch(models.Model):
    """Stop of every retention run, until an officer lifts it. One row: there is one switch."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    actor = models.CharField(max_length=160)
    reason = models.CharField(max_length=500)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "stop of retention runs"
        verbose_name_plural = "stops of retention runs"
        constraints = [models.CheckConstraint(name="privacy_switch_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"stopped by {self.actor}"


class Disposal(models.Model):
    """One deletion run: reason, progress, what it removed, and the manifest that proves it."""

    class Reason(models.TextChoices):
        WITHDRAWAL = "withdrawal", "Consent withdrawn"
        RETENTION = "retention", "Retention ended"

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Done"

    OPEN = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reason = models.CharField(max_length=12, choices=Reason)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, null=True)
    schedule = models.CharField(max_length=64, blank=True, default="", db_default="")
    terms = models.JSONField(default=dict, db_default={})
    plan = models.OneToOneField(DeletionPlan, on_delete=models.PROTECT, null=True, related_name="run")
    subject_ref = models.UUIDField(null=True)
    record_id = models.UUIDField(null=True, unique=True)  # the withdrawal it follows; one disposal each
    before = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    why_stopped = models.CharField(max_length=500, blank=True)
    removed = models.JSONField(default=dict)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    undo_until = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-queued_at"]
        verbose_name = "deletion run"
        permissions = [("control_disposal", "Can pause and stop deletion runs")]
        indexes = [
            models.Index(fields=["queued_at"], condition=~Q(status="done"), name="privacy_disposal_open"),
            models.Index(fields=["subject_ref", "-queued_at"], name="privacy_disposal_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.purpose or self.schedule}"

    @property
    def about(self) -> str:
        """What the run is named by in the audit trail, where it is not about one person."""
        return self.purpose.slug if self.purpose else self.schedule

    @property
    def total_removed(self) -> int:
        return sum(self.removed.values())


class DisposalBatch(models.Model):
    """Deletions of one transaction: digests of the keys, never the data. Append only.

    ``keys`` are binary, 16 bytes each. ``reached`` and ``reached_key`` are where the next batch goes on; without them
    the pass over the store was complete. ``key_digests`` is what releases before binary manifests wrote instead.
    """

    disposal = models.ForeignKey(Disposal, on_delete=models.PROTECT, related_name="batches")
    store = models.CharField(max_length=64)
    key_digests = models.JSONField(null=True)
    number = models.PositiveIntegerField(null=True)
    rows = models.PositiveIntegerField(null=True)
    keys = models.BinaryField(null=True)
    reached = models.DateTimeField(null=True)
    reached_key = models.CharField(max_length=128, blank=True)

    class Meta:
        verbose_name = "deletion batch"
        verbose_name_plural = "deletion batches"
        constraints = [
            models.UniqueConstraint(fields=["disposal", "number"], name="privacy_batch_number"),
            models.CheckConstraint(
                name="privacy_batch_has_keys", condition=Q(key_digests__isnull=True) ^ Q(keys__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rows or len(self.key_digests or ())} rows of {self.store}"


class UndoPart(models.Model):
    """Rows of one batch, compressed and encrypted under the run's key, until the run can no longer be undone."""

    disposal = models.ForeignKey(Disposal, on_delete=models.PROTECT, related_name="undo_parts")
    number = models.PositiveIntegerField()
    store = models.CharField(max_length=64)
    sealed = models.BinaryField()

    class Meta:
        verbose_name = "undo part"
        constraints = [models.UniqueConstraint(fields=["disposal", "number"], name="privacy_undo_number")]

    def __str__(self) -> str:
        return f"part {self.number}"
