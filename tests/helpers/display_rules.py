"""Rules of display as change sets bring them into force."""

from typing import Any

from policies.models import DisplayRule
from tests.helpers.rules import put_in_force


def rule(slug: str, *categories: str, **conditions: Any) -> DisplayRule:
    """Put a rule in force, as a change set that was approved would."""
    row = DisplayRule(slug=slug, item_categories=list(categories), **{"reason": "A law.", **conditions})
    put_in_force(row)
    return row
