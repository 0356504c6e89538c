"""Frequency caps: how often an item, or a promotion, may be shown to one person."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from consent.models import Purpose
from policies.models.rules import refuse_unknown


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
        if not isinstance(self.purposes, list) or not all(isinstance(each, str) for each in self.purposes):
            raise ValidationError({"purposes": ["This is no list of names."]})
        known = set(Purpose.objects.values_list("slug", flat=True))
        refuse_unknown({"purposes": self.purposes}, {"purposes": known})

    def document(self) -> dict[str, Any]:
        """Return the cap as the policy reads it."""
        return {"about": str(self.about), "purposes": sorted(self.purposes), "most": self.most, "days": self.days}
