"""What a notice version covers, frozen when the version was published."""

from django.db import models
from django.db.models.functions import Now


class NoticeTerms(models.Model):
    """Terms of one notice version of a purpose. Append only, written by the database itself (migration 0013).

    Version 0 stands for the purpose before its first notice. ``content`` is JSON (``consent.register.terms``), and
    records name it by ``sha256``, the SHA-256 of ``content`` as it stands. A cell receives the rows of the cell that
    keeps the register before the notices they belong to, so that both cover the same.
    """

    # No foreign key: what people agreed to outlives the row it describes.
    purpose = models.SlugField(max_length=64)
    version = models.PositiveIntegerField()
    content = models.TextField()
    sha256 = models.CharField(max_length=64)
    frozen_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["purpose", "version"]
        constraints = [models.UniqueConstraint(fields=["purpose", "version"], name="consent_terms_of_version")]
        verbose_name = "terms of a notice version"
        verbose_name_plural = "terms of notice versions"

    def __str__(self) -> str:
        return f"{self.purpose} v{self.version}"
