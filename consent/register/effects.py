"""Effect of a change on people's consents, counted in the ledger's projection."""

from collections.abc import Iterator, Mapping, Sequence

from django.utils import timezone

from consent.ledger import people_counts
from consent.ledger.people_counts import Lending
from consent.models import NO_NOTICES, Purpose, current_notice_versions
from consent.register import terms
from oversight.changes.documents import Compared
from oversight.changes.preview import Measured

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


def people(changes: Sequence[Compared]) -> Iterator[Measured]:
    """Return how many people's consents count, for each purpose that is changed or whose notice is."""
    slugs = sorted({_purpose(change) for change in changes} - {""})
    purposes = Purpose.objects.filter(slug__in=slugs).select_related("parent")
    notices = current_notice_versions() if slugs else {}
    for purpose in terms.with_terms(purposes).order_by("slug"):
        if purpose.needs_consent:
            yield from _of_purpose(purpose, notices)


def _of_purpose(purpose: Purpose, notices: Mapping[str, Mapping[str, int]]) -> Iterator[Measured]:
    said = terms.Coverage.read(vars(purpose))
    parent = purpose.parent if purpose.parent is not None and purpose.parent.needs_consent else None
    own = _lending(purpose, said, notices)
    broader = _lending(parent, said, notices) if parent else None
    found = people_counts.count(own, broader, now=timezone.now())
    for name, label in _OWN.items():
        yield Measured(f"people/{purpose.slug}/{name}", label % purpose.name, getattr(found, name), _METHOD)
    for name, label in _LENT.items() if parent else ():
        names = {"broader": parent.name if parent else "", "purpose": purpose.name}
        yield Measured(f"people/{purpose.slug}/{name}", label % names, getattr(found, name), _INHERITED)


def _lending(purpose: Purpose, said: terms.Coverage, notices: Mapping[str, Mapping[str, int]]) -> Lending:
    versions = notices.get(purpose.slug, NO_NOTICES)
    live = terms.live(terms.frozen_of(purpose), dict(versions))
    return Lending(purpose.slug, versions["required"], list(terms.beyond_versions(said, live)))


def _purpose(change: Compared) -> str:
    if change.register == "notice":
        return str((change.after or change.before or {}).get("purpose", ""))
    return change.key if change.register == "purpose" else ""
