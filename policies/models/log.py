"""Decision log: what was answered, chained batch by batch."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class DecisionBatch(models.Model):
    """A Merkle root over the decisions drained together, chained to the batch before. Append only."""

    sequence = models.BigIntegerField(primary_key=True)
    created_at = models.DateTimeField()
    spool = models.CharField(max_length=80)
    decision_count = models.PositiveIntegerField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"batch {self.sequence}"


class Decision(models.Model):
    """One answered decision. Partitioned by day through its time-ordered id. Append only.

    ``entry`` is the line exactly as it was written before the answer left; the other columns serve filters.
    """

    class Outcome(models.TextChoices):
        PERMIT = "permit", "Permitted"
        DENY = "deny", "Not permitted"
        UNKNOWN = "unknown", "Could not be decided"

    id = models.UUIDField(primary_key=True)
    decided_at = models.DateTimeField()
    batch = models.ForeignKey(DecisionBatch, on_delete=models.DO_NOTHING, db_constraint=False, related_name="decisions")
    position = models.PositiveIntegerField()
    subject_tag = models.BinaryField(max_length=16)
    caller = models.CharField(max_length=120)
    action = models.CharField(max_length=16)
    purpose = models.CharField(max_length=64)
    outcome = models.CharField(max_length=8, choices=Outcome)
    level = models.CharField(max_length=16, blank=True)
    reasons = ArrayField(models.CharField(max_length=48))
    bundle_revision = models.CharField(max_length=71)
    shadow = models.JSONField(null=True)  # how the candidate of a rollout would have answered, where it differs
    entry = models.TextField()

    class Meta:
        managed = False  # a partitioned table: made by SQL in the migration
        db_table = "policies_decision"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.outcome} {self.action} {self.purpose}"


class SpoolPosition(models.Model):
    """Progress of copying a spool file; moves in the transaction that stores its lines."""

    name = models.CharField(max_length=80, primary_key=True)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class PeriodKey(models.Model):
    """Key of one month's pseudonyms in the log. Deleted with age: entries older than that cannot be joined."""

    period = models.CharField(max_length=7, primary_key=True)
    key = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.period
