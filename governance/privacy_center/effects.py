"""Effect of a change on what people read: the card of a purpose on their privacy page, before and after."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import translation

from consent.ledger.selectors import notices_in
from consent.models import Purpose
from governance.privacy_center import cards as purpose_cards
from oversight.changes.documents import Compared
from oversight.changes.figures import Measured

_METHOD = "Drawn: the card of the privacy page as a person reads it who was never asked, in English."
_LANGUAGE = "en"
_LINES = {
    "name": "name",
    "benefit": "benefit",
    "data_categories": "data used",
    "recipients": "who receives it",
    "retention": "how long",
    "legal_basis": "legal basis",
    "notice": "version of the notice",
}


def cards(changes: Sequence[Compared]) -> Iterator[Measured]:
    """Return the lines of the card of each purpose that a set is about; those that stay are not shown."""
    slugs = sorted({_purpose(change) for change in changes} - {""})
    purposes = list(Purpose.objects.filter(slug__in=slugs, is_active=True).order_by("slug"))
    notices = notices_in(_LANGUAGE, purposes) if purposes else {}
    with translation.override(_LANGUAGE):
        for purpose in purposes:
            yield from _lines(purpose, purpose_cards.preview_card(purpose, notices.get(purpose.pk), None))


def _lines(purpose: Purpose, card: Mapping[str, Any]) -> Iterator[Measured]:
    for member, label in _LINES.items():
        said = f"People read of “{purpose.name}”: {label}"
        yield Measured(f"page/{purpose.slug}/{member}", said, _shown(card.get(member)), _METHOD)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["version"])
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value or "")


def _purpose(change: Compared) -> str:
    document = change.after or change.before or {}
    return change.key if change.register == "purpose" else str(document.get("purpose") or "")
