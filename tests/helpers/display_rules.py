"""Rules of display as change sets bring them into force."""

from typing import Any

from django.db import transaction

from common import policy_data
from oversight import guard
from policies.models import DisplayRule


def rule(slug: str, *categories: str, **conditions: Any) -> DisplayRule:
    """Put a rule in force, as a change set that was approved would."""
    row = DisplayRule(slug=slug, item_categories=list(categories), **{"reason": "A law.", **conditions})
    row.full_clean()
    with transaction.atomic(), guard.writing("test"):
        row.save()
        policy_data.changed(reason=f"rule {slug}", actor="test")
    return row
