"""Files taken over from other systems."""

from django.db import models
from django.utils import timezone


class ConsentImport(models.Model):
    """An import of choices from another system, and its progress: moved on in each batch's transaction."""

    file_sha256 = models.CharField("SHA-256 of the file", max_length=64, unique=True)
    system = models.CharField(max_length=64)
    actor = models.CharField(max_length=120)
    line = models.BigIntegerField(default=0)  # the last one dealt with
    offset = models.BigIntegerField(default=0)  # where the next one starts, in bytes of the unpacked file
    report_bytes = models.BigIntegerField(default=0)  # how much of the report belongs to the lines dealt with
    report = models.CharField(max_length=4096, blank=True, default="", db_default="")  # its file, until it is deleted
    imported = models.BigIntegerField(default=0)
    unproven = models.BigIntegerField(default=0, help_text="Among those imported: without all that proves a choice.")
    refused = models.JSONField(default=dict, help_text="Lines refused, by the reason's code.")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = "import"

    def __str__(self) -> str:
        return f"{self.system}, {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def refused_lines(self) -> int:
        return sum(self.refused.values())
