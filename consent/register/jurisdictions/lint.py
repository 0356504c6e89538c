"""Lint the packs: regions with two laws or none, and implausible values."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from consent.register.jurisdictions import pack as files
from consent.register.jurisdictions.matching import MatchKind, find, normal
from consent.register.jurisdictions.pack import AGE_OF_MAJORITY, DEFAULT, LEVELS, SIGNALS, ConsentDefault, Pack
from consent.register.jurisdictions.strictness import laxer_fields

EEA = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
_BEFORE_ANY_LAW = date(1970, 1, 1)


@dataclass(frozen=True)
class Finding:
    """A finding. ``is_error``: must be corrected. Otherwise: true, and worth knowing."""

    kind: str  # overlap, gap, override, date, level, signal, age, days, region, default, strictest
    where: str  # a region or the slug of a pack
    detail: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"{'error' if self.is_error else 'note'} {self.kind} {self.where}: {self.detail}"


def lint(
    packs: Sequence[Pack] | None = None, *, known_regions: Iterable[str] = (), today: date | None = None
) -> list[Finding]:
    """Check the packs, errors first. ``known_regions`` are the codes of the residency register."""
    among = files.packs() if packs is None else packs
    found = [
        *_overlaps(among),
        *_gaps(among),
        *(fault for pack in among for fault in _faults(pack)),
        *_too_lax_a_default(among),
        *_register_gaps(among, known_regions),
        *(_not_yet_in_force(among, today) if today else ()),
    ]
    return sorted(found, key=lambda finding: (not finding.is_error, finding.kind, finding.where))


def _overlaps(packs: Sequence[Pack]) -> Iterator[Finding]:
    for one, other in combinations(packs, 2):
        if one.slug == other.slug:
            yield Finding("overlap", one.slug, "two packs have this short name")
        for region in sorted(set(one.regions) & set(other.regions)):
            yield Finding("overlap", region, f"in {one.slug} and in {other.slug}; the stricter of each counts")


def _gaps(packs: Sequence[Pack]) -> Iterator[Finding]:
    covered = {region for pack in packs for region in pack.regions}
    for country in EEA:
        if country not in covered:
            yield Finding("gap", country, "a country of the EEA that no pack covers")
    if DEFAULT not in {pack.slug for pack in packs}:
        yield Finding("gap", DEFAULT, "there is no default pack")


def _register_gaps(packs: Sequence[Pack], regions: Iterable[str]) -> Iterator[Finding]:
    if DEFAULT not in {pack.slug for pack in packs}:
        return
    for region in sorted(regions):
        rule, law = find(normal(region), packs)
        if rule is MatchKind.DEFAULT and "-" in region:
            yield Finding("gap", region, "a part of a country of which no pack knows; the default counts", False)
        elif rule is MatchKind.DEFAULT:
            yield Finding("gap", region, "people live here and no pack covers it; the default counts", False)
        elif rule is MatchKind.STRICTEST:
            yield Finding("strictest", region, f"no law of its own; counts as {law.name}", False)


def _faults(pack: Pack) -> Iterator[Finding]:
    yield from (Finding("region", pack.slug, f"'{r}' is no ISO 3166 code") for r in pack.regions if normal(r) != r)
    if len(set(pack.regions)) < len(pack.regions):
        yield Finding("region", pack.slug, "a region stands there twice")
    if bool(pack.regions) == (pack.slug == DEFAULT):
        yield Finding("region", pack.slug, "every pack but the default covers regions")
    for region in pack.ages_by_region:
        if not {region, region.partition("-")[0]} & set(pack.regions):
            yield Finding("override", pack.slug, f"sets an age for {region}, which it does not cover")
    yield from _faulty_levels(pack)
    yield from _faulty_ages(pack)
    yield from _faulty_days(pack)


def _faulty_levels(pack: Pack) -> Iterator[Finding]:
    levels = [pack.minor_max_level, *pack.signal_caps.values()]
    yield from (Finding("level", pack.slug, f"'{level}' is no level") for level in levels if level not in LEVELS)
    for signal in sorted({*pack.binding_signals, *pack.signal_caps} - set(SIGNALS)):
        yield Finding("signal", pack.slug, f"'{signal}' is no signal")
    for signal in pack.binding_signals:
        if pack.cap(signal) == LEVELS[-1]:
            yield Finding("signal", pack.slug, f"{signal} is binding and has no effect")


def _faulty_ages(pack: Pack) -> Iterator[Finding]:
    for age in (pack.age_of_consent, *pack.ages_by_region.values()):
        if not 0 < age <= AGE_OF_MAJORITY:
            yield Finding("age", pack.slug, f"{age} is no age of consent")
    is_opt_out = pack.consent_default is ConsentDefault.OPT_OUT
    if is_opt_out != (pack.opt_in_below is not None):
        yield Finding("age", pack.slug, "'opt_in_below' belongs to opt-out laws, and to each of them")


def _faulty_days(pack: Pack) -> Iterator[Finding]:
    if pack.effective_from < _BEFORE_ANY_LAW:
        yield Finding("date", pack.slug, f"in force since {pack.effective_from}")
    if min(pack.consent_days, pack.reask_days, pack.answer.days) < 1 or pack.extension.days < 0:
        yield Finding("days", pack.slug, "a number of days is below one")
    if pack.confirm and pack.confirm.least_calendar_days > pack.answer.least_calendar_days:
        yield Finding("days", pack.slug, "a request is confirmed later than it is answered")


def _too_lax_a_default(packs: Sequence[Pack]) -> Iterator[Finding]:
    for default in packs:
        if default.slug == DEFAULT:
            for pack in packs:
                for name in laxer_fields(default, pack):
                    yield Finding("default", DEFAULT, f"{name} protects less than in {pack.slug}")


def _not_yet_in_force(packs: Sequence[Pack], today: date) -> Iterator[Finding]:
    for pack in packs:
        if pack.effective_from > today:
            yield Finding("date", pack.slug, f"applies here already; in force from {pack.effective_from}", False)
