"""Requests of people: the row that says where each stands, its steps, its blockers, and the files that answer it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.identifiers import uuid7
from privacy.rights.clocks.laws import Right
from privacy.rights.drp.models import Agent, AgentRequest, AgentToken
from privacy.rights.letters.models import Letter
from privacy.rights.requesters.models import Requester
from privacy.rights.requests.states import OPEN, PROVE, PROVEN, Move, State

__all__ = [
    "Agent", "AgentRequest", "AgentToken", "AnswerPackage", "Blocker", "DownloadLink", "ErasureStep", "Letter",
    "RequestStep", "Requester", "RightsRequest",
]  # fmt: skip

_CHOICES = {"right": [(right.value, right.value.replace("_", " ").capitalize()) for right in Right]}
_STATES = [(state.value, state.value.replace("_", " ").capitalize()) for state in State]
# Steps that leave the state as it is, or come before the first.
_OTHER_STEPS = [
    ("open", "Open"), (PROVE, "Prove the address"), ("extend", "Extend"), ("match", "Match"),
    ("end_mandate", "End the mandate"), ("name", "Name the person for other cells"),
]  # fmt: skip
_MOVES = [(move.value, move.value.replace("_", " ").capitalize()) for move in Move]


class RightsRequest(models.Model):
    """Request of one person about one right. The person is a pseudonym; no id or address is kept.

    ``statement``: what the person wrote, sealed under a key that ends with the request (``requests.statements``).
    ``due_on``: the day that counts now; None while the clock stands still.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    right = models.CharField(max_length=16, choices=_CHOICES["right"])
    subject_ref = models.UUIDField(db_index=True)
    region = models.CharField(max_length=8, blank=True)
    law = models.CharField(max_length=16)
    door = models.CharField(max_length=16)  # api, dashboard, officer
    opened_by = models.CharField(max_length=160)
    request_key = models.BinaryField(max_length=32, null=True, unique=True)  # SHA-256 of caller and Idempotency-Key
    request_digest = models.BinaryField(max_length=32, null=True)
    appeals = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="appealed_by")
    statement = models.BinaryField(null=True)
    statement_salt = models.BinaryField(max_length=16, null=True)
    state = models.CharField(max_length=20, choices=_STATES, default=State.RECEIVED)
    received_at = models.DateTimeField(default=timezone.now)
    received_on = models.DateField()
    first_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    latest_on = models.DateField(null=True)
    confirm_by = models.DateField(null=True)
    has_number = models.BooleanField(default=True)
    extended_on = models.DateField(null=True)
    extended_until = models.DateField(null=True)
    verified_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["due_on", "id"]
        verbose_name = "request"
        constraints = [
            models.UniqueConstraint(
                fields=["subject_ref", "right"],
                condition=Q(state__in=[state.value for state in PROVEN]),
                name="rights_one_open_request",
            ),
            models.CheckConstraint(
                name="rights_done_is_verified",
                condition=~Q(state="done") | Q(verified_at__isnull=False),
            ),
            models.CheckConstraint(
                name="rights_closed_keeps_no_statement",
                condition=Q(closed_at__isnull=True) | Q(statement_salt__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_right_display()} {str(self.pk)[-6:]}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class RequestStep(models.Model):
    """Step in the life of a request. Append-only."""

    request = models.ForeignKey(RightsRequest, on_delete=models.PROTECT, related_name="steps")
    move = models.CharField(max_length=20, choices=[*_MOVES, *_OTHER_STEPS])
    state = models.CharField(max_length=20, choices=_STATES)
    actor = models.CharField(max_length=160)
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=1000, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.move} {self.request_id}"


class Blocker(models.Model):
    """Ground on which a request, or a part of it, cannot be fulfilled for now."""

    class Ground(models.TextChoices):
        HOLD = "hold", "A legal hold"
        LEGAL_MINIMUM = "legal_minimum", "The law demands that it is kept"
        OTHERS_DATA = "others_data", "It is another person's data too"

    request = models.ForeignKey(RightsRequest, on_delete=models.PROTECT, related_name="blockers")
    ground = models.CharField(max_length=16, choices=Ground)
    what = models.CharField(max_length=200)
    reason = models.CharField(max_length=1000)
    reviewer = models.CharField(max_length=160)
    set_at = models.DateTimeField(default=timezone.now)
    expires_on = models.DateField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.get_ground_display()}: {self.what}"


class ErasureStep(models.Model):
    """What an erasure did in one store: how many rows, and a digest over their keys. Append-only: it is the manifest.

    A step is noted in the transaction that does it, so an erasure that was cut off goes on behind it.
    """

    request = models.ForeignKey(RightsRequest, on_delete=models.PROTECT, related_name="erasure_steps")
    round = models.PositiveSmallIntegerField(default=0)  # the first is 0; each verification that fails begins another
    store = models.CharField(max_length=64)
    fate = models.CharField(max_length=12)
    rows = models.PositiveIntegerField()
    keys_sha256 = models.CharField(max_length=64, blank=True)
    also = models.JSONField(default=dict)
    done_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "round", "store"], name="rights_erasure_step_once")]

    def __str__(self) -> str:
        return f"{self.store}: {self.rows}"


class AnswerPackage(models.Model):
    """Files that answer a request, encrypted, until they expire."""

    request = models.OneToOneField(RightsRequest, on_delete=models.PROTECT, related_name="package")
    sealed = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"package of {self.request_id}"


class DownloadLink(models.Model):
    """Single-use link to a package. Only the SHA-256 of its token is stored."""

    token_hash = models.BinaryField(max_length=32, primary_key=True)
    package = models.ForeignKey(AnswerPackage, on_delete=models.CASCADE, related_name="links")
    issued_by = models.CharField(max_length=160)
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link to {self.package_id}"
