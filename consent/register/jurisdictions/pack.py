"""A jurisdiction pack: what one law says about asking for consent, as a file that lawyers can read.

Files are TOML, one for each law, in ``packs``. Reading checks their shape; ``lint`` checks what they say. The values
are engineering readings of the law, not legal advice.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from common import levels
from common.canonical import digest_of
from consent.register.jurisdictions.tables import Table, UnreadablePack, members

LEVELS = tuple(levels.LEVELS)
SIGNALS = ("gpc", "gpp", "tcf")
DEFAULT = "default"
AGE_OF_MAJORITY = 18
_PACKS = Path(__file__).parent / "packs"
# Five business days take at least a week.
_BUSINESS_WEEK, _WEEK = 5, 7


class ConsentDefault(StrEnum):
    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"


class Unit(StrEnum):
    CALENDAR = "calendar"
    BUSINESS = "business"


@dataclass(frozen=True)
class Deadline:
    days: int
    unit: Unit = Unit.CALENDAR

    @property
    def least_calendar_days(self) -> int:
        """Return the fewest calendar days these may be: how deadlines in different units compare."""
        if self.unit is Unit.CALENDAR:
            return self.days
        return self.days // _BUSINESS_WEEK * _WEEK + self.days % _BUSINESS_WEEK


@dataclass(frozen=True, kw_only=True)
class Pack:
    """One law, as its file states it.

    ``consent_days``: the longest a yes counts. ``reask_days``: how long a person is not asked again after a no.
    ``opt_in_below``: under an opt-out law, the age below which a yes is needed all the same. A signal without a cap
    lowers the level to none.
    """

    slug: str
    name: str
    source: str
    effective_from: date
    regions: tuple[str, ...]
    consent_default: ConsentDefault
    consent_days: int
    reask_days: int
    age_of_consent: int
    opt_in_below: int | None
    minor_max_level: str
    unknown_age_is_adult: bool
    answer: Deadline
    extension: Deadline
    confirm: Deadline | None
    binding_signals: tuple[str, ...]
    signal_caps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ages_by_region: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    note: str = ""

    def age_in(self, region: str) -> int:
        """Return the age of consent in a region, which may set its own (GDPR Article 8(1))."""
        country = region.partition("-")[0]
        return self.ages_by_region.get(region, self.ages_by_region.get(country, self.age_of_consent))

    def cap(self, signal: str) -> str:
        return self.signal_caps.get(signal, LEVELS[0])


def rank(level: str) -> int:
    """Return the rank of a level; an unknown level is none."""
    return LEVELS.index(level) if level in LEVELS else 0


@lru_cache(maxsize=1)
def packs() -> tuple[Pack, ...]:
    """Return the packs of this release, by slug."""
    return tuple(sorted((read(path.read_text(), path.stem) for path in _PACKS.glob("*.toml")), key=lambda p: p.slug))


@lru_cache(maxsize=1)
def revision() -> str:
    return revision_of(packs())


def revision_of(of: tuple[Pack, ...]) -> str:
    """Return ``sha256:`` and the digest of the packs' content; how the files are laid out does not count."""
    return f"sha256:{digest_of([as_document(pack) for pack in sorted(of, key=lambda p: p.slug)]).hex()}"


def as_document(pack: Pack) -> dict[str, Any]:
    plain = {name: value for name, value in vars(pack).items() if not isinstance(value, Deadline)}
    deadlines = {name: asdict(value) for name, value in vars(pack).items() if isinstance(value, Deadline)}
    return {
        **plain,
        **deadlines,
        "effective_from": pack.effective_from.isoformat(),
        "signal_caps": dict(pack.signal_caps),
        "ages_by_region": dict(pack.ages_by_region),
    }


def read(text: str, name: str) -> Pack:
    """Read one file. ``name`` is the file's, without its ending, and must be the pack's slug. Raises UnreadablePack."""
    try:
        document = tomllib.loads(text)
        pack = _pack(Table(document))
    except (tomllib.TOMLDecodeError, UnreadablePack, ValueError) as exc:
        raise UnreadablePack(f"{name}: {exc}") from exc
    if pack.slug != name:
        raise UnreadablePack(f"{name}: the slug is '{pack.slug}', not the file's name")
    return pack


def _pack(table: Table) -> Pack:
    age, answers, signals = (Table(table.take(part, dict)) for part in ("age", "answers", "signals"))
    pack = Pack(
        slug=table.take("slug", str),
        name=table.take("name", str),
        source=table.take("source", str),
        effective_from=table.take("effective_from", date),
        regions=tuple(table.texts("regions")),
        consent_default=ConsentDefault(table.take("consent_default", str)),
        consent_days=table.take("consent_days", int),
        reask_days=table.take("reask_days", int),
        note=table.take("note", str, ""),
        age_of_consent=age.take("of_consent", int),
        opt_in_below=age.take("opt_in_below", int, None),
        minor_max_level=age.take("minor_max_level", str),
        unknown_age_is_adult=age.take("unknown_is_adult", bool),
        ages_by_region=MappingProxyType(members(age.take("by_region", dict, {}), int)),
        answer=_deadline(answers, "days", "unit"),
        extension=_deadline(answers, "extension_days", "unit"),
        confirm=_deadline(answers, "confirm_days", "confirm_unit") if answers.holds("confirm_days") else None,
        binding_signals=tuple(signals.texts("binding")),
        signal_caps=MappingProxyType(members(signals.take("caps", dict, {}), str)),
    )
    for part in (table, age, answers, signals):
        part.refuse_the_rest()
    return pack


def _deadline(table: Table, days: str, unit: str) -> Deadline:
    return Deadline(table.take(days, int), Unit(table.take(unit, str, Unit.CALENDAR.value)))
