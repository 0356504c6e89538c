"""Days on which an item was shown to a person."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class Showing(models.Model):
    """How often an item was shown to a person for a purpose, as far as caps look back: days, and nothing else."""

    subject_ref = models.UUIDField()
    purpose = models.CharField(max_length=64)
    item = models.CharField(max_length=64)  # by name: an item may go before the days do
    days = ArrayField(models.DateField())
    received_at = models.DateTimeField(default=timezone.now)  # of the newest

    class Meta:
        ordering = ["-received_at"]
        constraints = [models.UniqueConstraint(fields=["subject_ref", "purpose", "item"], name="personalization_shown")]
        indexes = [
            # Serves retention, which deletes the oldest of a purpose first.
            models.Index(fields=["purpose", "received_at", "id"], name="personalization_showing_age"),
        ]

    def __str__(self) -> str:
        return f"{self.item} on {len(self.days)} days"
