"""Rules as data that officers edit: where people live, where processing runs, what may cross."""

from django.db import models

from consent.models import Level


class Jurisdiction(models.Model):
    """Whose law protects a person, and the caps that law sets."""

    slug = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    signal_caps = models.JSONField(default=dict, blank=True, help_text='Signal to level: {"gpc": "behavioral"}')
    minor_max_level = models.CharField(max_length=16, choices=Level, default=Level.NONE)
    unknown_age_is_adult = models.BooleanField(default=False)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Region(models.Model):
    """Where people live: an ISO 3166 code, its residency group, its law, its clock."""

    code = models.CharField(max_length=8, unique=True)
    name = models.CharField(max_length=80)
    group = models.SlugField(max_length=32)
    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT)
    time_zone = models.CharField(max_length=40, default="UTC")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class ProcessingRegion(models.Model):
    """Where computers stand."""

    slug = models.SlugField(max_length=32, unique=True)
    group = models.SlugField(max_length=32)

    class Meta:
        ordering = ["slug"]
        verbose_name = "processing region"

    def __str__(self) -> str:
        return self.slug


class TransferInstrument(models.Model):
    """What makes a transfer lawful: an adequacy decision, standard contractual clauses; it can end."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=160)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "transfer instrument"

    def __str__(self) -> str:
        return self.name


class ResidencyRule(models.Model):
    """Data of people in one group may be processed in another. What no rule allows is denied."""

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


class SensitiveCategory(models.Model):
    """Data that needs explicit consent of its own (GDPR Article 9)."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["slug"]
        verbose_name = "sensitive category"
        verbose_name_plural = "sensitive categories"

    def __str__(self) -> str:
        return self.name
