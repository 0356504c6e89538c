"""Sites with a consent banner."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from common import patterns
from consent.models.register import Purpose

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


class Site(models.Model):
    """A website that asks through the banner. Browsers carry no credential: the origin ties a call to a site."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    origins = models.JSONField(default=list, validators=[check_origins])
    purposes = models.ManyToManyField(Purpose, related_name="sites")
    consent_mode = models.JSONField(default=dict, blank=True, validators=[check_consent_mode])
    region = models.CharField(max_length=8, blank=True, validators=[RegexValidator(f"^{patterns.REGION}$")])
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name
