"""Rules of ranking as change sets bring them into force, and a purpose that serves visitors."""

from typing import Any

from django.db import transaction

from consent.models import Purpose
from consent.register import register
from oversight import guard
from policies.models import RankingRule
from tests.helpers.rules import put_in_force

VISITS = "visits"


def rule(purpose: str, **fields: Any) -> RankingRule:
    """Put a rule in force, as a change set that was approved would; another of the same purpose is replaced."""
    row = RankingRule.objects.filter(purpose=purpose).first() or RankingRule(purpose=purpose)
    for name, value in fields.items():
        setattr(row, name, value)
    put_in_force(row)
    return row


def purpose_of_visits(**fields: Any) -> Purpose:
    """Register a purpose that rests on legitimate interests, and personalizes by views."""
    given = {"legal_basis": "legitimate_interests", "max_level": "contextual", **fields}
    with transaction.atomic(), guard.writing("test"):
        purpose = register.save_purpose(
            Purpose(slug=VISITS, name="Visits", actions=["personalize"], data_categories=["views"], **given),
            actor="test",
        )
        register.publish_notice(purpose=purpose, text="What you look at in a visit arranges its lists.", actor="test")
    return purpose
