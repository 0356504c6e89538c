"""Frequency caps: how often an item, or a promotion, may be shown to one person."""

from typing import Any

from django.db import models
from django.db.models import Q

from policies.models.rules import known_purposes, refuse_no_names, refuse_unknown


class FrequencyCap(models.Model):
    """At most so many showings of the same item, or promotion, to a person in so many days.

    ``purposes``: with all that are narrower; empty: all. It counts only where the purpose names ``showings`` among its
    data and the person permits it.
    """

    class About(models.TextChoices):
        ITEMS = "items", "Every item"
        PROMOTIONS = "promotions", "Promoted items"

    slug = models.SlugField(max_length=64, unique=True)
    about = models.CharField(max_length=10, choices=About, default=About.PROMOTIONS)
    purposes = models.JSONField(default=list, blank=True)
    most = models.PositiveSmallIntegerField()
    days = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["slug"]
        verbose_name = "frequency cap"
        constraints = [
            models.CheckConstraint(
                name="policies_cap_bounds", condition=Q(most__gte=1, most__lte=100, days__gte=1, days__lte=31)
            )
        ]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Refuse purposes that are not registered, with the names known."""
        named = {"purposes": self.purposes}
        refuse_no_names(named)
        refuse_unknown(named, {"purposes": known_purposes()})

    def document(self) -> dict[str, Any]:
        """Return the cap as the policy reads it."""
        return {"about": str(self.about), "purposes": sorted(self.purposes), "most": self.most, "days": self.days}
