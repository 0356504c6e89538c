"""Rules of display: items of a category that some people must not be shown, in permits and denials alike."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from consent.models import Purpose
from policies.models.rules import Region, refuse_unknown

AGE_BANDS = ("adult", "minor", "child")
_LONGEST = 64  # of an item's category


class DisplayRule(models.Model):
    """Prohibition to show items of some categories. A condition that is empty is met by everybody.

    What is not known of a person meets every condition about it: an unknown age counts as the most protected one.
    ``regions``: codes of regions, countries with all their parts, or residency groups. ``purposes``: with all that are
    narrower. ``from_day``, ``until_day``: the first and the last day, from their first to their last moment anywhere on
    Earth.
    """

    slug = models.SlugField(max_length=64, unique=True)
    item_categories = models.JSONField(default=list)
    age_bands = models.JSONField(default=list, blank=True)
    regions = models.JSONField(default=list, blank=True)
    purposes = models.JSONField(default=list, blank=True)
    from_day = models.DateField(null=True, blank=True)
    until_day = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["slug"]
        verbose_name = "rule of display"
        verbose_name_plural = "rules of display"
        constraints = [
            models.CheckConstraint(name="policies_display_categories", condition=~Q(item_categories=[])),
            models.CheckConstraint(
                name="policies_display_days",
                condition=Q(from_day=None) | Q(until_day=None) | Q(from_day__lte=F("until_day")),
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Refuse names that are not registered, with the names known, and what is no list of names."""
        named = {field: getattr(self, field) for field in ("item_categories", "age_bands", "regions", "purposes")}
        faults = {field: ["This is no list of names."] for field, value in named.items() if not _is_names(value)}
        if faults:
            raise ValidationError(faults)
        regions = Region.objects.values_list("code", "group")
        known = {
            "age_bands": set(AGE_BANDS),
            "regions": {name for code, group in regions for name in (code, code.partition("-")[0], group)},
            "purposes": set(Purpose.objects.values_list("slug", flat=True)),
        }
        refuse_unknown({field: named[field] for field in known}, known)

    def document(self) -> dict[str, Any]:
        """Return the rule as the policy reads it."""
        return {
            "item_categories": sorted(self.item_categories),
            "age_bands": sorted(self.age_bands),
            "regions": sorted(self.regions),
            "purposes": sorted(self.purposes),
            "from": self.from_day.isoformat() if self.from_day else None,
            "until": self.until_day.isoformat() if self.until_day else None,
        }


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and 0 < len(each) <= _LONGEST for each in value)
