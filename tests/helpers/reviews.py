"""Rules of review as change sets bring them into force."""

from typing import Any

from django.db import transaction

from common import policy_data
from consent.models import Purpose
from model_registry.reviews.descriptors import REVIEW_RULE
from model_registry.reviews.models import ReviewRule
from oversight import guard


def rule(slug: str, *, purpose: str | None = None, **members: Any) -> ReviewRule:
    """Put a rule in force, as a change set that was approved would."""
    row = ReviewRule.objects.filter(slug=slug).first() or ReviewRule(slug=slug)
    row.purpose = Purpose.objects.get(slug=purpose) if purpose else None
    for name, value in members.items():
        setattr(row, name, value)
    with transaction.atomic(), guard.writing("test"):
        assert REVIEW_RULE.save is not None
        REVIEW_RULE.save(row, row.pk is None)
        policy_data.changed(reason=f"rule {slug}", actor="test")
    return row
