"""Statistics under differential privacy, each computed from integers with integer noise, and each with its error.

Knows no database. The caller has bounded what one person contributes: at most ``rows`` rows, each value between
bounds that come from policy. Neighbours differ by one person, added or removed. Which groups or cells there are is
public; each gets noise, the empty ones too. What is derived from noisy integers costs nothing more (Dwork and
Roth 2014, Proposition 2.1).

Errors hold with probability CONFIDENCE, for each row by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from privacy.budgets import composition, noise

CONFIDENCE = 0.95
# A ratio of noisy counts below it would be noise alone.
SMALLEST_PEOPLE = noise.SMALLEST_DENOMINATOR


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


def counts(cells: Cells, *, epsilon: float, bounds: Bounds) -> list[Estimate]:
    """Return the number of rows of each group; also the counts of a histogram."""
    margin = noise.error_bound(epsilon, bounds.rows, CONFIDENCE)
    return [_around(group, noise.noisy_count(cell.rows, epsilon=epsilon, sensitivity=bounds.rows), margin)
            for group, cell in cells.items()]  # fmt: skip


def sums(cells: Cells, *, epsilon: float, bounds: Bounds) -> list[Estimate]:
    """Return the sum of the values of each group, in whole units."""
    reach = bounds.rows * bounds.farthest
    margin = noise.error_bound(epsilon, reach, CONFIDENCE)
    return [_around(group, noise.noisy_count(cell.total, epsilon=epsilon, sensitivity=reach), margin)
            for group, cell in cells.items()]  # fmt: skip


def means(cells: Cells, *, epsilon: float, bounds: Bounds, smallest: int = SMALLEST_PEOPLE) -> list[Estimate]:
    """Return the mean of each group: a noisy sum over a noisy number of rows, half of ``epsilon`` each.

    Values are measured from the middle of their bounds, which halves the noise of the sum.
    """
    return [_mean(group, cell, epsilon / 2, bounds, smallest) for group, cell in cells.items()]


def quantile(
    cells: Sequence[Cell], edges: Sequence[float], share: float, *, epsilon: float, bounds: Bounds
) -> Estimate:
    """Return the value below which ``share`` of the rows lie, to the nearest of the public ``edges``.

    It is read from a histogram: cell i holds the rows between edges i and i + 1.
    """
    drawn = [noise.noisy_count(cell.rows, epsilon=epsilon, sensitivity=bounds.rows) for cell in cells]
    whole = sum(drawn)
    margin = noise.sum_error_bound(len(cells), epsilon, bounds.rows, _EACH_OF_TWO)
    if whole <= margin:
        return Estimate("", None, None, None, max(0, whole), margin)
    found = list(accumulate(drawn))
    value, low = (_first_edge(found, edges, share * whole - off) for off in (0, margin))
    return Estimate("", value, low, max(value, _last_edge(found, edges, share * whole + margin)), whole, margin)


def largest(cells: Cells, number: int, *, epsilon: float, bounds: Bounds) -> list[Estimate]:
    """Return the ``number`` groups with the largest noisy counts. Their errors hold for all groups at once."""
    margin = noise.error_bound(epsilon, bounds.rows, 1 - (1 - CONFIDENCE) / max(1, len(cells)))
    drawn = [
        _around(group, noise.noisy_count(cell.rows, epsilon=epsilon, sensitivity=bounds.rows), margin)
        for group, cell in cells.items()
    ]
    return sorted(drawn, key=lambda estimate: (-(estimate.value or 0), estimate.group))[:number]


def rates(cells: Cells, *, epsilon: float, bounds: Bounds, smallest: int = SMALLEST_PEOPLE) -> list[Estimate]:
    """Return the share of rows of each group whose value is 1: two noisy counts with half of ``epsilon`` each."""
    margin = noise.error_bound(epsilon / 2, bounds.rows, _EACH_OF_TWO)
    return [_rate(group, cell, epsilon, bounds, margin, smallest) for group, cell in cells.items()]


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


def _around(group: str, value: int, margin: int) -> Estimate:
    return Estimate(group, value, value - margin, value + margin)


def _mean(group: str, cell: Cell, epsilon: float, bounds: Bounds, smallest: int) -> Estimate:
    rows = noise.noisy_count(cell.rows, epsilon=epsilon, sensitivity=bounds.rows)
    reach = bounds.rows * max(1, bounds.span)
    # Twice the distance from the middle is a whole number, and differs by at most the span for each row.
    twice = 2 * cell.total - (bounds.lower + bounds.upper) * cell.rows
    drawn = noise.noisy_count(twice, epsilon=epsilon, sensitivity=reach)
    margin = noise.error_bound(epsilon, bounds.rows, _EACH_OF_TWO)
    if rows < smallest:
        return Estimate(group, None, None, None, max(0, rows), margin)
    middle = (bounds.lower + bounds.upper) / 2
    value = _clamped(middle + drawn / (2 * rows), bounds)
    fewest, most = rows - margin, rows + margin
    off = noise.error_bound(epsilon, reach, _EACH_OF_TWO)
    if fewest < 1:
        return Estimate(group, value, bounds.lower, bounds.upper, rows, margin)
    ends = [middle + (drawn + side * off) / (2 * count) for side in (-1, 1) for count in (fewest, most)]
    return Estimate(group, value, _clamped(min(ends), bounds), _clamped(max(ends), bounds), rows, margin)


def _clamped(value: float, bounds: Bounds) -> float:
    return min(max(value, bounds.lower), bounds.upper)


def _rate(group: str, cell: Cell, epsilon: float, bounds: Bounds, margin: int, smallest: int) -> Estimate:
    drawn = noise.noisy_rate(
        cell.total, cell.rows, epsilon=epsilon, sensitivity=bounds.rows, smallest_denominator=smallest
    )
    if drawn.rate is None:
        return Estimate(group, None, None, None, drawn.denominator, margin)
    low = max(0.0, (drawn.numerator - margin) / (drawn.denominator + margin))
    fewest = drawn.denominator - margin
    high = min(1.0, (drawn.numerator + margin) / fewest) if fewest > 0 else 1.0
    return Estimate(group, drawn.rate, low, high, drawn.denominator, margin)


def _first_edge(found: Sequence[int], edges: Sequence[float], wanted: float) -> float:
    """Return the upper edge of the first cell up to which ``wanted`` rows lie; the lowest edge where none are."""
    if wanted <= 0:
        return edges[0]
    return edges[next((number for number, rows in enumerate(found) if rows >= wanted), len(found) - 1) + 1]


def _last_edge(found: Sequence[int], edges: Sequence[float], wanted: float) -> float:
    """Return the upper edge of the cell after the last one up to which fewer than ``wanted`` rows lie."""
    below = [number for number, rows in enumerate(found) if rows < wanted]
    return edges[min(max(below, default=-1) + 1, len(found) - 1) + 1]
