"""Rules of ranking: what the lists of a purpose may be made of, beyond what a person's level permits."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from consent.models import Purpose
from consent.models.register import LegalBasis
from policies.models.rules import refuse_unknown

MOST_WEIGHT = 90
"""Per cent that relevance may lose to the other objectives."""
MOST_TRIED, MOST_SMALL = 20, 50


class RankingRule(models.Model):
    """Rule of ranking of one purpose, by its short name. Without a rule everything in it is off.

    ``serves_visitors``: visitors without any record get lists from what they look at in this visit, which is stored
    nowhere. ``segment_list``: whose list the level ``segment`` serves; people in no such group get that of their region
    and age band.

    ``variety``, ``novelty``, ``balance``: per cent of the weight that relevance loses to them in personal lists.
    ``tried_share``: per cent of their places for items that are tried out. ``small_creator_share``: per cent of their
    places, at least, for creators of up to ``small_creator_items`` items.
    """

    class SegmentList(models.TextChoices):
        """Which list the level ``segment`` serves."""

        REGION_AGE = "region_age", "By region and age band"
        READABLE = "readable", "By what people choose most, and how many things they chose"
        TASTE = "taste", "By taste: groups of at least 50 people"

    purpose = models.SlugField(max_length=64, unique=True)
    serves_visitors = models.BooleanField(default=False)
    segment_list = models.CharField(
        max_length=16, choices=SegmentList, default=SegmentList.REGION_AGE, db_default=SegmentList.REGION_AGE
    )

    variety = models.PositiveSmallIntegerField(default=0, db_default=0)
    novelty = models.PositiveSmallIntegerField(default=0, db_default=0)
    balance = models.PositiveSmallIntegerField(default=0, db_default=0)
    tried_share = models.PositiveSmallIntegerField(default=0, db_default=0, validators=[MaxValueValidator(MOST_TRIED)])
    small_creator_share = models.PositiveSmallIntegerField(
        default=0, db_default=0, validators=[MaxValueValidator(MOST_SMALL)]
    )
    small_creator_items = models.PositiveSmallIntegerField(default=5, db_default=5, validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["purpose"]
        verbose_name = "rule of ranking"
        verbose_name_plural = "rules of ranking"
        constraints = [
            models.CheckConstraint(
                name="policies_ranking_weights", condition=Q(variety__lte=MOST_WEIGHT - F("novelty") - F("balance"))
            ),
            models.CheckConstraint(
                name="policies_ranking_shares",
                condition=Q(tried_share__lte=MOST_TRIED, small_creator_share__lte=MOST_SMALL)
                & Q(small_creator_items__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.purpose

    def clean(self) -> None:
        """Refuse a purpose that is not registered, and visitors where consent is the basis."""
        if self.variety + self.novelty + self.balance > MOST_WEIGHT:
            raise ValidationError(f"Relevance keeps at least {100 - MOST_WEIGHT} per cent: the weights are too high.")
        bases = dict(Purpose.objects.values_list("slug", "legal_basis"))
        refuse_unknown({"purpose": [self.purpose]}, {"purpose": bases})
        if self.serves_visitors and bases[self.purpose] == LegalBasis.CONSENT:
            raise ValidationError(
                {"serves_visitors": "The purpose rests on consent, and of a visitor no consent can be kept."}
            )

    def document(self) -> dict[str, Any]:
        """Return the rule as policies and the recommender read it."""
        members = [field.name for field in self._meta.concrete_fields if field.name not in ("id", "purpose")]
        return {name: getattr(self, name) for name in members}
