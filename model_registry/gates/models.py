"""Rows of gates: which are demanded (a register), what does not apply (a register), evidence, and reviews."""

from typing import get_args

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from consent.models import Level, Purpose
from model_registry.documents.card import Governance


class ReviewerRole(models.TextChoices):
    LEGAL = "legal", "Legal"
    PRIVACY = "privacy", "Privacy"
    PRODUCT = "product", "Product"
    ENGINEERING = "engineering", "Engineering"


RISKS = tuple(risk for risk in get_args(Governance.model_fields["risk"].annotation) if risk)


class GateDemand(models.Model):
    """A gate that versions have to pass: all of them, or those for a purpose or from a level on.

    ``risks``: classes of the EU AI Act as cards state them; empty is all. ``threshold`` is in the unit of the gate;
    empty is the gate's own. ``roles``, of the gate ``reviews``: who has to approve, each another officer where
    ``one_role_each`` says so. ``suspends``: an audit that fails the gate takes a version out of use until two officers
    make it live again; without it the version is denied while the gate fails.
    """

    slug = models.SlugField(max_length=64, unique=True)
    gate = models.CharField(max_length=32)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    from_level = models.CharField(max_length=16, choices=Level, default=Level.NONE)
    risks = ArrayField(
        models.CharField(max_length=16, choices=[(risk, risk.capitalize()) for risk in RISKS]), default=list, blank=True
    )
    threshold = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    roles = ArrayField(models.CharField(max_length=12, choices=ReviewerRole), default=list, blank=True)
    one_role_each = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    suspends = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "release gate"

    def __str__(self) -> str:
        return self.slug


class GateExemption(models.Model):
    """A gate that does not apply to a version, and why. Its change set was approved by a second officer."""

    model = models.ForeignKey("model_registry.Model", on_delete=models.PROTECT, related_name="exemptions")
    version = models.PositiveIntegerField()
    gate = models.CharField(max_length=32)
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ["model", "version", "gate"]
        verbose_name = "gate that does not apply"
        constraints = [
            models.UniqueConstraint(fields=["model", "version", "gate"], name="model_registry_exemption"),
            models.CheckConstraint(name="model_registry_exemption_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.gate} of {self.model.slug}@{self.version}"


class Evidence(models.Model):
    """What a job or an audit found out about a version. Append-only; the newest of a kind and name counts.

    ``artifact_sha256``: the file it is about; evidence about another file is none. ``valid_until``: from then on it is
    none either; empty: it stands.
    """

    class Kind(models.TextChoices):
        TRAINING = "training", "Training"
        AUDIT = "audit", "Audit"
        MONITOR = "monitor", "Monitor"
        STATED = "stated", "Stated by its operator"

    version = models.ForeignKey("model_registry.ModelVersion", on_delete=models.PROTECT, related_name="evidence")
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=32)
    is_passed = models.BooleanField()
    figures = models.JSONField(default=dict)
    artifact_sha256 = models.CharField(max_length=64, blank=True)
    made_by = models.CharField(max_length=160)
    made_at = models.DateTimeField(default=timezone.now)
    valid_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "evidence of a model"
        verbose_name_plural = "evidence of models"

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.version_id}"


class DocumentReview(models.Model):
    """Verdict or comment of an officer on a revision of a document. Append-only; the newest verdict counts."""

    class Verdict(models.TextChoices):
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        COMMENT = "comment", "Comment"

    Role = ReviewerRole

    document = models.ForeignKey("model_registry.Document", on_delete=models.PROTECT, related_name="reviews")
    verdict = models.CharField(max_length=12, choices=Verdict)
    role = models.CharField(max_length=12, choices=Role)
    comment = models.CharField(max_length=2_000, blank=True)
    actor = models.CharField(max_length=160)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = "review of a model's document"

    def __str__(self) -> str:
        return f"{self.verdict} {self.document_id}"
