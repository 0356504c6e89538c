"""Rules of prices as change sets bring them into force."""

from typing import Any

from policies.models import PriceRule
from tests.helpers.rules import put_in_force


def rule(slug: str, *, below: int = 0, above: int = 0, **conditions: Any) -> PriceRule:
    """Put a rule in force, as a change set that was approved would."""
    row = PriceRule(slug=slug, most_below=below, most_above=above, **{"reason": "A law.", **conditions})
    put_in_force(row)
    return row
