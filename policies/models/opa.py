"""Reports of OPA servers: their status, and the decisions they made themselves."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from policies.models.log import Decision


class OpaInstance(models.Model):
    """The last status of an OPA server that pulls bundles: a note, not evidence."""

    name = models.CharField(max_length=64, primary_key=True)  # its label "instance", else the id it gave itself
    caller = models.CharField(max_length=120)
    bundle_revision = models.CharField(max_length=71, blank=True)
    activated_at = models.DateTimeField(null=True)
    errors = ArrayField(models.CharField(max_length=300))
    heard_at = models.DateTimeField()

    class Meta:
        ordering = ["-heard_at"]
        verbose_name = "OPA server"

    def __str__(self) -> str:
        return self.name


class ExternalBatch(models.Model):
    """A Merkle root over the decisions of one report, chained to the batch before. Append only until it is old."""

    sequence = models.BigIntegerField(primary_key=True)
    created_at = models.DateTimeField()
    caller = models.CharField(max_length=120)
    decision_count = models.PositiveIntegerField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"batch {self.sequence}"


class ExternalDecision(models.Model):
    """A decision an OPA server answered and reported. Append only until it is old.

    Apart from the decision log: Assent did not answer it, and cannot say what was left out. What has come in is chained
    like the decision log; ``batch_id`` is 0 for what came in before that was so.
    """

    id = models.UUIDField(primary_key=True)  # OPA's decision_id
    decided_at = models.DateTimeField()
    received_at = models.DateTimeField()
    instance = models.CharField(max_length=64)
    caller = models.CharField(max_length=120)
    bundle_revision = models.CharField(max_length=71, blank=True)
    path = models.CharField(max_length=120)
    outcome = models.CharField(max_length=8, choices=Decision.Outcome)
    level = models.CharField(max_length=16, blank=True)
    reasons = ArrayField(models.CharField(max_length=48))
    facts = models.JSONField()
    batch_id = models.BigIntegerField(default=0, db_default=0)
    position = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["-received_at"]
        indexes = [
            models.Index(fields=["-received_at"], name="policies_external_by_time"),
            models.Index(fields=["batch_id", "position"], name="policies_external_of_batch"),
        ]
        verbose_name = "decision of an OPA server"
        verbose_name_plural = "decisions of OPA servers"

    def __str__(self) -> str:
        return f"{self.outcome} {self.path}"
