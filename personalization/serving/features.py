"""Online features: a person's latest events in one row, and what a level may use of them.

The row comes with the statement of the decision and is looked at only where the decision permits a personal level. It
is missing, or open, where a deletion was under way as it was to be made; then the events themselves are read
(``reading.history``). Both say the same.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from personalization import events
from personalization.models import Event
from personalization.recommender.interactions import Touches, digest_of
from personalization.recommender.model import Model
from personalization.serving.reading import LIKING, History

Kind = Event.Kind
# As the triggers of migration 0018 write them. A kind they do not know is 0, and such a row is not used.
NUMBERS: Mapping[str, int] = {
    Kind.VIEW: 1,
    Kind.CLICK: 2,
    Kind.DWELL: 3,
    Kind.LIKE: 4,
    Kind.RATING: 5,
    Kind.PURCHASE: 6,
    Kind.NOT_RELEVANT: 7,
    Kind.DISMISS: 8,
    Kind.UNDO: 9,
}
_KINDS = {number: kind for kind, number in NUMBERS.items()}
_ENTRY = np.dtype([("item", ">u8"), ("kind", "u1"), ("weight", ">f4"), ("at", ">i4")])
_MANY = 400
_EPOCH = 2**31  # moments count from there, so that they last until 2106
_DISMISSED_S = round(events.DISMISSED_FOR.total_seconds())
_LIKING = np.isin(np.arange(256), [NUMBERS[kind] for kind in LIKING])


class Features(NamedTuple):
    """Row of a person and purpose. ``has_older``: there are entries before the recent ones, read or not."""

    recent: bytes | None = None
    older: bytes | None = None
    has_older: bool = False

    @property
    def is_long(self) -> bool:
        """Return whether so many events were read that a list of them takes long."""
        return len(self.older or b"") > _MANY * _ENTRY.itemsize


NONE = Features()


def history(
    features: Features,
    kinds: Collection[str],
    limit: int,
    load: Callable[[], Model],
    *,
    now: float,
    of_all_items: bool = False,
) -> History | None:
    """Return what ``reading.history`` would of items that a model knows; None where the row does not say it.

    The model is loaded only for a row with a no, whose items need their names. With ``of_all_items`` such a row says
    nothing: the no may be about an item that the model does not know.
    """
    if features.recent is None:
        return None
    entries = np.frombuffer((features.older or b"") + features.recent, _ENTRY)
    if _are_touches(frozenset(kinds))[entries["kind"]].all():  # as it is nearly always
        enough = len(entries) >= limit or not features.has_older or features.older is not None
        entries = entries[-limit:]
        weights = entries["weight"].astype(np.float64)
        if enough and weights.all():
            return _of_touches(entries, weights)
    if not entries["kind"].all():
        return None
    entries = entries[_counts(entries, kinds, now)]
    if len(entries) < limit and features.has_older and features.older is None:
        return None
    entries = entries[-limit:]
    weights = entries["weight"].astype(np.float64)
    if weights.all():
        return _of_touches(entries, weights)
    if of_all_items:
        return None
    model = load()
    named = ((model.id_of(item), kind, weight) for item, kind, weight, _ in reversed(entries.tolist()))
    return History.of((name, _KINDS[kind], weight) for name, kind, weight in named if name is not None)


def _of_touches(entries: NDArray[np.void], weights: NDArray[np.float64]) -> History:
    """Return a history without any no: each entry is a touch."""
    items = entries["item"].astype(np.uint64)
    liked = _LIKING[entries["kind"]] | (weights > events.MIDDLE)
    return History(Touches(items, weights), _Items(frozenset(items[liked].tolist())))


class _Items:
    """Set of items by their digests."""

    def __init__(self, digests: frozenset[int]) -> None:
        self._digests = digests

    def __contains__(self, item: object) -> bool:
        return isinstance(item, str) and _digest(item) in self._digests


_digest = lru_cache(maxsize=65_536)(digest_of)


def _counts(entries: NDArray[np.void], kinds: Collection[str], now: float) -> NDArray[np.bool_]:
    """Return which entries say something: of these kinds, and no dismissal that is over."""
    counted: NDArray[np.bool_] = _flags(frozenset(kinds))[entries["kind"]]
    dismissed = entries["kind"] == NUMBERS[Kind.DISMISS]
    if dismissed.any():
        counted &= ~dismissed | (entries["at"].astype(np.int64) + _EPOCH > now - _DISMISSED_S)
    return counted


@lru_cache(maxsize=64)
def _are_touches(kinds: frozenset[str]) -> NDArray[np.bool_]:
    """Return by its number whether a kind is of these, and no word about an item for a time."""
    return _flags(kinds) & ~np.isin(np.arange(256), [NUMBERS[Kind.DISMISS]])


@lru_cache(maxsize=64)
def _flags(kinds: frozenset[str]) -> NDArray[np.bool_]:
    return np.isin(np.arange(256), [NUMBERS[kind] for kind in kinds])
