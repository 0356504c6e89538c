"""Statistics under differential privacy, each computed from integers with integer noise, and each with its error.

Knows no database. The caller has bounded what one person contributes: at most ``rows`` rows, each value between
bounds that come from policy. Neighbours differ by one person, added or removed. Which groups or cells there are is
public; each gets noise, the empty ones too. What is derived from noisy integers costs nothing more (Dwork and
Roth 2014, Proposition 2.1).

Errors hold with probability CONFIDENCE, for each row by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from privacy.budgets import composition
from privacy.budgets.mechanisms import Mechanism

CONFIDENCE = 0.95
# A ratio of noisy counts below it would be noise alone.
SMALLEST_PEOPLE = 10


@dataclass(frozen=True)
class Bounds:
    """What one person may add, in whole units: rows, and the value of each between two numbers."""

    rows: int = 1
    lower: int = 0
    upper: int = 1

    @property
    def span(self) -> int:
        return self.upper - self.lower

    @property
    def farthest(self) -> int:
        """Return the largest amount that one row adds to a sum."""
        return max(abs(self.lower), abs(self.upper), 1)


@dataclass(frozen=True)
class Cell:
    """What is known of a group before noise: its rows, and the sum of their values in whole units."""

    rows: int = 0
    total: int = 0


@dataclass(frozen=True)
class Estimate:
    """A released number with the interval it lies in; ``value`` is None where the noise leaves nothing to say.

    ``rows``: the noisy number of rows that it was divided by, within ``rows_margin``.
    """

    group: str
    value: float | None
    low: float | None
    high: float | None
    rows: int | None = None
    rows_margin: int | None = None


Cells = Mapping[str, Cell]


def counts(cells: Cells, *, mechanism: Mechanism, bounds: Bounds) -> list[Estimate]:
    """Return the number of rows of each group; also the counts of a histogram."""
    drawn = mechanism.draw([cell.rows for cell in cells.values()], bounds.rows)
    return _around(cells, drawn, mechanism.margin(bounds.rows, CONFIDENCE))


def sums(cells: Cells, *, mechanism: Mechanism, bounds: Bounds) -> list[Estimate]:
    """Return the sum of the values of each group, in whole units."""
    reach = bounds.rows * bounds.farthest
    drawn = mechanism.draw([cell.total for cell in cells.values()], reach)
    return _around(cells, drawn, mechanism.margin(reach, CONFIDENCE))


def means(cells: Cells, *, mechanism: Mechanism, bounds: Bounds, smallest: int = SMALLEST_PEOPLE) -> list[Estimate]:
    """Return the mean of each group: a noisy sum over a noisy number of rows, half of the cost each.

    Values are measured from the middle of their bounds, which halves the noise of the sum.
    """
    half, reach = mechanism.part(1 / 2), bounds.rows * max(1, bounds.span)
    rows = half.draw([cell.rows for cell in cells.values()], bounds.rows)
    # Twice the distance from the middle is a whole number, and differs by at most the span for each row.
    twice = [2 * cell.total - (bounds.lower + bounds.upper) * cell.rows for cell in cells.values()]
    off = half.draw(twice, reach)
    margins = half.margin(bounds.rows, _EACH_OF_TWO), half.margin(reach, _EACH_OF_TWO)
    return [
        _mean(group, number, total, margins, bounds, smallest)
        for group, number, total in zip(cells, rows, off, strict=True)
    ]


def quantile(
    cells: Sequence[Cell], edges: Sequence[float], share: float, *, mechanism: Mechanism, bounds: Bounds
) -> Estimate:
    """Return the value below which ``share`` of the rows lie, to the nearest of the public ``edges``.

    It is read from a histogram: cell i holds the rows between edges i and i + 1.
    """
    drawn = mechanism.draw([cell.rows for cell in cells], bounds.rows)
    whole = sum(drawn)
    margin = mechanism.margin_of_sum(len(cells), bounds.rows, _EACH_OF_TWO)
    if whole <= margin:
        return Estimate("", None, None, None, max(0, whole), margin)
    found = list(accumulate(drawn))
    value, low = (_first_edge(found, edges, share * whole - off) for off in (0, margin))
    return Estimate("", value, low, max(value, _last_edge(found, edges, share * whole + margin)), whole, margin)


def largest(cells: Cells, number: int, *, mechanism: Mechanism, bounds: Bounds) -> list[Estimate]:
    """Return the ``number`` groups with the largest noisy counts. Their errors hold for all groups at once."""
    margin = mechanism.margin(bounds.rows, 1 - (1 - CONFIDENCE) / max(1, len(cells)))
    drawn = _around(cells, mechanism.draw([cell.rows for cell in cells.values()], bounds.rows), margin)
    return sorted(drawn, key=lambda estimate: (-(estimate.value or 0), estimate.group))[:number]


def rates(cells: Cells, *, mechanism: Mechanism, bounds: Bounds, smallest: int = SMALLEST_PEOPLE) -> list[Estimate]:
    """Return the share of rows of each group whose value is 1: two noisy counts with half of the cost each.

    Cutting both to 0 <= part <= whole, and the floor ``smallest``, see noisy counts only, so they cost nothing.
    """
    if any(not 0 <= cell.total <= cell.rows for cell in cells.values()):
        raise ValueError("A rate needs 0 <= total <= rows.")
    half = mechanism.part(1 / 2)
    wholes = half.draw([cell.rows for cell in cells.values()], bounds.rows)
    parts = half.draw([cell.total for cell in cells.values()], bounds.rows)
    margin = half.margin(bounds.rows, _EACH_OF_TWO)
    return [
        _rate(group, part, max(0, whole), margin, max(1, smallest))
        for group, part, whole in zip(cells, parts, wholes, strict=True)
    ]


def curve_of_count(epsilon: float, bounds: Bounds) -> composition.Curve:
    """Return the divergences of one noisy count of each group, by order."""
    return composition.pure(epsilon)


def curve_of_sum(epsilon: float, bounds: Bounds) -> composition.Curve:
    """Return those of one noisy sum of each group; exact where a person is in one group alone."""
    if bounds.rows > 1:
        return composition.pure(epsilon)
    return composition.discrete_laplace(epsilon, bounds.farthest)


def curve_of_rate(epsilon: float, bounds: Bounds) -> composition.Curve:
    """Return those of two noisy counts with half of epsilon each."""
    return composition.together([composition.pure(epsilon / 2)] * 2)


def curve_of_mean(epsilon: float, bounds: Bounds) -> composition.Curve:
    """Return those of a noisy count and a noisy sum with half of epsilon each."""
    exact = composition.discrete_laplace(epsilon / 2, max(1, bounds.span)) if bounds.rows == 1 else None
    return composition.together([composition.pure(epsilon / 2), exact or composition.pure(epsilon / 2)])


# Two numbers that hold together with CONFIDENCE hold with this each (union bound).
_EACH_OF_TWO = 1 - (1 - CONFIDENCE) / 2


def _around(groups: Iterable[str], drawn: Iterable[int], margin: int) -> list[Estimate]:
    return [Estimate(group, value, value - margin, value + margin) for group, value in zip(groups, drawn, strict=True)]


def _mean(group: str, rows: int, drawn: int, margins: tuple[int, int], bounds: Bounds, smallest: int) -> Estimate:
    margin, off = margins
    if rows < smallest:
        return Estimate(group, None, None, None, max(0, rows), margin)
    middle = (bounds.lower + bounds.upper) / 2
    value = _clamped(middle + drawn / (2 * rows), bounds)
    fewest, most = rows - margin, rows + margin
    if fewest < 1:
        return Estimate(group, value, bounds.lower, bounds.upper, rows, margin)
    ends = [middle + (drawn + side * off) / (2 * count) for side in (-1, 1) for count in (fewest, most)]
    return Estimate(group, value, _clamped(min(ends), bounds), _clamped(max(ends), bounds), rows, margin)


def _clamped(value: float, bounds: Bounds) -> float:
    return min(max(value, bounds.lower), bounds.upper)


def _rate(group: str, part: int, whole: int, margin: int, smallest: int) -> Estimate:
    if whole < smallest:
        return Estimate(group, None, None, None, whole, margin)
    part, fewest = min(max(0, part), whole), whole - margin
    low = max(0.0, (part - margin) / (whole + margin))
    high = min(1.0, (part + margin) / fewest) if fewest > 0 else 1.0
    return Estimate(group, part / whole, low, high, whole, margin)


def _first_edge(found: Sequence[int], edges: Sequence[float], wanted: float) -> float:
    """Return the upper edge of the first cell up to which ``wanted`` rows lie; the lowest edge where none are."""
    if wanted <= 0:
        return edges[0]
    return edges[next((number for number, rows in enumerate(found) if rows >= wanted), len(found) - 1) + 1]


def _last_edge(found: Sequence[int], edges: Sequence[float], wanted: float) -> float:
    """Return the upper edge of the cell after the last one up to which fewer than ``wanted`` rows lie."""
    below = [number for number, rows in enumerate(found) if rows < wanted]
    return edges[min(max(below, default=-1) + 1, len(found) - 1) + 1]
