"""Choices of a time long ago."""

from datetime import datetime
from typing import Any
from unittest.mock import patch


def save(api: Any, moment: datetime, person: str, choice: str, purpose: str = "recommendations") -> None:
    """Save a choice as the service would have at that moment."""
    with patch("django.utils.timezone.now", lambda: moment):
        answer = api.save(person, choice, purpose)
    assert answer.status_code == 201, answer.content
