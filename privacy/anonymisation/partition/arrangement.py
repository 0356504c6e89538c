"""Orders and blocks in which like items lie near each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privacy.anonymisation.generalisation import Domain, IntArray
from privacy.anonymisation.partition.conditions import Condition
from privacy.anonymisation.partition.cuts import halve
from privacy.anonymisation.partition.items import Items


@dataclass(frozen=True)
class Arrangement:
    """``order`` lists the items; a block begins at each of ``blocks``, which ends with their number."""

    order: IntArray
    blocks: IntArray


def by_tree(
    items: Items,
    domains: Sequence[Domain],
    weights: Sequence[float],
    *,
    k: int,
    rows: int,
    conditions: Sequence[Condition] = (),
) -> Arrangement:
    """Arrange by halving the table down to blocks of about ``rows``; for columns with hierarchies."""
    part = halve(items, domains, weights, least=k, enough=rows, conditions=conditions)
    return Arrangement(np.argsort(part, kind="stable"), np.concatenate([[0], np.cumsum(np.bincount(part))]))


def by_sorting(items: Items, ranking: Sequence[int], rows: int) -> Arrangement:
    """Arrange by sorting by the quasi-identifiers in the order of ``ranking``, in blocks of about ``rows``."""
    order = np.lexsort([items.codes[place] for place in reversed(ranking)])
    up_to = np.cumsum(items.rows[order])
    number = max(1, round(int(up_to[-1]) / rows))
    cuts = np.searchsorted(up_to, np.arange(1, number) * up_to[-1] / number)
    return Arrangement(order, np.unique(np.concatenate([[0], cuts, [len(items)]])))


def ranked_for_blocks(items: Items, domains: Sequence[Domain]) -> list[int]:
    """Rank the quasi-identifiers for sorting into blocks, by what they say about the sensitive value."""
    if items.sensitive is None:
        return ranked(domains)
    return ranked(domains, [information(codes, items.sensitive, items.rows) for codes in items.codes])


def ranked(domains: Sequence[Domain], telling: Sequence[float] | None = None) -> list[int]:
    """Rank the quasi-identifiers for sorting: small domains first, ranges last.

    One mixed value of a small domain costs most, so it should be constant in a block. What says most about the
    sensitive value goes last of all, or blocks would be one-sided and conditions on it could not be met in them.
    """
    ranking = _by_domain(domains)
    return ranking if telling is None else _last(ranking, max(ranking, key=lambda place: telling[place]))


def ranked_for_runs(items: Items, domains: Sequence[Domain], k: int) -> list[int]:
    """Rank the quasi-identifiers for cutting into runs: as for blocks, but last the one that costs least unsorted.

    What is sorted last is random within a run of k; a column with one frequent value loses little by that.
    """
    ranking = _by_domain(domains)
    unsorted = [
        _loss_unsorted(codes, items.rows, domain, k) for codes, domain in zip(items.codes, domains, strict=True)
    ]
    return _last(ranking, min(ranking, key=lambda place: unsorted[place]))


def _by_domain(domains: Sequence[Domain]) -> list[int]:
    return sorted(range(len(domains)), key=lambda place: (domains[place].positions is not None, domains[place].size))


def _last(ranking: Sequence[int], place: int) -> list[int]:
    return [*(other for other in ranking if other != place), place]


def information(codes: IntArray, values: IntArray, rows: IntArray) -> float:
    """Return the mutual information of two columns, in nats."""
    width = int(values.max()) + 1
    joint = np.bincount(codes * width + values, weights=rows, minlength=(int(codes.max()) + 1) * width)
    table = joint.reshape(-1, width) / joint.sum()
    apart = table.sum(axis=1, keepdims=True) * table.sum(axis=0)
    held = table > 0
    return float((table[held] * np.log(table[held] / apart[held])).sum())


def _loss_unsorted(codes: IntArray, rows: IntArray, domain: Domain, k: int) -> float:
    """Return the loss to expect of k rows at random."""
    share = np.bincount(codes, weights=rows, minlength=domain.size) / rows.sum()
    if domain.positions is None:
        return float(((1 - (1 - share) ** k).sum() - 1) / max(domain.size - 1, 1))
    # The range of k draws: what lies between two places is in it unless all draws fall on one side.
    order = np.argsort(domain.positions, kind="stable")
    below = np.cumsum(share[order])[:-1]
    return float((np.diff(domain.positions[order]) * (1 - below**k - (1 - below) ** k)).sum())
