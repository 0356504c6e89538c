"""Row of a letter."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Letter(models.Model):
    """Letter about a request, sealed. Its address is kept until it is sent, and no longer.

    ``sending_at`` is committed before the letter leaves: one that a crash interrupted is not sent twice.
    """

    request = models.ForeignKey("rights.RightsRequest", on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=24)
    locale = models.CharField(max_length=16)
    sealed = models.BinaryField(null=True)
    address = models.BinaryField(null=True)
    made_by = models.CharField(max_length=160)
    made_at = models.DateTimeField(default=timezone.now)
    sending_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(address__isnull=False, sending_at=None), name="rights_letters_to_send"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.request_id}"
