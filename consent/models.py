"""The register of processing (purposes, notices) and the consent ledger with its one-row projection."""

import re
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from common.identifiers import uuid7

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
CONSENT_MODE_SIGNALS = (
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
)


def check_origins(value: object) -> None:
    """Refuse what a browser would not send as ``Origin``: paths, wildcards, capital letters, ``null``."""
    if not isinstance(value, list) or not all(
        isinstance(origin, str) and _ORIGIN.fullmatch(origin) for origin in value
    ):
        raise ValidationError("Each origin is a scheme and a host, such as https://shop.example, without a path.")


def check_consent_mode(value: object) -> None:
    """Refuse anything but a purpose's slug with a list of Google's signals."""
    if not isinstance(value, dict) or not all(
        isinstance(signals, list) and set(map(str, signals)) <= set(CONSENT_MODE_SIGNALS) for signals in value.values()
    ):
        raise ValidationError(f"Name signals for a purpose, out of: {', '.join(CONSENT_MODE_SIGNALS)}.")


class Level(models.TextChoices):
    """Level of personal processing, least first (docs/glossary.md, "level")."""

    NONE = "none", "None"
    SEGMENT = "segment", "Segment"
    BEHAVIORAL = "behavioral", "Behavioral"
    CONTEXTUAL = "contextual", "Contextual"
    INDIVIDUAL = "individual", "Individual"


class LegalBasis(models.TextChoices):
    """GDPR Article 6(1), letters a to f."""

    CONSENT = "consent", "Consent"
    CONTRACT = "contract", "Contract"
    LEGAL_OBLIGATION = "legal_obligation", "Legal obligation"
    VITAL_INTERESTS = "vital_interests", "Vital interests"
    PUBLIC_TASK = "public_task", "Public task"
    LEGITIMATE_INTERESTS = "legitimate_interests", "Legitimate interests"


class Party(models.Model):
    """A party: controller, processor, recipient, data protection officer or supervisory authority.

    The fields a consent record must name (ISO/IEC TS 27560, "party").
    """

    class Role(models.TextChoices):
        CONTROLLER = "controller", "Controller"
        PROCESSOR = "processor", "Processor"
        RECIPIENT = "recipient", "Recipient"
        OFFICER = "dpo", "Data protection officer"
        AUTHORITY = "authority", "Supervisory authority"

    slug = models.SlugField(max_length=64, unique=True)
    role = models.CharField(max_length=12, choices=Role, default=Role.CONTROLLER)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=300)
    country = models.CharField(max_length=2, help_text="ISO 3166-1, two letters.")
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    url = models.URLField(blank=True)

    class Meta:
        ordering = ["role", "name"]
        verbose_name_plural = "parties"

    def __str__(self) -> str:
        return self.name


