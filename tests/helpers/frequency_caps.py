"""Frequency caps as change sets bring them into force."""

from typing import Any

from django.db import transaction

from common import policy_data
from oversight import guard
from policies.models import FrequencyCap


def cap(slug: str, about: str, most: int, days: int, **conditions: Any) -> FrequencyCap:
    """Put a cap in force, as a change set that was approved would."""
    row = FrequencyCap(slug=slug, about=about, most=most, days=days, **{"reason": "A decision.", **conditions})
    row.full_clean()
    with transaction.atomic(), guard.writing("test"):
        row.save()
        policy_data.changed(reason=f"cap {slug}", actor="test")
    return row
