"""Rules of masking as change sets bring them into force."""

from typing import Any

from policies.models import MaskRule
from tests.helpers.rules import put_in_force


def rule(slug: str, *fields: str, **conditions: Any) -> MaskRule:
    """Put a rule in force, as a change set that was approved would."""
    row = MaskRule(slug=slug, item_fields=list(fields), **{"reason": "A decision.", **conditions})
    put_in_force(row)
    return row
