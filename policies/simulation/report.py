"""Simulation report: counts, breakdowns and examples. ``document()`` is the machine-readable file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from policies.decision_log.differences import DIFFERENT, ComparedAnswer, Kind

FORMAT: Final = "assent-simulation/1"
DIMENSIONS: Final = ("purpose", "jurisdiction", "region", "model", "action")
OTHER: Final = "(other)"
_MAX_VALUES = 200  # of a dimension; the vocabularies of facts are closed, but a register may be long
_MAX_EXAMPLE_REASONS = 50


class Tally:
    """Running counts of one comparison."""

    def __init__(self, *, examples: int) -> None:
        self.compared = self.different = 0
        self.kinds: Counter[str] = Counter()
        self.by: dict[str, dict[str, Counter[str]]] = {dimension: {} for dimension in DIMENSIONS}
        self.by_reason: Counter[str] = Counter()
        self.over_time: dict[int, Counter[str]] = {}
        self.examples: dict[str, list[dict[str, Any]]] = {}
        self._at_most = examples

    def add(
        self,
        kinds: frozenset[Kind],
        *,
        times: Mapping[int, int],
        values: Mapping[str, str],
        before: ComparedAnswer,
        after: ComparedAnswer,
        example: Mapping[str, Any],
    ) -> None:
        """Count a group of equal decisions: ``times`` says how many fell into each piece of the window."""
        count, is_different = sum(times.values()), bool(kinds & DIFFERENT)
        self.compared += count
        counted = [str(kind) for kind in kinds] + (["different"] if is_different else [])
        for dimension in DIMENSIONS:
            row = _row(self.by[dimension], values[dimension])
            row.update({"decisions": count, **dict.fromkeys(counted, count)})
        for piece, in_piece in times.items():
            moment = self.over_time.setdefault(piece, Counter())
            moment.update({"decisions": in_piece, **dict.fromkeys(counted, in_piece)})
        self.kinds.update(dict.fromkeys((str(kind) for kind in kinds), count))
        if is_different:
            self.different += count
            self.by_reason[deciding_reason(before, after)] += count
        for kind in kinds:
            shown = self.examples.setdefault(kind, [])
            if len(shown) < self._at_most:
                shown.append({**example, "decisions": count, "before": before.document(), "after": after.document()})

    def comparison(self, piece_s: int) -> "Comparison":
        return Comparison(
            compared=self.compared,
            different=self.different,
            kinds={str(kind): self.kinds.get(kind, 0) for kind in Kind},
            by={name: {value: dict(row) for value, row in sorted(rows.items())} for name, rows in self.by.items()},
            by_reason=dict(self.by_reason.most_common(_MAX_EXAMPLE_REASONS)),
            over_time=[
                {"from": datetime.fromtimestamp(piece * piece_s, tz=UTC).isoformat(), **dict(counts)}
                for piece, counts in sorted(self.over_time.items())
            ],
            examples={kind: self.examples[kind] for kind in sorted(self.examples)},
        )


def _row(rows: dict[str, Counter[str]], value: str) -> Counter[str]:
    if value not in rows and len(rows) >= _MAX_VALUES:
        value = OTHER
    return rows.setdefault(value, Counter())


def deciding_reason(before: ComparedAnswer, after: ComparedAnswer) -> str:
    """Return the reason that was added or, where none was, the one that was removed."""
    came = [reason for reason in after.reasons if reason not in before.reasons]
    went = [reason for reason in before.reasons if reason not in after.reasons]
    return next(iter([*came, *went]), "")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Comparison of earlier answers with the candidate's. Counts are decisions, not fact sheets."""

    compared: int
    different: int
    kinds: Mapping[str, int]
    by: Mapping[str, Mapping[str, Mapping[str, int]]]
    by_reason: Mapping[str, int]
    over_time: list[dict[str, Any]]
    examples: Mapping[str, list[dict[str, Any]]]

    def document(self) -> dict[str, Any]:
        return {
            "compared": self.compared,
            "different": self.different,
            "kinds": dict(self.kinds),
            "by": self.by,
            "by_reason": dict(self.by_reason),
            "over_time": self.over_time,
            "examples": self.examples,
        }


@dataclass(frozen=True, kw_only=True)
class ReplayReport:
    """Report of a simulation. ``in_force`` compares with the rules in force, ``as_answered`` with logged answers."""

    candidate: str
    base: str
    since: datetime
    until: datetime
    decisions: int
    distinct: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    unreadable: int
    unreadable_examples: list[dict[str, Any]]
    in_force: Comparison
    as_answered: Comparison
    seconds: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        return {
            "decisions": self.decisions,
            "compared": self.in_force.compared,
            "different": self.in_force.different,
            "unreadable": self.unreadable,
            **self.in_force.kinds,
        }

    def document(self) -> dict[str, Any]:
        """Return the report as stable JSON; members may be added under the same format, none is renamed or removed."""
        return {
            "format": FORMAT,
            "candidate": self.candidate,
            "base": self.base,
            "since": self.since.astimezone(UTC).isoformat(),
            "until": self.until.astimezone(UTC).isoformat(),
            "decisions": self.decisions,
            "distinct_fact_sheets": self.distinct,
            "skipped": dict(self.skipped),
            "unreadable": {"decisions": self.unreadable, "examples": self.unreadable_examples},
            "in_force": self.in_force.document(),
            "as_answered": self.as_answered.document(),
        }
