"""Rules of masking: fields of an item that an answer about some people does not hold."""

from typing import Any

from django.db import models
from django.db.models import Q

from policies.models.display import AGE_BANDS
from policies.models.rules import known_places, known_purposes, refuse_no_names, refuse_unknown

# Of Assent's own answers. An item's id and what the law wants shown with it (advertising, a personal price) stay.
ANSWERED_FIELDS = {
    "title": "Title",
    "basis": "Basis",
    "because": "Items of the person that speak for it",
    "despite": "Items of the person that speak against it",
    "why": "Reason in words",
    "tried_out": "Whether it is tried out",
    "price": "Price",
    "list_price": "List price",
}
# Those and others of the catalogue, which services show beside them.
ITEM_FIELDS = {
    **ANSWERED_FIELDS,
    "categories": "Categories",
    "creator": "Creator",
    "description": "Description",
    "stock": "Stock",
}


class MaskRule(models.Model):
    """Fields that are masked for some people. A condition that is empty is met by everybody.

    What is not known of a person meets every condition about it, as for rules of display.
    ``regions``: codes of regions, countries with all their parts, or residency groups. ``purposes``: with all that are
    narrower.
    """

    slug = models.SlugField(max_length=64, unique=True)
    item_fields = models.JSONField(default=list)
    age_bands = models.JSONField(default=list, blank=True)
    regions = models.JSONField(default=list, blank=True)
    purposes = models.JSONField(default=list, blank=True)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["slug"]
        verbose_name = "rule of masking"
        verbose_name_plural = "rules of masking"
        constraints = [models.CheckConstraint(name="policies_mask_fields", condition=~Q(item_fields=[]))]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Refuse fields and names that are not known, with those that are, and what is no list of names."""
        lists = ("item_fields", "age_bands", "regions", "purposes")
        named = {field: getattr(self, field) for field in lists}
        refuse_no_names(named)
        known = {
            "item_fields": set(ITEM_FIELDS),
            "age_bands": set(AGE_BANDS),
            "regions": known_places(),
            "purposes": known_purposes(),
        }
        refuse_unknown(named, known)

    def document(self) -> dict[str, Any]:
        """Return the rule as the policy reads it."""
        return {name: sorted(getattr(self, name)) for name in ("item_fields", "age_bands", "regions", "purposes")}
