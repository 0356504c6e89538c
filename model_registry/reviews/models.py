"""Rows of reviews: the register of what is marked for one, the reviews, the outputs under review, and verdicts."""

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.identifiers import uuid7
from consent.models import Level, Purpose
from model_registry.models import ModelVersion

_PERCENT = (MinValueValidator(1), MaxValueValidator(100))
_HOURS = (MinValueValidator(1), MaxValueValidator(24 * 365))


class ReviewRule(models.Model):
    """Mark of outputs that a person has to approve before they are shown. A condition that is empty is met by all.

    ``confidence_below``: only outputs whose confidence, in per cent, is lower. ``share``: per cent of people, always
    the same ones. ``due_hours``: after these an open review is escalated. ``serve_hours``: how long an approved output
    is shown.
    """

    slug = models.SlugField(max_length=64, unique=True)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    category = models.SlugField(max_length=64, blank=True)
    from_level = models.CharField(max_length=16, choices=Level, default=Level.SEGMENT)
    confidence_below = models.PositiveSmallIntegerField(null=True, blank=True, validators=_PERCENT)
    share = models.PositiveSmallIntegerField(default=100, validators=_PERCENT)
    four_eyes = models.BooleanField(default=False)
    due_hours = models.PositiveIntegerField(default=72, validators=_HOURS)
    serve_hours = models.PositiveIntegerField(default=24 * 30, validators=_HOURS)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "rule of review"
        verbose_name_plural = "rules of review"
        constraints = [
            models.CheckConstraint(name="reviews_share", condition=Q(share__gte=1, share__lte=100)),
            models.CheckConstraint(
                name="reviews_confidence",
                condition=Q(confidence_below=None) | Q(confidence_below__gte=1, confidence_below__lte=100),
            ),
            models.CheckConstraint(name="reviews_hours", condition=Q(due_hours__gte=1, serve_hours__gte=1)),
        ]

    def __str__(self) -> str:
        return self.slug

    def mark(self) -> dict[str, Any]:
        """Return the rule as the policy reads it."""
        return {
            "purpose": self.purpose.slug if self.purpose else None,
            "category": self.category or None,
            "from_level": self.from_level,
            "confidence_below": self.confidence_below,
            "share": self.share,
            "four_eyes": self.four_eyes,
            "due_hours": self.due_hours,
            "serve_hours": self.serve_hours,
        }


class Review(models.Model):
    """Review of one output: what it is about, and what came of it. It names no person and outlives the output.

    ``digest``: SHA-256 of the output with all that it is bound to; it holds a random decision id, so nothing can be
    guessed from it. ``request``: the person's own request for a review, where there is one.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPROVED = "approved", "Approved"
        CHANGED = "changed", "Changed"
        REJECTED = "rejected", "Rejected"
        VOID = "void", "Void"

    class Why(models.TextChoices):
        OVERTAKEN = "overtaken", "The consent, the model or its file is another by now"
        ALTERED = "altered", "The output was altered"
        ERASED = "erased", "The output is no longer kept"
        NOTHING = "nothing", "There is no output about the person"
        ANSWERED = "answered", "The request was answered without it"

    DECIDED = (State.APPROVED, State.CHANGED, State.REJECTED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.SlugField(max_length=32)
    purpose = models.SlugField(max_length=64)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="reviews")
    level = models.CharField(max_length=16, choices=Level)
    rules = models.JSONField(default=list)
    four_eyes = models.BooleanField(default=False)
    serve_hours = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    request = models.ForeignKey("rights.RightsRequest", on_delete=models.PROTECT, null=True, related_name="reviews")
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    why_void = models.CharField(max_length=12, choices=Why, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    serves_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        permissions = [("view_masked_fields", "Can see masked fields of outputs under review")]
        indexes = [models.Index(fields=["version", "state"], name="reviews_of_version")]
        constraints = [
            models.CheckConstraint(
                name="reviews_decided_at_a_time",
                condition=Q(state__in=["waiting", "void"]) | Q(decided_at__isnull=False, serves_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.pk)[-6:]}"


class Output(models.Model):
    """Output under review, sealed. It goes with the person, the purpose, its review's end, or its time.

    What an approval is bound to: ``revision`` is the person's at the decision, ``artifact_sha256`` the model's file,
    ``asked`` the digest of the facts and the verdict.
    """

    review = models.OneToOneField(Review, on_delete=models.PROTECT, primary_key=True, related_name="output")
    kind = models.SlugField(max_length=32)
    subject_ref = models.UUIDField()
    purpose = models.CharField(max_length=64)
    decision_id = models.CharField(max_length=36)
    revision = models.BigIntegerField()
    artifact_sha256 = models.CharField(max_length=64, blank=True)
    asked = models.CharField(max_length=64)
    sealed = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-made_at"]
        indexes = [models.Index(fields=["purpose", "made_at", "review"], name="reviews_output_age")]
        constraints = [
            models.UniqueConstraint(fields=["subject_ref", "purpose", "kind", "asked"], name="reviews_one_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"output of {self.review_id}"


class Verdict(models.Model):
    """Verdict of one reviewer on the output that was shown. Append-only. It names no person but the reviewer.

    ``digest``: of what was shown; ``result``: of what may be shown to the person by this verdict.
    """

    class Kind(models.TextChoices):
        APPROVE = "approve", "Approve"
        CHANGE = "change", "Change"
        REJECT = "reject", "Reject"

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="verdicts")
    place = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    digest = models.CharField(max_length=64)
    result = models.CharField(max_length=64, blank=True)
    actor = models.CharField(max_length=160)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    provenance = models.JSONField(default=list)
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["review", "place"]
        constraints = [
            models.UniqueConstraint(fields=["review", "place"], name="reviews_one_verdict_a_place"),
            models.UniqueConstraint(fields=["review", "account"], name="reviews_one_verdict_a_reviewer"),
            models.CheckConstraint(name="reviews_three_places", condition=Q(place__gte=1, place__lte=3)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.review_id}"


class VerdictText(models.Model):
    """What a reviewer wrote about an output, and what it was changed to: sealed, and gone with the output."""

    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, primary_key=True, related_name="text")
    # The database deletes it with the output (its own constraint, made by the migration).
    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="texts", db_constraint=False)
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"text of {self.verdict_id}"
