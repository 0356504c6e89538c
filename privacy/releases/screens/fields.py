"""Fields of the forms of releases: what they hold, and which of them a refusal is about."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest

from common.http.problems import Problem
from privacy.releases.problems import AskedWrongly


def whole(said: Mapping[str, str], field: str, name: str) -> int:
    """Return a field's whole number. Raises AskedWrongly."""
    text = said.get(field, "").strip()
    if not (text.isdecimal() and len(text) < 10):
        raise AskedWrongly(f"“{name}” is a whole number.", field=field)
    return int(text)


def share(said: Mapping[str, str], field: str, name: str) -> float:
    """Return a field's number between 0 and 1. Raises AskedWrongly."""
    try:
        found = float(said.get(field, "").replace(",", "."))
    except ValueError:
        found = -1
    if not 0 <= found <= 1:
        raise AskedWrongly(f"“{name}” is a number between 0 and 1.", field=field)
    return found


def refused_fields(request: HttpRequest, refused: Problem) -> dict[str, str]:
    """Say above the page what was refused; return it for each field it is about."""
    messages.error(request, refused.detail)
    return {field: " ".join(said) for field, said in (refused.errors or {}).items()}
