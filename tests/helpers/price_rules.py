"""Rules of prices as change sets bring them into force."""

from typing import Any

from django.db import transaction

from common import policy_data
from oversight import guard
from policies.models import PriceRule


def rule(slug: str, *, below: int = 0, above: int = 0, **conditions: Any) -> PriceRule:
    """Put a rule in force, as a change set that was approved would."""
    row = PriceRule(slug=slug, most_below=below, most_above=above, **{"reason": "A law.", **conditions})
    row.full_clean()
    with transaction.atomic(), guard.writing("test"):
        row.save()
        policy_data.changed(reason=f"rule {slug}", actor="test")
    return row
