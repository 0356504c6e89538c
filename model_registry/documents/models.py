"""Row of a document of a version: each revision is a row of its own, and none is ever changed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Document(models.Model):
    """A revision of a document. ``source``: the bytes it was read from, in the form that ``form`` names.

    ``basis``: digest of what the version might do when an assessment was made (``basis.digest_of``); ``score``: how
    complete it is, 0 to 100.
    """

    version = models.ForeignKey("model_registry.ModelVersion", on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=16)
    revision = models.PositiveIntegerField()
    content = models.JSONField()
    sha256 = models.BinaryField(max_length=32)
    form = models.CharField(max_length=24, blank=True)
    source = models.BinaryField(null=True)
    basis = models.BinaryField(max_length=32)
    score = models.PositiveSmallIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_by = models.CharField(max_length=160)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["kind", "-revision"]
        verbose_name = "document of a model"
        constraints = [
            models.UniqueConstraint(fields=["version", "kind", "revision"], name="model_registry_document_revision"),
            models.CheckConstraint(name="model_registry_document_score", condition=Q(score__lte=100)),
        ]

    @property
    def sha256_hex(self) -> str:
        return bytes(self.sha256).hex()

    def __str__(self) -> str:
        return f"{self.kind} {self.revision} of {self.version_id}"
