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


class LogCheckpoint(models.Model):
    """Signed end of a part of the decision log that was dropped for its age. Chained, append only.

    ``document`` names the day, what was dropped, up to which batch no decision is left, that batch's digest, and what
    was exported. ``digest`` is that of the document, which also names the checkpoint before.
    """

    number = models.BigIntegerField(primary_key=True)
    document = models.JSONField()
    digest = models.BinaryField(max_length=32)
    signature = models.TextField()  # JWS over the digest

    class Meta:
        ordering = ["-number"]
        verbose_name = "checkpoint of the decision log"

    def __str__(self) -> str:
        return f"checkpoint {self.number}"


class DroppedPart(models.Model):
    """What verification needs of dropped decisions whose batches are still there. Append only, but for what is passed.

    ``positions`` and ``leaves`` (32 bytes each) for a part of one batch; without them, all of a range of batches.
    """

    checkpoint = models.ForeignKey(LogCheckpoint, on_delete=models.DO_NOTHING, db_constraint=False)
    first_batch = models.BigIntegerField()
    last_batch = models.BigIntegerField(db_index=True)
    rows = models.BigIntegerField()
    positions = ArrayField(models.IntegerField(), null=True)
    leaves = models.BinaryField(null=True)

    class Meta:
        ordering = ["first_batch", "checkpoint_id"]
        verbose_name = "dropped part of the decision log"

    def __str__(self) -> str:
        return f"batches {self.first_batch} to {self.last_batch}"


class LogDrop(models.Model):
    """Progress of the drop of one day of the decision log; the checkpoint is its proof."""

    class State(models.TextChoices):
        READING = "reading", "Being checked and exported"
        DROPPED = "dropped", "Dropped"
        REFUSED = "refused", "Not dropped"

    day = models.DateField(primary_key=True)
    state = models.CharField(max_length=8, choices=State, default=State.READING)
    rows = models.BigIntegerField(default=0)
    rows_read = models.BigIntegerField(default=0)
    why = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-day"]
        verbose_name = "dropped day"

    def __str__(self) -> str:
        return f"{self.day}"


class HeldTag(models.Model):
    """Pseudonym of a month of a person under a hold, noted when the month's key goes, until the hold ends."""

    ref = models.UUIDField()
    period = models.CharField(max_length=7)
    tag = models.BinaryField(max_length=16)

    class Meta:
        verbose_name = "pseudonym under a hold"
        verbose_name_plural = "pseudonyms under a hold"
        constraints = [models.UniqueConstraint(fields=["ref", "period"], name="policies_heldtag_once")]

    def __str__(self) -> str:
        return self.period
