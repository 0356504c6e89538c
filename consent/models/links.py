"""Links to the privacy centre, and counts of its use a day."""

from django.db import models
from django.utils import timezone


class SubjectLink(models.Model):
    """A single-use link to a privacy dashboard and the short session it opens. Only hashes are stored.

    ``shown_id``: the id it was issued for, sealed under the token or the session's secret (``consent.shown_ids``).
    """

    token_hash = models.BinaryField(max_length=32, primary_key=True)
    subject_ref = models.UUIDField(db_index=True)
    issued_by = models.CharField(max_length=120)
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    opened_at = models.DateTimeField(null=True)
    session_hash = models.BinaryField(max_length=32, null=True, unique=True)
    session_expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    shown_id = models.BinaryField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link of {self.issued_at:%Y-%m-%d %H:%M}"


class DailyCount(models.Model):
    """Daily count of one kind of event: what the trust metrics are made of. Never names a person."""

    day = models.DateField()
    what = models.CharField(max_length=32)
    purpose = models.CharField(max_length=64, blank=True)
    region = models.CharField(max_length=8, blank=True)
    notice_version = models.PositiveIntegerField(default=0)
    count = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-day", "what"]
        permissions = [("view_exactfigures", "Can view exact figures of people's choices")]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "what", "purpose", "region", "notice_version"], name="consent_daily_count"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} x {self.what} on {self.day}"
