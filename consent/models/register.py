"""The register of processing: parties, purposes, their texts and notices."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from consent.models.data_categories import DataCategory
from consent.register import lint_rules


class Level(models.TextChoices):
    """Level of personal processing, least first (docs/glossary.md, "level")."""

    NONE = "none", "No personalisation"
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

    The fields a consent record must name (ISO/IEC TS 27560, "party"), and what a transfer to it rests on.
    """

    class Role(models.TextChoices):
        CONTROLLER = "controller", "Controller"
        JOINT_CONTROLLER = "joint_controller", "Joint controller"
        PROCESSOR = "processor", "Processor"
        RECIPIENT = "recipient", "Recipient"
        THIRD_PARTY = "third_party", "Third party"
        OFFICER = "dpo", "Data protection officer"
        AUTHORITY = "authority", "Supervisory authority"

    class TransferBasis(models.TextChoices):
        """GDPR Articles 45(3), 46(2)(b), (c), (e) and (f), 49(1)(a) and (b)."""

        ADEQUACY = "adequacy", "Adequacy decision"
        CLAUSES = "standard_clauses", "Standard contractual clauses"
        BINDING_RULES = "binding_rules", "Binding corporate rules"
        CODE = "code_of_conduct", "Code of conduct"
        CERTIFICATION = "certification", "Certification"
        EXPLICIT_CONSENT = "explicit_consent", "Explicit consent to the transfer"
        CONTRACT = "contract", "Performance of a contract with the person"

    slug = models.SlugField(max_length=64, unique=True)
    role = models.CharField(max_length=24, choices=Role, default=Role.CONTROLLER)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=300)
    country = models.CharField(max_length=2, help_text="ISO 3166-1, two letters.")
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    url = models.URLField(blank=True)
    contract = models.CharField(max_length=200, blank=True, default="", db_default="")
    transfer_basis = models.CharField(max_length=24, choices=TransferBasis, blank=True, default="", db_default="")

    class Meta:
        ordering = ["role", "name"]
        verbose_name_plural = "parties"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.country = self.country.upper()
        if not (len(self.country) == 2 and self.country.isascii() and self.country.isalpha()):
            raise ValidationError({"country": "Two letters, such as DE."})


class Purpose(models.Model):
    """A purpose: why personal data is processed. The slug is public and never changes."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    benefit = models.TextField(help_text="What the person gets from it, in plain words.")
    legal_basis = models.CharField("lawful basis", max_length=24, choices=LegalBasis, default=LegalBasis.CONSENT)
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
        "Explicit consent",
        default=False,
        help_text="Sensitive data: a yes counts only if it was given expressly, on its own (GDPR Article 9(2)(a)).",
    )

    class Meta:
        ordering = ["order", "slug"]
        verbose_name = "processing activity"
        verbose_name_plural = "processing activities"
        constraints = [
            models.CheckConstraint(
                name="consent_purpose_is_not_its_own_parent", condition=~Q(parent=F("id")) | Q(parent=None)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse data categories and recipients that no register knows, with the nearest names.

        Those that it named before are left to lint: they must not keep an officer from switching a purpose off.
        """
        before = Purpose.objects.filter(pk=self.pk).first() or Purpose()
        kinds = {*DataCategory.objects.values_list("slug", flat=True), *before.data_categories}
        parties = {*Party.objects.values_list("slug", flat=True), *before.recipients}
        unknown = {
            "data_categories": lint_rules.unknown_data(self.slug, self.data_categories, kinds),
            "recipients": lint_rules.unknown_recipients(self.slug, self.recipients, parties),
        }
        errors = {field: [finding.detail for finding in found] for field, found in unknown.items()}
        if any(errors.values()):
            raise ValidationError({field: found for field, found in errors.items() if found})

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


class PurposeData(models.Model):
    """Why a purpose needs a category of data, and what the person gains by it, in one language."""

    purpose = models.ForeignKey(Purpose, on_delete=models.CASCADE, related_name="data_reasons")
    category = models.ForeignKey(DataCategory, on_delete=models.PROTECT, related_name="reasons")
    locale = models.CharField(max_length=12, default="en")
    reason = models.TextField(max_length=1_000)
    benefit = models.TextField(max_length=1_000, blank=True)

    class Meta:
        ordering = ["purpose", "category", "locale"]
        verbose_name = "reason for a data category"
        verbose_name_plural = "reasons for data categories"
        constraints = [
            models.UniqueConstraint(fields=["purpose", "category", "locale"], name="consent_purpose_data_reason")
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.category} ({self.locale})"


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


# Of a purpose before its first notice.
NO_NOTICES = {"current": 0, "required": 0}


def current_notice_versions() -> dict[str, dict[str, int]]:
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
