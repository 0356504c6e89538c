"""Item of the catalogue."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q

from common import patterns

is_an_id = RegexValidator(rf"\A{patterns.NAME}\Z", "Use 1 to 64 letters, digits and . _ - (no blanks, no commas).")
OLDEST_MIN_AGE = 21


# What rules of display look for in an item, computed by the database whichever way the item is written.
_TAGGED = ("categories", "legal_flags", "restricted_regions", "min_age", "stock", "is_promoted", "removed_at")


class Item(models.Model):
    """Catalogue item that can be recommended.

    ``keeper``: the service whose item it is; another one may not change it. Empty: any with the scope may.
    ``removed_at``: a removed item stays as a name and a title while events of people are about it, and is neither
    recommended nor named as a reason.
    """

    slug = models.CharField(max_length=64, primary_key=True, validators=[is_an_id])
    title = models.CharField(max_length=160)
    description = models.CharField(max_length=2000, blank=True, default="", db_default="")
    categories = models.JSONField(default=list, blank=True)
    is_active = models.BooleanField(default=True)
    # Who made it, by the name the business knows the creator under; empty where it does not say.
    creator = models.CharField(max_length=64, blank=True, default="", db_default="")
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)  # the list price
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")  # ISO 4217
    stock = models.PositiveIntegerField(null=True, blank=True)  # None: not counted
    is_editorial = models.BooleanField(default=False, db_default=False)
    is_promoted = models.BooleanField(default=False, db_default=False)
    min_age = models.PositiveSmallIntegerField(null=True, blank=True)
    legal_flags = models.JSONField(default=list, blank=True, db_default=[])
    restricted_regions = models.JSONField(default=list, blank=True, db_default=[])
    keeper = models.CharField(max_length=96, blank=True, default="", db_default="")
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)
    tags = models.GeneratedField(
        expression=Func(*map(F, _TAGGED), function="assent_item_tags"),
        output_field=models.JSONField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["title"]
        indexes = [
            models.Index(fields=["creator"], condition=~Q(creator=""), name="personalization_item_creator"),
            # Serves the nightly look for removed items that nothing is about any more.
            models.Index(
                fields=["removed_at"], condition=Q(removed_at__isnull=False), name="personalization_item_removed"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="personalization_item_price",
                condition=Q(price__isnull=True, currency="") | Q(price__gte=0) & ~Q(currency=""),
            ),
        ]

    def __str__(self) -> str:
        return self.title
