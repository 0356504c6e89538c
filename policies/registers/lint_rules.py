"""Rules of the residency registers as pure functions over plain values."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from common.registers import nearest
from common.registers.lint import Finding


@dataclass(frozen=True)
class Places:
    """What names a residency group: regions people live in and processing regions, each with its group."""

    people: Mapping[str, str]
    processing: Mapping[str, str]

    @property
    def people_groups(self) -> set[str]:
        return set(self.people.values())

    @property
    def processing_groups(self) -> set[str]:
        return set(self.processing.values())

    def group_of(self, country: str) -> str:
        """Return the group of a country, by itself or by one of its parts; empty where no region is in it."""
        parts = (group for code, group in self.people.items() if code.partition("-")[0] == country)
        return self.people.get(country) or next(parts, "")


@dataclass(frozen=True)
class Rule:
    """A residency rule as its row states it."""

    slug: str
    people: str
    processing: str
    categories: tuple[str, ...]
    instrument: str = ""
    ends: datetime | None = None


@dataclass(frozen=True)
class PartyPlace:
    """Where a party is, and what a transfer to it rests on."""

    slug: str
    country: str
    transfer_basis: str


def dangling_groups(rules: Iterable[Rule], places: Places) -> Iterator[Finding]:
    """Find rules that name a group no region is in."""
    for rule in rules:
        if rule.people not in places.people_groups:
            hint = nearest.hint(rule.people, places.people_groups)
            detail = f"No region is in the group “{rule.people}”, so it permits nothing. {hint}"
            yield Finding("residency_rule", rule.slug, "group_without_regions", detail)
        if rule.processing not in places.processing_groups:
            is_error = rule.processing not in places.people_groups
            hint = nearest.hint(rule.processing, places.processing_groups)
            detail = f"No processing region is in the group “{rule.processing}”. {hint}"
            yield Finding("residency_rule", rule.slug, "group_without_processing", detail, is_error=is_error)


def unserved_groups(rules: Collection[Rule], places: Places) -> Iterator[Finding]:
    """Find groups of people, and of processing regions, that no rule names."""
    for group in sorted(places.people_groups - {rule.people for rule in rules}):
        detail = "No residency rule is about people of this group: all their data is denied everywhere."
        yield Finding("region", group, "group_without_rule", detail, is_error=False)
    served = {rule.processing for rule in rules}
    for region, group in sorted(places.processing.items()):
        if group not in served:
            detail = f"No residency rule permits processing in its group “{group}”."
            yield Finding("processing_region", region, "processing_without_rule", detail, is_error=False)


def ended_instruments(rules: Iterable[Rule], now: datetime) -> Iterator[Finding]:
    """Find rules that rest on a transfer instrument that has ended."""
    for rule in rules:
        if rule.ends is not None and rule.ends <= now:
            detail = (
                f"Its instrument “{rule.instrument}” ended on {rule.ends:%d.%m.%Y}: every transfer by it is denied."
            )
            yield Finding("residency_rule", rule.slug, "instrument_ended", detail, is_error=False)


def unknown_rule_data(rules: Iterable[Rule], known: Collection[str]) -> Iterator[Finding]:
    """Find rules about data categories that are not in their register."""
    for rule in rules:
        for kind in rule.categories:
            if kind != "*" and kind not in known:
                detail = f"“{kind}” is no data category. {nearest.hint(kind, known)}"
                yield Finding("residency_rule", rule.slug, "data_category_unknown", detail, subject=kind)


def unknown_system_names(
    system: str, named: Mapping[str, Iterable[str]], known: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """Find names in a processing system that their registers do not know; both by the field of the system."""
    words = {"subject_groups": "residency group of people", "data_categories": "data category", "purposes": "purpose"}
    for field, names in named.items():
        for name in names:
            if name != "*" and name not in known[field]:
                detail = f"“{name}” is no {words[field]}. {nearest.hint(name, known[field])}"
                yield Finding("processing_system", system, f"{field}_unknown", detail, subject=name)


def unfounded_transfers(parties: Iterable[PartyPlace], *, home: str, places: Places) -> Iterator[Finding]:
    """Find recipients outside the controller's residency group without a transfer basis (GDPR Chapter V)."""
    for party in parties:
        group = places.group_of(party.country)
        if group != home and not party.transfer_basis:
            where = f"in the group “{group}”" if group else "in no residency group"
            detail = (
                f"It is in {party.country}, {where} and not in the controller's group “{home}”, and no transfer basis "
                "is registered. Choose one on the party's page, or stop naming it as a recipient."
            )
            yield Finding("party", party.slug, "transfer_basis_missing", detail)


def laws_without_regions(laws: Iterable[str], used: Collection[str]) -> Iterator[Finding]:
    """Find laws that no region has."""
    for law in laws:
        if law not in used:
            detail = "No region is under this law, so it protects no person. Give it to a region, or remove it."
            yield Finding("jurisdiction", law, "jurisdiction_uncovered", detail, is_error=False)


def unregistered_sensitive(sensitive: Iterable[str], known: Collection[str]) -> Iterator[Finding]:
    """Find sensitive categories that are no data category."""
    for slug in sensitive:
        if slug not in known:
            detail = f"It is no data category, so no purpose can name it. {nearest.hint(slug, known)}"
            yield Finding("sensitive_category", slug, "sensitive_category_unregistered", detail, is_error=False)
