"""Items that cost the others of their class more than their own values are worth: candidates for suppression."""

from collections.abc import Sequence

import numpy as np

from privacy.anonymisation.generalisation import Domain, FloatArray, IntArray
from privacy.anonymisation.partition.cuts import losses_between
from privacy.anonymisation.partition.items import Items


def outliers(
    items: Items, domains: Sequence[Domain], weights: Sequence[float], classes: IntArray, limit: int
) -> IntArray:
    """Return items to leave out, of at most ``limit`` rows together: those first by which most loss is saved a row."""
    number = int(classes.max()) + 1
    spared, lost = np.zeros(len(items)), np.zeros(number)
    for domain, codes, weight in zip(domains, items.codes, weights, strict=True):
        of_class, of_item = _loss(domain, codes, classes, number)
        lost += of_class * weight
        spared += of_item * weight
    others = np.bincount(classes, weights=items.rows, minlength=number)[classes] - items.rows
    gain = spared * others / items.rows - (sum(weights) - lost[classes])
    best = np.argsort(-gain, kind="stable")
    best = best[gain[best] > 0]
    return best[np.cumsum(items.rows[best]) <= limit]


def total_loss(items: Items, domains: Sequence[Domain], weights: Sequence[float], classes: IntArray) -> float:
    """Return the loss of all rows; those without a class (-1) lose everything."""
    kept = np.flatnonzero(classes >= 0)
    number = int(classes.max()) + 1
    total = float(items.rows[classes < 0].sum()) * sum(weights)
    rows = np.bincount(classes[kept], weights=items.rows[kept], minlength=number)
    for domain, codes, weight in zip(domains, items.codes, weights, strict=True):
        total += float(rows @ _loss(domain, codes[kept], classes[kept], number)[0]) * weight
    return total


def _loss(domain: Domain, codes: IntArray, classes: IntArray, number: int) -> tuple[FloatArray, FloatArray]:
    """Return what each class loses, and what it would lose less without each of its items."""
    keys, value_of, times = np.unique(classes * domain.size + codes, return_inverse=True, return_counts=True)
    owner, values = np.divmod(keys, domain.size)
    starts = np.searchsorted(owner, np.arange(number))
    ends = np.append(starts[1:], len(keys)) - 1
    between, spared = losses_between(domain), np.zeros(len(keys))
    if between is None:
        step = 1 / max(domain.size - 1, 1)
        loss = np.maximum(ends - starts, 0) * step
        spared = np.where(ends[owner] > starts[owner], step, 0.0)
    else:
        low, high = values[np.minimum(starts, len(keys) - 1)], values[ends]
        loss = between(low, high)
        after, before = values[np.minimum(starts + 1, ends)], values[np.maximum(ends - 1, starts)]
        spared[starts] = loss - between(after, high)
        spared[ends] = np.maximum(spared[ends], loss - between(low, before))
    spared[times > 1] = 0
    return np.asarray(loss, dtype=np.float64), spared[value_of]
