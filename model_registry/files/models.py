"""Rows of a version's files: what was registered, and what became of it since."""

from django.db import models
from django.utils import timezone


class ModelFile(models.Model):
    """File or folder of a version, by its path below the folder of models.

    ``sha256``: digest as registered; of an artifact it is that of its manifest. ``current_sha256``: digest after people
    left the file. ``persons``: how many it was made of; ``persons_left``: how many of them left. ``gone_at``: deleted
    by its retention.
    """

    class Kind(models.TextChoices):
        ARTIFACT = "artifact", "Artifact"
        DATA = "data", "Data snapshot"
        EVALUATION = "evaluation", "Evaluation"
        FEATURES = "features", "Features"

    version = models.ForeignKey("model_registry.ModelVersion", on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=12, choices=Kind)
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    current_sha256 = models.CharField(max_length=64)
    persons = models.PositiveIntegerField(default=0)
    persons_left = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["kind"]
        verbose_name = "file of a model"
        verbose_name_plural = "files of models"
        constraints = [models.UniqueConstraint(fields=["version", "kind"], name="model_registry_file_of_version")]

    @property
    def is_whole(self) -> bool:
        """Return whether the file is as it was registered, as far as the registry knows."""
        return self.gone_at is None and self.persons_left == 0

    def __str__(self) -> str:
        return f"{self.kind} of {self.version_id}"
