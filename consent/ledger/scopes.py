"""Choices about a part of a purpose: one channel, one recipient, one kind of data, or several of these together.

A part inherits the answer to the whole. Of two answers that fit a question the more specific one counts, and of equally
specific ones the no; a yes to a part counts against a no to the whole only if it came after it. So nothing a person
turned off comes back through an older, narrower yes.

A part is written ``channel=email;recipient=mail-house`` (dimensions in alphabetical order), and its place among the
current choices of a person is ``newsletter?channel=email``.
"""

from collections.abc import Iterable, Sequence

import msgspec

from consent.ledger.projection import ConsentEntry, Consents

DIMENSIONS = ("channel", "data_category", "recipient")
_NO = ("refused", "withdrawn", "objected")
WHOLE = ""


def scope_of(*, channel: str | None = None, data_category: str | None = None, recipient: str | None = None) -> str:
    """Return the part in its written form; the empty string is the whole purpose."""
    if channel is data_category is recipient is None:
        return WHOLE
    values = (("channel", channel), ("data_category", data_category), ("recipient", recipient))
    return ";".join(f"{dimension}={value}" for dimension, value in values if value)


def parts(scope: str) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in scope.split(";")) if scope else {}


def key(purpose: str, scope: str) -> str:
    """Return the place of a choice among the current choices of a person."""
    return f"{purpose}?{scope}" if scope else purpose


class Effective(msgspec.Struct, frozen=True):
    """Effective choice for one question: the entry in force, a closed channel, and the kinds of data to leave out."""

    entry: ConsentEntry | None
    channel_allowed: bool = True
    refused_categories: tuple[str, ...] = ()
    narrower: Sequence[ConsentEntry] = ()
    """All choices about parts of the purpose, whether they fit the question or not."""


def effective(
    consents: Consents,
    purpose: str,
    *,
    channel: str | None,
    recipient: str | None,
    categories: Iterable[str],
) -> Effective:
    """Apply the choices about parts of ``purpose`` to a question."""
    whole = consents.get(purpose)
    prefix = f"{purpose}?"
    places = [place for place in consents if place.startswith(prefix)]
    if not places:  # nearly always
        return Effective(whole)
    narrower = [(parts(place[len(prefix) :]), consents[place]) for place in places]
    fitting = [
        (part, entry)
        for part, entry in narrower
        if part.get("channel", channel) == channel and part.get("recipient", recipient) == recipient
    ]
    entry = _most_specific(whole, [(part, e) for part, e in fitting if "data_category" not in part])
    refused = sorted(
        category for category in set(categories) if _is_refused(category, entry, [p for p in fitting if p[0]])
    )
    # A closed channel has a word of its own in the answer; the choice about the whole purpose still stands.
    closed = entry is not whole and entry is not None and entry["s"] in _NO and _only_channel(entry, fitting)
    return Effective(whole if closed else entry, not closed, tuple(refused), [entry for _, entry in narrower])


def _most_specific(
    whole: ConsentEntry | None, fitting: list[tuple[dict[str, str], ConsentEntry]]
) -> ConsentEntry | None:
    candidates = [(len(part), entry["s"] in _NO, entry) for part, entry in fitting if _counts(entry, whole)]
    if not candidates:
        return whole
    return max(candidates, key=lambda candidate: candidate[:2])[2]


def _counts(entry: ConsentEntry, broader: ConsentEntry | None) -> bool:
    """Return whether an entry counts: a no always; a yes only where no later no to the broader part is against it."""
    if entry["s"] in _NO or broader is None or broader["s"] not in _NO:
        return True
    return str(entry["r"]) > str(broader["r"])  # identifiers of records grow with time


def _is_refused(
    category: str, broader: ConsentEntry | None, fitting: list[tuple[dict[str, str], ConsentEntry]]
) -> bool:
    about = [(part, entry) for part, entry in fitting if part.get("data_category") == category]
    deciding = _most_specific(None, [(part, entry) for part, entry in about if _counts(entry, broader)])
    return deciding is not None and deciding["s"] in _NO


def _only_channel(entry: ConsentEntry, fitting: list[tuple[dict[str, str], ConsentEntry]]) -> bool:
    return any(other is entry and set(part) == {"channel"} for part, other in fitting)
