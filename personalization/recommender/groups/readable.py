"""Readable segments: a few groups by what people choose most and by how much they chose.

``favourite=CATEGORY|chosen=AMOUNT``, or one of the two where both together are too few people. A person is in one
group or in none, and no group is smaller than k.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Item, Person

MOST_GROUPS = 10
_FAVOURITES = 3
_LONGEST_NAME = 64
"""A kind with a longer name, or with the mark between the parts of a key, is in no key."""
_AMOUNTS = np.array(["few", "some", "many"])
"""Thirds of the people by how many items they liked."""


def segments(data: Histories, items: Sequence[Item], *, at_least: int, at_most: int = MOST_GROUPS) -> dict[Person, str]:
    """Return the group of each person who is in one; the same input, the same groups."""
    if not len(data):
        return {}
    pairs = list(zip(_favourites(data, items), _amounts(data), strict=True))
    keys = _merged(pairs, at_least)
    while len(set(keys)) - (None in keys) > at_most:
        smallest = min(_fine(keys).items(), key=lambda pair: (pair[1], pair[0]), default=None)
        if smallest is None:
            break
        favourite = smallest[0].partition("|")[0]
        keys = [favourite if key and key.partition("|")[0] == favourite else key for key in keys]
    return {person: key for person, key in zip(data.people, keys, strict=True) if key}


def _merged(pairs: Sequence[tuple[str, str]], at_least: int) -> list[str | None]:
    """Return the finest group of each person that is large enough: of both, of the favourite, of the amount."""
    keys: list[str | None] = [None] * len(pairs)
    for name in (_both, _favourite, _amount):
        open_ = [place for place, key in enumerate(keys) if key is None]
        sizes = Counter(name(*pairs[place]) for place in open_)
        for place in open_:
            key = name(*pairs[place])
            keys[place] = key if sizes[key] >= at_least else None
    return keys


def _fine(keys: Sequence[str | None]) -> Counter[str]:
    return Counter(key for key in keys if key and "|" in key)


def _both(favourite: str, amount: str) -> str:
    return f"favourite={favourite}|chosen={amount}"


def _favourite(favourite: str, _amount: str) -> str:
    return f"favourite={favourite}"


def _amount(_favourite: str, amount: str) -> str:
    return f"chosen={amount}"


def _favourites(data: Histories, items: Sequence[Item]) -> list[str]:
    """Return what each person chooses more than others do, among the kinds that are so for most people."""
    named = {name for item in items for name in item.categories}
    names = sorted(name for name in named if "|" not in name and len(name) <= _LONGEST_NAME) or [""]
    column = {name: place for place, name in enumerate(names)}
    kinds = np.zeros((len(items), len(names)))
    for row, item in enumerate(items):
        kinds[row, [column[name] for name in item.categories if name in column]] = 1.0
    chosen = np.asarray((data.likes > 0).astype(np.float64) @ kinds)
    expected = chosen.sum(axis=1, keepdims=True) * chosen.sum(axis=0) / max(chosen.sum(), 1.0)
    surplus = (chosen - expected) / np.sqrt(expected + 1.0)
    most = Counter(surplus.argmax(axis=1).tolist()).most_common()
    kept = sorted(place for place, _ in sorted(most, key=lambda pair: (-pair[1], pair[0]))[:_FAVOURITES])
    return [names[kept[place]] for place in surplus[:, kept].argmax(axis=1).tolist()]


def _amounts(data: Histories) -> list[str]:
    """Return in which third each person is by the number of items they liked; equal numbers stay together."""
    liked = np.bincount(data.number[data.liked], minlength=len(data.people))
    thirds = np.arange(1, len(_AMOUNTS)) / len(_AMOUNTS)
    return [str(name) for name in _AMOUNTS[np.searchsorted(np.quantile(liked, thirds, method="inverted_cdf"), liked)]]
