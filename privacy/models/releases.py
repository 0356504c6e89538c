"""Rows of releases of tables: files that officers uploaded, copies made of them, and the limits of what may leave."""

from pathlib import Path
from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.identifiers import uuid7
from common.jobs.runs import RunBase
from oversight.models import Approval
from privacy.anonymisation.files.opening import is_parquet

FLOOR = 5  # people; no installation publishes a smaller group
LIMITS = "limits"
_THOUSANDTHS = MaxValueValidator(1000)


class DisclosureLimits(models.Model):
    """Limits of what may leave the installation. One row: what policies of releases and published counts read.

    ``smallest_group``: people in the smallest group that is counted in public, or shown to officers without exact
    figures. ``t_at_most``, ``epsilon_at_most``, and what attacks may find beyond their control (``inferred_at_most``,
    ``singled_out_at_most``) are thousandths. ``overlap_at_least``: rows, and sensitive values, that are left when
    two releases of one table are laid on each other. ``person_key``: what becomes of a
    release with pseudonyms, each of which points to one person.
    """

    class Overlap(models.TextChoices):
        REFUSE = "refuse", "Refuse the release"
        WARN = "warn", "Warn the second officer"

    slug = models.SlugField(max_length=16, unique=True, default=LIMITS, editable=False)
    smallest_group = models.PositiveSmallIntegerField(default=20)
    k_at_least = models.PositiveSmallIntegerField(default=10)
    l_at_least = models.PositiveSmallIntegerField(default=2)
    t_at_most = models.PositiveSmallIntegerField(default=1000)
    epsilon_at_most = models.PositiveIntegerField(default=1000)
    inferred_at_most = models.PositiveSmallIntegerField(default=200, validators=[_THOUSANDTHS])
    singled_out_at_most = models.PositiveSmallIntegerField(default=1000, validators=[_THOUSANDTHS])
    days_at_most = models.PositiveSmallIntegerField(default=365)
    overlap = models.CharField(max_length=8, choices=Overlap, default=Overlap.REFUSE)
    overlap_at_least = models.PositiveSmallIntegerField(default=2)
    person_key = models.CharField(max_length=8, choices=Overlap, default=Overlap.REFUSE)

    class Meta:
        verbose_name = "limits of disclosure"
        verbose_name_plural = "limits of disclosure"
        constraints = [
            models.CheckConstraint(name="privacy_disclosure_is_one", condition=Q(slug=LIMITS)),
            models.CheckConstraint(
                name="privacy_disclosure_floor",
                condition=Q(smallest_group__gte=FLOOR, k_at_least__gte=2, l_at_least__gte=1, days_at_most__gte=1)
                & Q(t_at_most__lte=1000, overlap_at_least__gte=1),
                violation_error_message=f"The smallest group has at least {FLOOR} people, and k is at least 2.",
            ),
        ]

    def __str__(self) -> str:
        return "Limits of disclosure"


class UploadedTable(models.Model):
    """A table that an officer uploaded to make releases of, and what its columns hold. The file has its own folder.

    ``columns``: name, distinct and empty values, suggested role and why, of each. ``source``: the registered data set
    that the table was read from; empty where it was uploaded.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    rows = models.BigIntegerField()
    columns = models.JSONField()
    source = models.SlugField(max_length=64, blank=True, default="")
    author = models.CharField(max_length=160)
    uploaded_at = models.DateTimeField(default=timezone.now)
    keep_until = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-uploaded_at"]
        verbose_name = "uploaded table"

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        """Return the ending of its files, which says how they are read."""
        return ".parquet" if is_parquet(Path(self.name)) else ".csv"


class TableRelease(RunBase):
    """A copy of a table that was made safe, from the moment it is asked for. ``stage`` is how far it may go.

    ``asked``: roles of the columns, parameters, purpose, receivers, places, days. ``report`` and ``figures``: what the
    job measured. ``document``: what a second officer approves, under ``digest``; ``manifest``: the same with its
    approval, signed.
    """

    class Stage(models.TextChoices):
        DRAFT = "draft", "Preview"
        PROPOSED = "proposed", "Waits for approval"
        PUBLISHED = "published", "Published"
        REFUSED = "refused", "Refused"
        REVOKED = "revoked", "Revoked"

    table = models.ForeignKey(UploadedTable, on_delete=models.PROTECT, related_name="releases")
    asked = models.JSONField()
    report = models.JSONField(null=True)
    figures = models.JSONField(null=True)
    target_sha256 = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=500, blank=True)
    account = models.BigIntegerField(null=True)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.DRAFT)
    document = models.JSONField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    manifest = models.TextField(blank=True)
    decision = models.ForeignKey(Approval, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(RunBase.Meta):
        verbose_name = "release of a table"
        verbose_name_plural = "releases of tables"
        permissions = [("approve_tablerelease", "Can approve releases of tables")]
        constraints = [
            models.CheckConstraint(
                name="privacy_release_approved",
                condition=~Q(stage__in=["published", "revoked"])
                | Q(decision__isnull=False, published_at__isnull=False, expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="privacy_release_is_measured",
                condition=Q(stage="draft") | Q(state="done", document__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table.name}, {self.protection}"

    @property
    def is_noisy(self) -> bool:
        """Return whether it is of noisy tables, and not of a copy in classes."""
        return "noise" in self.asked

    @property
    def protection(self) -> str:
        """Return what protects the people in it, in short."""
        return f"epsilon = {self.asked['noise']['epsilon']}" if self.is_noisy else f"k = {self.asked['k']}"

    @property
    def receivers(self) -> list[str]:
        """Return the parties that may have it."""
        return list(self.asked["receivers"])

    def is_in_force(self, now: Any) -> bool:
        """Return whether its receivers may have it at a moment: no job has to run for it to end."""
        return self.stage == self.Stage.PUBLISHED and self.expires_at is not None and now < self.expires_at

    @property
    def file_name(self) -> str:
        """Return the name under which it is handed out."""
        return f"release-{self.pk}{self.table.suffix}"

    @property
    def manifest_name(self) -> str:
        """Return the name under which its manifest is handed out."""
        return f"{self.file_name}.manifest.jws"
