"""Rules of prices: how far a price that is made for a person may differ from the list price."""

from typing import Any

from django.db import models
from django.db.models import Q

from policies.models.rules import known_places, known_purposes, refuse_no_names, refuse_unknown


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
        refuse_no_names(lists)
        refuse_unknown(lists, {"regions": known_places(), "purposes": known_purposes()})

    def document(self) -> dict[str, Any]:
        """Return the rule as the policy reads it."""
        return {
            "regions": sorted(self.regions),
            "purposes": sorted(self.purposes),
            "most_below": self.most_below,
            "most_above": self.most_above,
        }
