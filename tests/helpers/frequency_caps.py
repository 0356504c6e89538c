"""Frequency caps as change sets bring them into force."""

from typing import Any

from policies.models import FrequencyCap
from tests.helpers.rules import put_in_force


def cap(slug: str, about: str, most: int, days: int, **conditions: Any) -> FrequencyCap:
    """Put a cap in force, as a change set that was approved would."""
    row = FrequencyCap(slug=slug, about=about, most=most, days=days, **{"reason": "A decision.", **conditions})
    put_in_force(row)
    return row
