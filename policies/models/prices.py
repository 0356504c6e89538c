"""Rules of prices: how far a price that is made for a person may differ from the list price."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from consent.models import Purpose
from policies.models.rules import Region, refuse_unknown


class PriceRule(models.Model):
    """Bounds of personal prices, in per cent of the list price. All rules about a person bind, so the narrowest does.

    ``regions``: codes of regions, countries with all their parts, or residency groups; empty: everywhere.
    ``purposes``: with all that are narrower; empty: all. ``most_above`` 0: never above the list price.
    """

    slug = models.SlugField(max_length=64, unique=True)
    regions = models.JSONField(default=list, blank=True)
    purposes = models.JSONField(default=list, blank=True)
    most_below = models.PositiveSmallIntegerField(default=0)
    most_above = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["slug"]
        verbose_name = "rule of prices"
        verbose_name_plural = "rules of prices"
        constraints = [
            models.CheckConstraint(name="policies_price_percent", condition=Q(most_below__lte=100, most_above__lte=100))
        ]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Refuse names that are not registered, with the names known, and what is no list of names."""
        lists = {"regions": self.regions, "purposes": self.purposes}
        faults = {name: ["This is no list of names."] for name, value in lists.items() if not _is_names(value)}
        if faults:
            raise ValidationError(faults)
        regions = Region.objects.values_list("code", "group")
        known = {
            "regions": {name for code, group in regions for name in (code, code.partition("-")[0], group)},
            "purposes": set(Purpose.objects.values_list("slug", flat=True)),
        }
        refuse_unknown(lists, known)

    def document(self) -> dict[str, Any]:
        """Return the rule as the policy reads it."""
        return {
            "regions": sorted(self.regions),
            "purposes": sorted(self.purposes),
            "most_below": self.most_below,
            "most_above": self.most_above,
        }


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)
