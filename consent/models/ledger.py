"""People, their consent records, and the one-row projection that decisions read."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.identifiers import uuid7
from consent.models.register import Purpose


class AgeBand(models.TextChoices):
    ADULT = "adult", "Adult"
    MINOR = "minor", "Minor"
    CHILD = "child", "Child"
    UNKNOWN = "unknown", "Not known"


class DataSubject(models.Model):
    """A data subject: a pseudonym and the current state of all choices, in one row.

    A projection of the ledger, replaced in the statement that appends to it. ``consents`` maps purpose slug to
    ``{"s": state, "n": notice version, "x": expiry epoch or null, "e": explicit, "r": record, "t": since epoch}``, with
    ``"lv": level`` where the person set a limit, and ``"told": true`` where the person was informed of the conflict
    with an opt-out signal and agreed all the same. A choice about a part of a purpose has a key of its own,
    ``newsletter?channel=email`` (see ``consent.ledger.scopes``).
    """

    ref = models.UUIDField(primary_key=True, editable=False)
    region = models.CharField(max_length=8, blank=True)
    age_band = models.CharField(max_length=8, choices=AgeBand, default=AgeBand.UNKNOWN)
    revision = models.BigIntegerField(default=0)
    consents = models.JSONField(default=dict)
    restricted = models.BooleanField(default=False, help_text="GDPR Article 18: stored, but not used.")
    held = models.BooleanField(default=False, help_text="A legal hold: kept for a claim, not used otherwise.")
    # The same for single purposes: purpose slug to ``["held", "restricted"]``. The two columns are for every purpose.
    limits = models.JSONField(default=dict, db_default={}, editable=False)
    # Since when an opt-out signal of the person's browser is remembered; it counts without being sent again.
    gpc_since = models.DateTimeField("Opted out by signal since", null=True, editable=False)
    # The revision that an erasure left the row at, and when. While ``revision`` is still this one the person counts as
    # unknown; records up to it are kept as proof and say nothing about the present.
    erased_revision = models.BigIntegerField(null=True, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)
    last_digest = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "data subject"
        # Every batch of a deletion reads whose data is kept; few are.
        indexes = [
            models.Index(
                fields=["ref"],
                condition=Q(held=True) | Q(restricted=True) | ~Q(limits={}),
                name="consent_datasubject_kept",
            ),
            models.Index(fields=["ref"], condition=Q(erased_revision__isnull=False), name="consent_datasubject_erased"),
        ]

    def __str__(self) -> str:
        return f"person {str(self.ref)[:8]}"

    @property
    def is_erased(self) -> bool:
        """Return whether the person was erased and has not come back with a choice since."""
        return self.erased_revision is not None and self.erased_revision == self.revision


class ConsentRecord(models.Model):
    """One choice of one person about one purpose. Append only, chained per person by ``previous_digest``."""

    class State(models.TextChoices):
        GIVEN = "given", "Given"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        OBJECTED = "objected", "Objected"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(DataSubject, on_delete=models.PROTECT, db_index=False, related_name="records")
    subject_revision = models.BigIntegerField()
    purpose = models.ForeignKey(
        Purpose,
        on_delete=models.PROTECT,
        to_field="slug",
        db_column="purpose",
        db_index=False,
        related_name="records",
    )
    scope = models.CharField(max_length=300, blank=True, default="", db_default="")
    state = models.CharField(max_length=12, choices=State)
    explicit = models.BooleanField(default=False)
    notice_version = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=32)
    actor = models.CharField(max_length=120)
    recorded_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    # How the choice was asked for and under which rule: see ``consent.ledger.proof``.
    proof = models.JSONField(default=dict, db_default={})
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="superseded_by", db_constraint=False
    )
    previous_digest = models.BinaryField(max_length=32, null=True)
    digest = models.BinaryField(max_length=32)
    # Of format 2: what hides person and proof under the digest (``audit.commitments``). Without it, format 1.
    salt = models.BinaryField(max_length=16, null=True)
    # Only after a redaction: what stands for person and proof, and the event that says so.
    commitments = models.BinaryField(max_length=64, null=True)
    redacted_by = models.UUIDField(null=True)

    class Meta:
        ordering = ["-recorded_at", "-id"]
        indexes = [
            models.Index(fields=["subject", "-subject_revision"], name="consent_record_of_subject"),
            # Serves the sweep that finds withdrawals whose disposal has not been queued.
            models.Index(
                fields=["id"], condition=Q(state__in=["withdrawn", "objected"]), name="consent_record_withdrawn"
            ),
        ]
        constraints = [
            # Two first answers to the same question race for one place; the loser gets 409, not a merge.
            models.UniqueConstraint(
                fields=["subject", "purpose", "scope"], condition=Q(supersedes=None), name="consent_record_first_answer"
            ),
        ]
        verbose_name = "consent record"

    def __str__(self) -> str:
        return f"{self.state} {self.purpose_id}"


class SavedRequest(models.Model):
    """The answer to a write that carried an idempotency key, so that the same request gets the same answer."""

    key = models.BinaryField(max_length=32, primary_key=True)  # SHA-256 of caller and key
    request_digest = models.BinaryField(max_length=32)
    response = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return bytes(self.key).hex()[:12]
