"""Effect of a change on people's consents, counted in the ledger's projection."""

from collections.abc import Iterator, Sequence

from django.utils import timezone

from consent.ledger import selectors
from consent.models import Purpose
from oversight.changes.documents import Compared
from oversight.changes.preview import Measured

_METHOD = "Counted: every person's newest answer in the ledger's projection."
_STATES = {"given": "People whose yes to “%s” counts", "renewal_required": "People to be asked again about “%s”"}


def people(changes: Sequence[Compared]) -> Iterator[Measured]:
    """Return how many people's consents count, for each purpose that is changed or whose notice is."""
    for slug in sorted({_purpose(change) for change in changes} - {""}):
        purpose = Purpose.objects.filter(slug=slug).first()
        if purpose is None or not purpose.needs_consent:
            continue
        found = selectors.people_by_state(slug, now=timezone.now())
        for state, label in _STATES.items():
            count = found[state].count if state in found else 0
            yield Measured(f"people/{slug}/{state}", label % purpose.name, count, _METHOD)


def _purpose(change: Compared) -> str:
    if change.register == "notice":
        return str((change.after or change.before or {}).get("purpose", ""))
    return change.key if change.register == "purpose" else ""
