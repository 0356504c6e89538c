"""Rules of ranking: what the lists of a purpose may be made of, beyond what a person's level permits."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from consent.models import Purpose
from consent.models.register import LegalBasis
from policies.models.rules import refuse_unknown


class RankingRule(models.Model):
    """Rule of ranking of one purpose, by its short name. Without a rule everything in it is off.

    ``serves_visitors``: visitors without any record get lists from what they look at in this visit, which is stored
    nowhere. ``segment_list``: whose list the level ``segment`` serves; people in no such group get that of their region
    and age band.
    """

    class SegmentList(models.TextChoices):
        """Which list the level ``segment`` serves."""

        REGION_AGE = "region_age", "By region and age band"
        READABLE = "readable", "By what people choose most, and how long they have been here"
        TASTE = "taste", "By taste: groups of at least 50 people"

    purpose = models.SlugField(max_length=64, unique=True)
    serves_visitors = models.BooleanField(default=False)
    segment_list = models.CharField(
        max_length=16, choices=SegmentList, default=SegmentList.REGION_AGE, db_default=SegmentList.REGION_AGE
    )

    class Meta:
        ordering = ["purpose"]
        verbose_name = "rule of ranking"
        verbose_name_plural = "rules of ranking"

    def __str__(self) -> str:
        return self.purpose

    def clean(self) -> None:
        """Refuse a purpose that is not registered, and visitors where consent is the basis."""
        bases = dict(Purpose.objects.values_list("slug", "legal_basis"))
        refuse_unknown({"purpose": [self.purpose]}, {"purpose": bases})
        if self.serves_visitors and bases[self.purpose] == LegalBasis.CONSENT:
            raise ValidationError(
                {"serves_visitors": "The purpose rests on consent, and of a visitor no consent can be kept."}
            )

    def document(self) -> dict[str, Any]:
        """Return the rule as policies and the recommender read it."""
        return {"serves_visitors": self.serves_visitors, "segment_list": self.segment_list}
