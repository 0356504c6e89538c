"""Rules of display: items that some people must not be shown, after a permit and a denial alike.

A rule is about items of some categories, with some flags, or about promotions. What has a flag that no rule speaks
about where a person is, is hidden there from everybody: so a flag of the law protects before a rule is written, and a
rule that says *show* is what lets such items be shown.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q

from policies.models.rules import known_places, known_purposes, refuse_no_names, refuse_unknown

AGE_BANDS = ("adult", "minor", "child")
LEGAL_FLAGS = {
    "alcohol": "Alcohol",
    "gambling": "Gambling",
    "medicine": "Medicine without prescription",
    "prescription": "Medicine on prescription",
    "sexual_content": "Sexual content",
    "tobacco": "Tobacco and nicotine",
    "violent_content": "Violent content",
    "weapons": "Weapons",
}
OUT_OF_STOCK = "out_of_stock"
ITEM_FLAGS = {**LEGAL_FLAGS, OUT_OF_STOCK: "Out of stock"}


class DisplayRule(models.Model):
    """Prohibition to show items of some categories or flags. A condition that is empty is met by everybody.

    What is not known of a person meets every condition about it: an unknown age counts as the most protected one.
    ``regions``: codes of regions, countries with all their parts, or residency groups. ``purposes``: with all that are
    narrower. ``from_day``, ``until_day``: the first and the last day, from their first to their last moment anywhere on
    Earth.

    With ``promotions_only`` it is about promoted items alone: of the categories and flags, or all where none is named.
    One that shows hides nothing: it says that flags need no other rule.
    """

    class Effect(models.TextChoices):
        HIDE = "hide", "Hide"
        SHOW = "show", "Show, where no other rule hides"

    slug = models.SlugField(max_length=64, unique=True)
    effect = models.CharField(max_length=4, choices=Effect, default=Effect.HIDE, db_default=Effect.HIDE)
    item_categories = models.JSONField(default=list, blank=True)
    item_flags = models.JSONField(default=list, blank=True, db_default=[])
    promotions_only = models.BooleanField(default=False, db_default=False)
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
            models.CheckConstraint(
                name="policies_display_items",
                condition=~Q(item_categories=[]) | ~Q(item_flags=[]) | Q(promotions_only=True),
            ),
            models.CheckConstraint(
                name="policies_display_shown",
                condition=Q(effect="hide")
                | Q(effect="show", item_categories=[], promotions_only=False, age_bands=[]) & ~Q(item_flags=[]),
            ),
            models.CheckConstraint(
                name="policies_display_days",
                condition=Q(from_day=None) | Q(until_day=None) | Q(from_day__lte=F("until_day")),
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Refuse names that are not registered, with the names known, and what is no list of names."""
        lists = ("item_categories", "item_flags", "age_bands", "regions", "purposes")
        named = {field: getattr(self, field) for field in lists}
        refuse_no_names(named)
        known = {
            "item_flags": set(ITEM_FLAGS),
            "age_bands": set(AGE_BANDS),
            "regions": known_places(),
            "purposes": known_purposes(),
        }
        refuse_unknown({field: named[field] for field in known}, known)

    def document(self) -> dict[str, Any]:
        """Return the rule as the policy reads it."""
        return {
            "effect": str(self.effect),
            "item_categories": sorted(self.item_categories),
            "item_flags": sorted(self.item_flags),
            "promotions_only": self.promotions_only,
            "age_bands": sorted(self.age_bands),
            "regions": sorted(self.regions),
            "purposes": sorted(self.purposes),
            "from": self.from_day.isoformat() if self.from_day else None,
            "until": self.until_day.isoformat() if self.until_day else None,
        }
