"""Register of models that may process personal data: each model, its live version, and its permitted purposes."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from common import policy_data
from common.rollouts.shares import FULL
from consent.models import Level, Purpose
from model_registry.documents.models import Document
from model_registry.files.models import ModelFile
from model_registry.gates.models import DocumentReview, Evidence, GateDemand, GateExemption
from model_registry.segments.models import StoppedSegment

__all__ = [
    "Document",
    "DocumentReview",
    "Evidence",
    "GateDemand",
    "GateExemption",
    "Model",
    "ModelFile",
    "ModelVersion",
    "StoppedSegment",
]


class Model(models.Model):
    """A model by its stable slug, for example ``basket``.

    ``trained_every``: how often one that is trained here is trained anew.
    ``registrant``: who registers its versions, where its engine runs elsewhere; empty where it is trained here.
    """

    class TrainedEvery(models.TextChoices):
        DAY = "day", "Every night"
        WEEK = "week", "Every week"
        MONTH = "month", "Every 30 days"
        NEVER = "never", "Only when an officer asks"

    TRAINED_EVERY_DAYS = {"day": 1, "week": 7, "month": 30, "never": None}

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    trained_every = models.CharField(max_length=8, choices=TrainedEvery, default=TrainedEvery.DAY)
    owner = models.CharField(max_length=120, blank=True)
    registrant = models.CharField(max_length=120, blank=True, editable=False)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class ModelVersion(models.Model):
    """A version: what it may be used for, and its status in the life cycle.

    Of a model whose engine runs elsewhere: ``label``, the owner's own name of it; ``endpoint``, where it answers, which
    is shown and never called; ``registered_sha256``, digest of its registration, by which a repeat is known.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"
        CANARY = "canary", "Canary"
        LIVE = "live", "Live"
        SUSPENDED = "suspended", "Suspended"
        RETIRED = "retired", "Retired"

    SERVING = (Status.LIVE, Status.CANARY)
    IN_USE = (*SERVING, Status.SUSPENDED)
    # Drafts are in no bundle: a nightly training changes no revision.
    IN_BUNDLE = (*IN_USE, Status.RETIRED)
    # The version before goes back to approved when another becomes live, and can be made live again.
    NEXT = {
        Status.DRAFT: {Status.IN_REVIEW, Status.RETIRED},
        Status.IN_REVIEW: {Status.DRAFT, Status.APPROVED, Status.RETIRED},
        # A canary begins and ends with its rollout (``personalization.rollouts``).
        Status.APPROVED: {Status.CANARY, Status.LIVE, Status.IN_REVIEW, Status.RETIRED},
        Status.CANARY: {Status.APPROVED, Status.LIVE, Status.SUSPENDED, Status.RETIRED},
        Status.LIVE: {Status.APPROVED, Status.SUSPENDED, Status.RETIRED},
        Status.SUSPENDED: {Status.LIVE, Status.IN_REVIEW, Status.RETIRED},
        Status.RETIRED: set(),
    }
    # These steps take two officers: a change set of the register ``model_status``.
    SECONDED = frozenset(
        {
            (Status.IN_REVIEW, Status.APPROVED),
            (Status.SUSPENDED, Status.LIVE),
            (Status.CANARY, Status.LIVE),
        }
    )

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    purposes = models.ManyToManyField(Purpose, related_name="model_versions")
    max_level = models.CharField(max_length=16, choices=Level, default=Level.INDIVIDUAL)
    artifact = models.CharField(max_length=200, blank=True, editable=False)
    artifact_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    label = models.CharField(max_length=64, blank=True, editable=False)
    endpoint = models.CharField(max_length=400, blank=True, editable=False)
    registered_sha256 = models.BinaryField(max_length=32, blank=True, default=b"", editable=False)
    metrics = models.JSONField(default=dict, blank=True, editable=False)
    # Compact JWS over the version's name, digests and figures (files/signature.py).
    signature = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    status_changed_at = models.DateTimeField(default=timezone.now, editable=False)
    approved_until = models.DateField(null=True, blank=True)
    # A version of an older release serves without the gates until then (docs/decisions/0047).
    gates_grace_until = models.DateTimeField(null=True, editable=False)
    # Of a canary: the ten-thousandths of the people it serves, and the rollout that draws them.
    canary_share = models.PositiveSmallIntegerField(default=0, editable=False)
    canary_rollout = models.BigIntegerField(null=True, editable=False)

    class Meta:
        ordering = ["model", "-version"]
        verbose_name = "model version"
        constraints = [
            models.UniqueConstraint(fields=["model", "version"], name="model_registry_version"),
            models.CheckConstraint(name="model_registry_version_from_one", condition=Q(version__gte=1)),
            models.UniqueConstraint(fields=["model"], name="model_registry_one_canary", condition=Q(status="canary")),
            models.CheckConstraint(
                name="model_registry_canary_rolls_out",
                condition=Q(status="canary", canary_rollout__isnull=False, canary_share__lte=FULL)
                | (~Q(status="canary") & Q(canary_rollout__isnull=True, canary_share=0)),
            ),
            models.UniqueConstraint(fields=["model", "label"], condition=~Q(label=""), name="model_registry_label"),
        ]

    def __str__(self) -> str:
        return f"{self.model.slug}@{self.version}"

    @property
    def title(self) -> str:
        """Return the version's name in words."""
        return f"{self.model.name}, version {self.version}"

    @property
    def is_live(self) -> bool:
        return self.status == self.Status.LIVE

    @property
    def serves(self) -> bool:
        """Return whether people get its answers, all of them or some."""
        return self.status in self.SERVING

    @property
    def is_approved(self) -> bool:
        """Return whether its approval stands, or is one that ended: it has a day that can be moved."""
        return self.status in (self.Status.APPROVED, *self.IN_USE)

    def may_become(self, status: str) -> bool:
        return status in self.NEXT[self.Status(self.status)]

    def take_status(self, status: str) -> list[str]:
        """Set a status; return the fields to save. What is no canary any more serves no share.

        The grace of an upgrade is for what was in use as it was: a review ends it.
        """
        self.status, self.status_changed_at = status, timezone.now()
        if status != self.Status.CANARY:
            self.canary_share, self.canary_rollout = 0, None
        if status in (self.Status.DRAFT, self.Status.IN_REVIEW):
            self.gates_grace_until = None
        return ["status", "status_changed_at", "canary_share", "canary_rollout", "gates_grace_until"]

    def publish_if_in_bundle(self, *, reason: str, actor: str) -> None:
        """Publish what has changed about the version, in the transaction of the change."""
        if self.status in self.IN_BUNDLE:
            policy_data.changed(reason=reason, actor=actor)