class Purpose(models.Model):
    """A purpose: why personal data is processed. The slug is public and never changes."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    benefit = models.TextField(help_text="What the person gets from it, in plain words.")
    legal_basis = models.CharField(max_length=24, choices=LegalBasis, default=LegalBasis.CONSENT)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="narrower")
    actions = models.JSONField(default=list, help_text="What may be done: personalize, collect, train, share ...")
    data_categories = models.JSONField(default=list)
    recipients = models.JSONField(default=list, blank=True)
    channels = models.JSONField(default=list, blank=True)
    max_level = models.CharField(max_length=16, choices=Level, default=Level.NONE)
    consent_valid_for = models.DurationField(
        default=timedelta(days=730), help_text="After this time a consent has expired and must be asked again."
    )
    dpv_purpose = models.CharField(
        max_length=64, default="ServicePersonalisation", help_text="The purpose as a term of the W3C DPV."
    )
    kept_for = models.CharField(max_length=200, blank=True, help_text="How long the data is kept, in plain words.")
    controller = models.ForeignKey("Party", on_delete=models.PROTECT, null=True, blank=True, related_name="purposes")
    order = models.PositiveSmallIntegerField(default=100)
    is_active = models.BooleanField(default=True)
    explicit_consent = models.BooleanField(
        "Ask explicitly",
        default=False,
        help_text="Sensitive data: a yes counts only if it was given expressly, on its own (GDPR Article 9(2)(a)).",
    )

    class Meta:
        ordering = ["order", "slug"]
        constraints = [
            models.CheckConstraint(
                name="consent_purpose_is_not_its_own_parent", condition=~Q(parent=F("id")) | Q(parent=None)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def needs_consent(self) -> bool:
        return self.legal_basis == LegalBasis.CONSENT

    @property
    def may_be_objected(self) -> bool:
        """Return whether the purpose can be objected to: public task or legitimate interest (GDPR Article 21(1))."""
        return self.legal_basis in (LegalBasis.LEGITIMATE_INTERESTS, LegalBasis.PUBLIC_TASK)


class PurposeText(models.Model):
    """A purpose's name and benefit in another language than the register's own."""

    purpose = models.ForeignKey(Purpose, on_delete=models.CASCADE, related_name="texts")
    locale = models.CharField(max_length=12)
    name = models.CharField(max_length=120)
    benefit = models.TextField()
    kept_for = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["purpose", "locale"]
        constraints = [models.UniqueConstraint(fields=["purpose", "locale"], name="consent_purpose_text")]

    def __str__(self) -> str:
        return f"{self.name} ({self.locale})"


class Notice(models.Model):
    """The text a person is shown before choosing. Immutable once published; a change is a new version."""

    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="notices")
    version = models.PositiveIntegerField()
    locale = models.CharField(max_length=12, default="en")
    text = models.TextField()
    text_sha256 = models.CharField(max_length=64, editable=False)
    is_material = models.BooleanField(
        default=True, help_text="A material change asks everybody again; a cosmetic one does not."
    )
    published_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["purpose", "-version", "locale"]
        constraints = [
            models.UniqueConstraint(fields=["purpose", "version", "locale"], name="consent_notice_version"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} v{self.version} ({self.locale})"


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
    # Since when an opt-out signal of the person's browser is remembered; it counts without being sent again.
    gpc_since = models.DateTimeField("Opted out by signal since", null=True, editable=False)
    last_digest = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "data subject"

    def __str__(self) -> str:
        return f"person {str(self.ref)[:8]}"


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


class SubjectLink(models.Model):
    """A single-use link to a privacy dashboard and the short session it opens. Only hashes are stored."""

    token_hash = models.BinaryField(max_length=32, primary_key=True)
    subject_ref = models.UUIDField(db_index=True)
    issued_by = models.CharField(max_length=120)
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    opened_at = models.DateTimeField(null=True)
    session_hash = models.BinaryField(max_length=32, null=True, unique=True)
    session_expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link of {self.issued_at:%Y-%m-%d %H:%M}"


class DailyCount(models.Model):
    """Daily count of one kind of event: what the trust metrics are made of. Never names a person."""

    day = models.DateField()
    what = models.CharField(max_length=32)
    purpose = models.CharField(max_length=64, blank=True)
    region = models.CharField(max_length=8, blank=True)
    notice_version = models.PositiveIntegerField(default=0)
    count = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-day", "what"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "what", "purpose", "region", "notice_version"], name="consent_daily_count"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} x {self.what} on {self.day}"


class ConsentImport(models.Model):
    """An import of choices from another system, and its progress: moved on in each batch's transaction."""

    file_sha256 = models.CharField("SHA-256 of the file", max_length=64, unique=True)
    system = models.CharField(max_length=64)
    actor = models.CharField(max_length=120)
    line = models.BigIntegerField(default=0)  # the last one dealt with
    offset = models.BigIntegerField(default=0)  # where the next one starts, in bytes of the unpacked file
    report_bytes = models.BigIntegerField(default=0)  # how much of the report belongs to the lines dealt with
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


class Site(models.Model):
    """A website that asks through the banner. Browsers carry no credential: the origin ties a call to a site."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    origins = models.JSONField(default=list, validators=[check_origins])
    purposes = models.ManyToManyField(Purpose, related_name="sites")
    consent_mode = models.JSONField(default=dict, blank=True, validators=[check_consent_mode])
    region = models.CharField(max_length=8, blank=True, validators=[RegexValidator(r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")])
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


def current_notice_versions() -> dict[str, dict[str, Any]]:
    """Return, per purpose, the newest notice version and the newest *material* one a consent must have seen."""
    rows = (
        Notice.objects.values("purpose__slug")
        .annotate(
            current=models.Max("version"),
            required=models.Max("version", filter=Q(is_material=True)),
        )
        .values_list("purpose__slug", "current", "required")
    )
    return {slug: {"current": current, "required": required or 1} for slug, current, required in rows}
