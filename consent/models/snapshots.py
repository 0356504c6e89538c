"""What was in force or on show once, kept under its digest: the register's words, and banners."""

from django.db import models
from django.db.models.functions import Now


class RegisterSnapshot(models.Model):
    """What the register and its newest notice said about one purpose. Append only, written by the database itself.

    Triggers on purposes, their texts, parties and notices write one whenever the content differs from the last, in the
    same transaction; records name it by ``digest``, the SHA-256 of ``content`` as it stands (migration 0010).
    """

    # No foreign key: a snapshot outlives the row it describes.
    purpose = models.SlugField(max_length=64)
    digest = models.CharField(max_length=64)
    content = models.TextField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["purpose", "id"]
        indexes = [models.Index(fields=["purpose", "-id"], name="consent_snapshot_newest")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.digest[:12]}"


class BannerLayout(models.Model):
    """A banner's layout as it was served: texts, order, weight. Append only; ``content`` has the digest ``sha256``."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    content = models.TextField()
    first_served_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.sha256[:12]
