"""Rows of reviews: the register of what is marked for one."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from consent.models import Level, Purpose

_PERCENT = (MinValueValidator(1), MaxValueValidator(100))
_HOURS = (MinValueValidator(1), MaxValueValidator(24 * 365))


class ReviewRule(models.Model):
    """Mark of outputs that a person has to approve before they are shown. A condition that is empty is met by all.

    ``confidence_below``: only outputs whose confidence, in per cent, is lower. ``share``: per cent of people, always
    the same ones. ``due_hours``: after these an open review is escalated. ``serve_hours``: how long an approved output
    is shown.
    """

    slug = models.SlugField(max_length=64, unique=True)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    category = models.SlugField(max_length=64, blank=True)
    from_level = models.CharField(max_length=16, choices=Level, default=Level.SEGMENT)
    confidence_below = models.PositiveSmallIntegerField(null=True, blank=True, validators=_PERCENT)
    share = models.PositiveSmallIntegerField(default=100, validators=_PERCENT)
    four_eyes = models.BooleanField(default=False)
    due_hours = models.PositiveIntegerField(default=72, validators=_HOURS)
    serve_hours = models.PositiveIntegerField(default=24 * 30, validators=_HOURS)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = "rule of review"
        verbose_name_plural = "rules of review"
        constraints = [
            models.CheckConstraint(name="reviews_share", condition=Q(share__gte=1, share__lte=100)),
            models.CheckConstraint(
                name="reviews_confidence",
                condition=Q(confidence_below=None) | Q(confidence_below__gte=1, confidence_below__lte=100),
            ),
            models.CheckConstraint(name="reviews_hours", condition=Q(due_hours__gte=1, serve_hours__gte=1)),
        ]

    def __str__(self) -> str:
        return self.slug

    def mark(self) -> dict[str, Any]:
        """Return the rule as the policy reads it."""
        return {
            "purpose": self.purpose.slug if self.purpose else None,
            "category": self.category or None,
            "from_level": self.from_level,
            "confidence_below": self.confidence_below,
            "share": self.share,
            "four_eyes": self.four_eyes,
            "due_hours": self.due_hours,
            "serve_hours": self.serve_hours,
        }
