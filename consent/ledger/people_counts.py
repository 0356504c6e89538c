"""Count people by what their answer to a purpose is worth, for previews: one scan of the projection for all of it.

People are tallied by what no register changes: whether their yes is to the purpose or to the broader one, to which
version of its notice, and whether it has run out. What the tally is worth under the registers as they are and as they
would be is worked out from that, so each person is read once.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from common.postgres.snapshot import one_snapshot

Progress = Callable[[int], None]
_SLICES = 20  # of the table at most, one after the other: the progress of a count
_SMALLEST = 2_000  # pages of a slice
_AT_ONCE = 16  # pairs in a statement: GROUPING takes 31 arguments
# Evaluated once a person: without OFFSET the planner puts the expression wherever its value is used.
_ONCE = "OFFSET 0"


@dataclass(frozen=True)
class Pair:
    """A purpose, and the broader one whose yes counts where a person has no answer of their own."""

    purpose: str
    broader: str = ""


@dataclass(frozen=True)
class Yes:
    """A yes that people gave: to the broader purpose or to the purpose itself, to which version, whether it ended."""

    is_lent: bool
    version: int
    has_ended: bool


Tally = Mapping[Yes, int]


@dataclass(frozen=True)
class Lending:
    """A purpose whose yes is counted, and the versions of its notice that cover less than is said now."""

    slug: str
    required: int
    beyond: Collection[int]


@dataclass(frozen=True)
class Counted:
    """People: with a yes that counts, of them partly; to be asked again; with a broader yes alone, of them partly."""

    given: int
    given_partly: int
    asked_again: int
    inherited: int
    inherited_partly: int


def worth(tally: Tally, purpose: Lending, broader: Lending | None) -> Counted:
    """Return what a tally is worth where registers say so much about the purpose and the broader one."""
    own = {yes.version: people for yes, people in tally.items() if not yes.is_lent and not yes.has_ended}
    lent = {yes.version: people for yes, people in tally.items() if yes.is_lent and not yes.has_ended}
    counting = {version: people for version, people in own.items() if version >= purpose.required}
    lending = {v: people for v, people in lent.items() if broader is not None and v >= broader.required}
    return Counted(
        given=sum(counting.values()),
        given_partly=_of(counting, purpose.beyond),
        asked_again=sum(own.values()) - sum(counting.values()),
        inherited=sum(lending.values()),
        inherited_partly=_of(lending, broader.beyond if broader else ()),
    )


def _of(people: Mapping[int, int], versions: Collection[int]) -> int:
    return sum(count for version, count in people.items() if version in versions)


def expected() -> int:
    """Return about how many people there are, without counting them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'consent_datasubject'::regclass")
        return max(int(cursor.fetchone()[0]), 0)


def tally(pairs: Iterable[Pair], *, now: datetime, progress: Progress = lambda _share: None) -> dict[Pair, Tally]:
    """Tally everybody's yes as of one moment, in slices of the table; ``progress`` gets the per cent done."""
    wanted = list(dict.fromkeys(pairs))
    found: dict[Pair, Counter[Yes]] = {pair: Counter() for pair in wanted}
    if not wanted:
        return dict(found)
    with one_snapshot():
        slices = list(_slices())
        for number, pages in enumerate(slices, start=1):
            for first in range(0, len(wanted), _AT_ONCE):
                _add(found, wanted[first : first + _AT_ONCE], pages, now)
            progress(100 * number // len(slices))
    return dict(found)


def _slices() -> Iterator[tuple[str, str]]:
    """Yield ranges of row addresses that hold every row of the snapshot once; the last one has no end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('consent_datasubject') / current_setting('block_size')::int")
        pages = int(cursor.fetchone()[0])
    step = max(-(-pages // _SLICES), _SMALLEST)
    starts = list(range(0, max(pages, 1), step))
    for first, following in zip(starts, [*starts[1:], None], strict=True):
        yield f"({first},0)", f"({following},0)" if following is not None else "(4294967295,0)"


def _add(found: Mapping[Pair, Counter[Yes]], pairs: list[Pair], pages: tuple[str, str], now: datetime) -> None:
    values: dict[str, Any] = {"now": int(now.timestamp()), "first": pages[0], "following": pages[1]}
    for number, pair in enumerate(pairs):
        values |= {f"own{number}": pair.purpose, f"lent{number}": pair.broader}
    with connection.cursor() as cursor:
        cursor.execute(_statement(len(pairs)), values)
        for number, code, people in cursor.fetchall():
            if code is not None:
                yes = Yes(is_lent=bool(code & 1), version=code >> 2, has_ended=bool(code & 2))
                found[pairs[number]][yes] += people


def _statement(count: int) -> str:
    """Return the statement for so many pairs: the yes of each as one number, grouped by each on its own."""
    numbers = range(count)
    answers = ", ".join(
        f"consents->%(own{n})s AS own{n}, coalesce(consents->%(own{n})s, consents->%(lent{n})s) AS answer{n}"
        for n in numbers
    )
    codes = ", ".join(
        f"CASE WHEN answer{n}->>'s' = 'given' THEN 4 * (answer{n}->>'n')::bigint"
        f" + 2 * coalesce((answer{n}->>'x')::bigint <= %(now)s, false)::int + (own{n} IS NULL)::int END AS code{n}"
        for n in numbers
    )
    names = ", ".join(f"code{n}" for n in numbers)
    places = " ".join(f"WHEN {n} THEN code{n}" for n in numbers)
    # GROUPING has a bit for each argument, the first the highest, which is 0 where it is grouped by that one.
    which = " ".join(f"WHEN {(1 << count) - 1 - (1 << (count - 1 - n))} THEN {n}" for n in numbers)
    return f"""
    SELECT number, CASE number {places} END, people FROM (
      SELECT CASE GROUPING({names}) {which} END AS number, {names}, count(*) AS people
      FROM (SELECT {codes} FROM (
        SELECT {answers} FROM consent_datasubject
        WHERE ctid >= %(first)s::tid AND ctid < %(following)s::tid {_ONCE}) answers {_ONCE}) codes
      GROUP BY GROUPING SETS ({", ".join(f"(code{n})" for n in numbers)})
    ) grouped"""  # noqa: S608 (numbers of ours)
