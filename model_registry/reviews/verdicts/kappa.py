"""Cohen's kappa of pairs of verdicts with its confidence interval. Pure.

kappa = (po - pe) / (1 - pe): the agreement observed beyond the one expected by chance, from the margins of the first
and the second verdict. The interval is that of Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72: the
large-sample standard error with unequal margins, 1.96 of it on either side, within -1 and 1.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_Z = 1.959964  # of a two-sided interval of 95 per cent
FEWEST = 10  # pairs below which a large-sample interval would claim more than is known


@dataclass(frozen=True)
class Agreement:
    """Agreement of two raters over ``pairs`` outputs. ``kappa`` is None where it is not defined, and ``why`` says so.

    ``interval`` is None as well where its error cannot be estimated.
    """

    pairs: int
    observed: float | None = None
    kappa: float | None = None
    interval: tuple[float, float] | None = None
    why: str = ""


def cohens_kappa(pairs: Iterable[tuple[str, str]]) -> Agreement:
    """Return the agreement of pairs of categories: the first rater's and the second's."""
    cells = Counter(pairs)
    total = cells.total()
    if not total:
        return Agreement(0, why="No output was judged by two people.")
    share = {cell: count / total for cell, count in cells.items()}
    first, second = _margin(share, 0), _margin(share, 1)
    observed = sum(part for (a, b), part in share.items() if a == b)
    chance = sum(part * second.get(category, 0.0) for category, part in first.items())
    if math.isclose(chance, 1.0):
        return Agreement(total, observed, why="All verdicts are the same: chance alone would agree as often.")
    kappa = (observed - chance) / (1 - chance)
    if math.isclose(observed, 1.0):
        return Agreement(total, observed, kappa, why="Everybody agreed: an error cannot be estimated.")
    if total < FEWEST:
        return Agreement(total, observed, kappa, why=f"Fewer than {FEWEST} pairs: no interval.")
    error = math.sqrt(_variance(share, first, second, observed, chance) / total)
    return Agreement(total, observed, kappa, (max(-1.0, kappa - _Z * error), min(1.0, kappa + _Z * error)))


def _margin(share: dict[tuple[str, str], float], side: int) -> dict[str, float]:
    margin: dict[str, float] = {}
    for cell, part in share.items():
        margin[cell[side]] = margin.get(cell[side], 0.0) + part
    return margin


def _variance(
    share: dict[tuple[str, str], float],
    first: dict[str, float],
    second: dict[str, float],
    observed: float,
    chance: float,
) -> float:
    """Return the variance of kappa times the number of pairs (Fleiss, Cohen and Everitt, equation 13)."""

    def margins(a: str, b: str) -> float:
        return first.get(b, 0.0) + second.get(a, 0.0)

    agreeing = sum(
        part * ((1 - chance) - margins(a, a) * (1 - observed)) ** 2 for (a, b), part in share.items() if a == b
    )
    other = sum(part * margins(a, b) ** 2 for (a, b), part in share.items() if a != b)
    rest = (observed * chance - 2 * chance + observed) ** 2
    return max(0.0, agreeing + (1 - observed) ** 2 * other - rest) / (1 - chance) ** 4
