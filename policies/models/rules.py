"""Rules as data that officers edit: where people live, where processing runs, what may cross."""

from collections.abc import Collection, Iterable, Mapping

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from common.registers import nearest
from consent.models import DataCategory, Level, Purpose

_AGES = [MinValueValidator(1), MaxValueValidator(18)]
_LONGEST = 64  # of a name
_DAYS = [MinValueValidator(1), MaxValueValidator(3660)]


class Jurisdiction(models.Model):
    """Law that protects a person, and the caps that law sets. What a row does not state is the strictest.

    Rows start from the packs of ``consent.register.jurisdictions``; officers edit them.
    """

    class ConsentDefault(models.TextChoices):
        OPT_IN = "opt_in", "Ask first (opt-in)"
        OPT_OUT = "opt_out", "Until the person says no (opt-out)"

    class Unit(models.TextChoices):
        CALENDAR = "calendar", "Calendar days"
        BUSINESS = "business", "Business days"

    class Signal(models.TextChoices):
        GPC = "gpc", "Global Privacy Control"
        GPP = "gpp", "GPP string"
        TCF = "tcf", "TCF string"

    slug = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    source = models.TextField(blank=True, default="", db_default="")
    consent_default = models.CharField(
        max_length=8, choices=ConsentDefault, default=ConsentDefault.OPT_IN, db_default=ConsentDefault.OPT_IN
    )
    unasked_max_level = models.CharField(max_length=16, choices=Level, default=Level.NONE, db_default=Level.NONE)
    consent_days = models.PositiveSmallIntegerField(default=365, db_default=365, validators=_DAYS)
    reask_days = models.PositiveSmallIntegerField(default=365, db_default=365, validators=_DAYS)
    age_of_consent = models.PositiveSmallIntegerField(default=18, db_default=18, validators=_AGES)
    opt_in_below = models.PositiveSmallIntegerField(null=True, blank=True, validators=_AGES)
    answer_days = models.PositiveSmallIntegerField(default=15, db_default=15, validators=_DAYS)
    extension_days = models.PositiveSmallIntegerField(default=0, db_default=0)
    answer_unit = models.CharField(max_length=8, choices=Unit, default=Unit.CALENDAR, db_default=Unit.CALENDAR)
    confirm_days = models.PositiveSmallIntegerField(null=True, blank=True, validators=_DAYS)
    confirm_unit = models.CharField(max_length=8, choices=Unit, default=Unit.CALENDAR, db_default=Unit.CALENDAR)
    binding_signals = ArrayField(
        models.CharField(max_length=8, choices=Signal), default=list, blank=True, db_default=[]
    )
    signal_caps = models.JSONField(default=dict, blank=True, help_text='Signal to level: {"gpc": "behavioral"}')
    minor_max_level = models.CharField(max_length=16, choices=Level, default=Level.NONE)
    unknown_age_is_adult = models.BooleanField(default=False)
    pack_revision = models.CharField(max_length=71, blank=True, default="", db_default="", editable=False)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Region(models.Model):
    """Region people live in: an ISO 3166 code, its residency group, its law, its time zone."""

    code = models.CharField(max_length=8, unique=True)
    name = models.CharField(max_length=80)
    group = models.SlugField(max_length=32)
    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT)
    age_of_consent = models.PositiveSmallIntegerField(null=True, blank=True, validators=_AGES)
    time_zone = models.CharField(max_length=40, default="UTC")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class ProcessingRegion(models.Model):
    """Region where data is processed."""

    slug = models.SlugField(max_length=32, unique=True)
    group = models.SlugField(max_length=32)

    class Meta:
        ordering = ["slug"]
        verbose_name = "processing region"

    def __str__(self) -> str:
        return self.slug


class TransferInstrument(models.Model):
    """Lawful ground of a transfer: an adequacy decision, standard contractual clauses; it can end."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=160)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "transfer instrument"

    def __str__(self) -> str:
        return self.name


class ResidencyRule(models.Model):
    """Permission to process one group's data in another. What no rule allows is denied."""

    slug = models.SlugField(max_length=64, unique=True)
    subject_group = models.SlugField(max_length=32)
    processing_group = models.SlugField(max_length=32)
    data_categories = models.JSONField(default=list, help_text='["*"] for all')
    instrument = models.ForeignKey(TransferInstrument, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "residency rule"

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Refuse groups that no region is in and data categories that are not registered, with the names known."""
        known = {
            "subject_group": people_groups(),
            "processing_group": processing_groups(),
            "data_categories": {"*", *DataCategory.objects.values_list("slug", flat=True)},
        }
        named = {
            "subject_group": [self.subject_group],
            "processing_group": [self.processing_group],
            "data_categories": self.data_categories,
        }
        refuse_unknown(named, known)


def people_groups() -> set[str]:
    """Return the residency groups that people live in."""
    return set(Region.objects.values_list("group", flat=True))


def processing_groups() -> set[str]:
    """Return the residency groups that a rule may permit processing in: of processing regions, or of people."""
    return set(ProcessingRegion.objects.values_list("group", flat=True)) | people_groups()


def refuse_no_names(named: Mapping[str, object]) -> None:
    """Raise ValidationError for each field whose value is no list of names."""
    errors = {field: ["This is no list of names."] for field, value in named.items() if not _is_names(value)}
    if errors:
        raise ValidationError(errors)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and 0 < len(each) <= _LONGEST for each in value)


def known_places() -> set[str]:
    """Return what a rule may name people's places by: codes of regions, countries with all their parts, groups."""
    regions = Region.objects.values_list("code", "group")
    return {name for code, group in regions for name in (code, code.partition("-")[0], group)}


def known_purposes() -> set[str]:
    return set(Purpose.objects.values_list("slug", flat=True))


def refuse_unknown(named: Mapping[str, Iterable[str]], known: Mapping[str, Collection[str]]) -> None:
    """Raise ValidationError for each name that is not among those known for its field."""
    errors = {
        field: [f"“{name}” is not registered. {nearest.hint(name, known[field])}" for name in names]
        for field, names in ((f, [n for n in ns if n not in known[f]]) for f, ns in named.items())
        if names
    }
    if errors:
        raise ValidationError(errors)


class SensitiveCategory(models.Model):
    """Category of data that needs explicit consent of its own (GDPR Article 9)."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["slug"]
        verbose_name = "sensitive category"
        verbose_name_plural = "sensitive categories"

    def __str__(self) -> str:
        return self.name
