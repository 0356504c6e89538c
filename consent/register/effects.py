"""Effect of a change on people's consents, counted in the ledger's projection."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import timezone

from consent.ledger import people_counts
from consent.ledger.people_counts import Lending, Pair, Tally
from consent.models import NO_NOTICES, Purpose, current_notice_versions
from consent.register import terms
from oversight.changes.counting import Count, Progress, Wanted
from oversight.changes.documents import Compared
from oversight.changes.figures import Measured

_METHOD = "Counted by SQL: every person's newest answer in the ledger's projection, against the terms of its version."
_INHERITED = f"{_METHOD} People without an answer of their own, by their answer to the purpose directly above."
_OWN = {
    "given": "People whose yes to “%s” counts",
    "given_partly": "People whose yes to “%s” does not cover all that it says",
    "asked_again": "People to be asked again about “%s”",
}
_LENT = {
    "inherited": "People whose yes to “%(broader)s” counts for “%(purpose)s”",
    "inherited_partly": "People whose yes to “%(broader)s” does not cover all of “%(purpose)s”",
}


def describe(changes: Sequence[Compared]) -> Wanted:
    """Return each purpose that is changed or whose notice is, and which of people's consents count for it."""
    slugs = sorted({_purpose(change) for change in changes} - {""})
    purposes = Purpose.objects.filter(slug__in=slugs).select_related("parent")
    notices = current_notice_versions() if slugs else {}
    return [_described(each, notices) for each in terms.with_terms(purposes).order_by("slug") if each.needs_consent]


def _described(purpose: Purpose, notices: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    said = terms.Coverage.read(vars(purpose))
    parent = purpose.parent if purpose.parent is not None and purpose.parent.needs_consent else None
    return {
        "own": _lending(purpose, said, notices),
        "broader": _lending(parent, said, notices) if parent is not None else None,
    }


def _lending(purpose: Purpose, said: terms.Coverage, notices: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    versions = notices.get(purpose.slug, NO_NOTICES)
    live = terms.live(terms.frozen_of(purpose), dict(versions))
    beyond = sorted(terms.beyond_versions(said, live))
    return {"slug": purpose.slug, "name": str(purpose.name), "required": versions["required"], "beyond": beyond}


def _purpose(change: Compared) -> str:
    if change.register == "notice":
        return str((change.after or change.before or {}).get("purpose", ""))
    return change.key if change.register == "purpose" else ""


def measure(before: Wanted, after: Wanted, progress: Progress) -> tuple[Iterator[Measured], Iterator[Measured]]:
    """Return how many people's consents count before and after, by one scan of everybody."""
    pairs = map(_pair, [*before, *after])
    tallies = people_counts.tally(pairs, now=timezone.now(), progress=progress)
    return _figures(before, tallies), _figures(after, tallies)


def _pair(described: Mapping[str, Any]) -> Pair:
    broader = described["broader"]
    return Pair(described["own"]["slug"], broader["slug"] if broader else "")


def _figures(wanted: Wanted, tallies: Mapping[Pair, Tally]) -> Iterator[Measured]:
    for described in wanted:
        own, broader = described["own"], described["broader"]
        found = people_counts.worth(tallies[_pair(described)], _read(own), _read(broader) if broader else None)
        for name, label in _OWN.items():
            yield Measured(f"people/{own['slug']}/{name}", label % own["name"], getattr(found, name), _METHOD)
        for name, label in _LENT.items() if broader else ():
            said = label % {"broader": broader["name"], "purpose": own["name"]}
            yield Measured(f"people/{own['slug']}/{name}", said, getattr(found, name), _INHERITED)


def _read(described: Mapping[str, Any]) -> Lending:
    return Lending(described["slug"], described["required"], described["beyond"])


PEOPLE = Count(describe=describe, measure=measure, expected=people_counts.expected)
