"""The tamper-evident audit trail: events, and the chain of anchors that seals them."""

import uuid

from django.db import models

from common.identifiers import uuid7


class AuditEvent(models.Model):
    """An audit event. Append only; written in the transaction of the change it records."""

    position = models.BigAutoField(primary_key=True)
    code = models.UUIDField(default=uuid7, unique=True, editable=False)
    occurred_at = models.DateTimeField()
    action = models.CharField(max_length=64)  # dotted, past tense: consent.withdrawn
    actor = models.CharField(max_length=120)  # service:NAME, officer:NAME, subject, job:NAME
    object = models.CharField(max_length=160)  # an identifier or a pseudonym, never a person's name
    details = models.JSONField(default=dict)
    digest = models.BinaryField(max_length=32)
    redacted_by = models.UUIDField(null=True)  # code of the event that says so; the digest outlived the content

    class Meta:
        indexes = [
            models.Index(fields=["object", "-position"], name="audit_event_of_object"),
            models.Index(fields=["action", "-position"], name="audit_event_of_action"),
            models.Index(fields=["actor", "-code"], name="audit_event_of_actor"),
        ]
        ordering = ["-position"]
        verbose_name = "audit event"
        verbose_name_plural = "audit log"

    def __str__(self) -> str:
        return f"{self.action} {self.object}"


class AuditAnchor(models.Model):
    """A Merkle root over all events up to ``last_position``, chained to the anchor before it."""

    sequence = models.BigIntegerField(primary_key=True)
    code = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField()
    after_position = models.BigIntegerField()
    last_position = models.BigIntegerField()
    event_count = models.PositiveIntegerField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["last_position"], name="audit_anchor_last")]
        ordering = ["-sequence"]
        verbose_name = "anchor"

    def __str__(self) -> str:
        return f"anchor {self.sequence}"


class SigningKey(models.Model):
    """A key that signs evidence. Only its public half is stored; see ``audit.signing``."""

    kid = models.CharField(max_length=64, primary_key=True)  # RFC 7638 thumbprint of the public key
    salt = models.BinaryField(max_length=16)
    public_key = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.kid[:12]
