"""Laws as files: for each right when its clock starts, how long it runs, what stops it, and the section that says so.

Engineering readings of the law, not legal advice. ``certainty`` says how a fact was checked: the text was read, a
secondary source was read, it is known and unchecked, or it is a reading of a text that leaves the question open.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from consent.register.jurisdictions.pack import DEFAULT
from consent.register.jurisdictions.tables import Table, UnreadablePack
from privacy.rights.clocks.counting import WEEKDAYS, Length, Unit

_FILES = Path(__file__).parent / "laws"
_LENGTHS = {unit.value: unit for unit in Unit}


class Right(StrEnum):
    ACCESS = "access"
    PORTABILITY = "portability"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    OPT_OUT = "opt_out"
    HUMAN_REVIEW = "human_review"
    COMPLAINT = "complaint"
    MAJORITY = "majority"
    APPEAL = "appeal"


class Start(StrEnum):
    """Event that starts a clock."""

    RECEIVED = "received"
    # UK GDPR, Article 12A: the latest of the request, what proves identity, and a fee.
    RELEVANT_TIME = "relevant_time"


class Effect(StrEnum):
    """Effect of a question to the person while its answer is awaited."""

    RUNS = "runs"
    SUSPENDS = "suspends"
    RESTARTS = "restarts"
    # The days of asking and of answering do not count either.
    EXCLUDES = "excludes"


class Certainty(StrEnum):
    TEXT = "text"
    SECONDARY = "secondary"
    UNVERIFIED = "unverified"
    READING = "reading"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Clock of one right under one law.

    ``length`` None: the law gives no number. ``extended``: the whole length with an extension, from the same start;
    ``is_extension_open``: the law asks for a date and sets no maximum.
    """

    law: str
    right: Right
    section: str
    certainty: Certainty
    starts: Start = Start.RECEIVED
    length: Length | None
    extended: Length | None = None
    is_extension_open: bool = False
    confirm: Length | None = None
    counts_first_day: bool = False
    identity: Effect = Effect.RUNS
    clarification: Effect = Effect.RUNS
    rolls_over: frozenset[str] = frozenset()
    business: frozenset[str] = frozenset(WEEKDAYS[:5])
    note: str = ""

    @property
    def can_be_extended(self) -> bool:
        return self.extended is not None or self.is_extension_open


@dataclass(frozen=True, kw_only=True)
class Law:
    """One law: where it applies, and its clocks by right."""

    slug: str
    name: str
    regions: tuple[str, ...]
    clocks: dict[Right, Clock] = field(default_factory=dict)


@lru_cache(maxsize=1)
def laws() -> tuple[Law, ...]:
    """Return the laws of this release, by slug."""
    return tuple(
        sorted((read(path.read_text(), path.stem) for path in _FILES.glob("*.toml")), key=lambda law: law.slug)
    )


def applicable(region: str) -> tuple[Law, ...]:
    """Return the laws that may protect a person.

    The part of the country says it, else the country; of a country without its part all laws inside it are in
    question, and the earliest date counts. Any other text gets the default.
    """
    code = region.strip().upper()
    country, _, part = code.partition("-")
    exact = tuple(law for law in laws() if code in law.regions)
    whole = tuple(law for law in laws() if country in law.regions)
    inside = tuple(law for law in laws() if any(one.partition("-")[0] == country for one in law.regions))
    found = (exact or whole or inside) if part else inside
    return found or tuple(law for law in laws() if law.slug == DEFAULT)


def read(text: str, name: str) -> Law:
    """Read one file; ``name`` is the file's, without its ending, and becomes the law's slug. Raises UnreadablePack."""
    try:
        table = Table(tomllib.loads(text))
        shared = _shared(table)
        law = Law(slug=name, name=table.take("name", str), regions=tuple(table.texts("regions")))
        for document in table.take("clock", list):
            for clock in _clocks(name, Table(document), shared):
                if clock.right in law.clocks:
                    raise UnreadablePack(f"'{clock.right}' has two clocks")
                law.clocks[clock.right] = clock
        table.refuse_the_rest()
    except (tomllib.TOMLDecodeError, ValueError) as exc:
        raise UnreadablePack(f"{name}: {exc}") from exc
    return law


def _shared(table: Table) -> dict[str, Any]:
    return {
        "identity": Effect(table.take("identity", str, Effect.RUNS.value)),
        "clarification": Effect(table.take("clarification", str, Effect.RUNS.value)),
        "rolls_over": _weekdays(table, "rolls_over", ()),
        "business": _weekdays(table, "business_days", WEEKDAYS[:5]),
    }


def _clocks(law: str, table: Table, shared: dict[str, Any]) -> Iterator[Clock]:
    rights = [Right(right) for right in table.texts("rights")]
    members = {
        **shared,
        "section": table.take("section", str),
        "certainty": Certainty(table.take("certainty", str)),
        "starts": Start(table.take("starts", str, Start.RECEIVED.value)),
        "length": _length(table, "length"),
        "extended": _length(table, "extended"),
        "is_extension_open": table.take("extension_is_open", bool, False),
        "confirm": _length(table, "confirm"),
        "counts_first_day": table.take("counts_first_day", bool, False),
        "note": table.take("note", str, ""),
    }
    for name in ("identity", "clarification"):
        if table.holds(name):
            members[name] = Effect(table.take(name, str))
    table.refuse_the_rest()
    return (Clock(law=law, right=right, **members) for right in rights)


def _length(table: Table, name: str) -> Length | None:
    """Read ``{months = 1}``, ``{days = 45}``, ``{business_days = 15}`` or ``{at_once = 0}``."""
    document = table.take(name, dict, None)
    if document is None:
        return None
    if len(document) != 1:
        raise UnreadablePack(f"'{name}' is no length")
    [(unit, count)] = document.items()
    if unit not in _LENGTHS or type(count) is not int or (count < 1) != (unit == Unit.AT_ONCE.value):
        raise UnreadablePack(f"'{name}' is no length")
    return Length(count, _LENGTHS[unit])


def _weekdays(table: Table, name: str, default: tuple[str, ...]) -> frozenset[str]:
    days = table.texts(name) if table.holds(name) else default
    if set(days) - set(WEEKDAYS):
        raise UnreadablePack(f"'{name}' holds what is no day of the week")
    return frozenset(days)
