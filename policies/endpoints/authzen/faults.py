"""Faults of a request in words: the member by its path, and the form its value has to have; no value is quoted."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from common import patterns
from common.levels import LEVELS
from policies.decisions.facts import AGE_BANDS, CHANNELS, UNKNOWN

_Read = TypeVar("_Read")
_PLACE = re.compile(r" - at `\$\.?([^`]*)`\Z")
FORMS: Final = {
    "subject.region": patterns.FORMS[patterns.REGION],
    "subject.properties.region": patterns.FORMS[patterns.REGION],
    "subject.properties.age_band": f"one of: {', '.join(sorted({*AGE_BANDS, UNKNOWN}))}",
    "action.properties.requested_level": f"one of: {', '.join(LEVELS)}",
    "context.processing_region": patterns.FORMS[patterns.PROCESSING_REGION],
    "context.channel": f"one of: {', '.join(sorted(CHANNELS))}",
}


class Fault(str):
    """Description of what is no question."""

    __slots__ = ()


def read_as(reader: Callable[[dict[str, Any]], _Read], document: dict[str, Any]) -> _Read | Fault:
    """Return the document as read, or the fault in it."""
    try:
        return reader(document)
    except ValueError as exc:
        return Fault(str(exc))


def converted(document: dict[str, Any], kind: type[_Read]) -> _Read:
    """Return ``document`` as ``kind``. Raises ValueError in words for the developer of the calling service."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as exc:
        raise ValueError(_described(exc)) from None


def _described(fault: msgspec.ValidationError) -> str:
    message = str(fault)
    found = _PLACE.search(message)
    place = found[1] if found else ""
    is_of_form = "matching regex" in message or message.startswith("Invalid enum value")
    if not is_of_form:
        return message  # a member that is missing, too long or of another type: these messages quote no value
    return f"{place} must be {FORMS[place]}." if place in FORMS else f"{place} must not be empty or blank."
