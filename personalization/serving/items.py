"""Items as this process holds them between requests, as of one revision of the catalogue.

The statement of a decision says which revision counts. Any change of an item, of the general list or of a creator's
opt-out makes a new one in its own transaction, and what was held under the old one is let go: so a switched-off item
and an opt-out count at the next request, as if each read the tables.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from django.utils.translation import get_language
from numpy.typing import NDArray

from personalization.recommender.answers import Personal
from personalization.recommender.interactions import Item
from personalization.rules.hidden import Hidden
from personalization.serving import reading, wording
from personalization.serving.reading import Entry
from personalization.serving.requests import Written
from personalization.serving.tables import Table
from policies.decisions.memo import ENTRY_BYTES, MIB, Memo

_Lists = tuple[int, frozenset[str]]
_General = list[tuple[str, str, str]]
_MOST_BYTES = 32 * MIB
_MOST_TABLES = 8
_MOST_AHEAD = 2_000
_ABSENT = Entry("", frozenset(), is_offered=False, begun="")  # not in the catalogue, or removed
_UNREAD = Entry("", frozenset(), is_offered=False, begun="")


def _bytes_of_entry(slug: str, entry: Entry) -> int:
    return ENTRY_BYTES + len(slug) + 4 * (len(entry.title) + len(entry.begun) + sum(map(len, entry.tags)))


def _bytes_of_list(_key: _Lists, items: _General) -> int:
    return ENTRY_BYTES + sum(128 + 4 * (len(slug) + len(title)) for slug, title, _basis in items)


def _bytes_of_text(_key: tuple[_Lists, str | None], written: Written) -> int:
    return 2 * ENTRY_BYTES + 128 * len(written.ids) + len(bytes(written.text))


class Items:
    """Items of one revision; without a revision nothing is held, and each question is one to the database."""

    def __init__(self, revision: int | None) -> None:
        self.revision = revision
        self._entries: Memo[str, Entry] = Memo(_MOST_BYTES, _bytes_of_entry)
        self._read_to: str | None = ""  # None: to the end
        self._tables: dict[tuple[int, frozenset[str]], Table] = {}
        self._general: Memo[_Lists, _General] = Memo(MIB, _bytes_of_list)
        self._written: Memo[tuple[_Lists, str | None], Written] = Memo(MIB, _bytes_of_text)

    def offered(self, slugs: Collection[str], hidden: frozenset[str]) -> dict[str, str]:
        """Return those of the items that are offered and not hidden, with their titles. Raises ReadingFailed."""
        return {
            slug: entry.title
            for slug, entry in self._of(slugs).items()
            if entry.is_offered and hidden.isdisjoint(entry.tags)
        }

    def titles(self, slugs: Collection[str], hidden: frozenset[str]) -> dict[str, str]:
        """Return titles of items, offered or not, that are not hidden. Raises ReadingFailed."""
        return {slug: entry.title for slug, entry in self.named(slugs, hidden).items()}

    def named(self, slugs: Collection[str], hidden: frozenset[str]) -> dict[str, Entry]:
        """Return those of the items, offered or not, that are not hidden. Raises ReadingFailed."""
        return {
            slug: entry
            for slug, entry in self._of(slugs).items()
            if entry is not _ABSENT and hidden.isdisjoint(entry.tags)
        }

    def table(self, items: Sequence[Item], positions: NDArray[np.intp], hidden: frozenset[str]) -> Table:
        """Return a model's items as they are named, at least at these positions. Raises ReadingFailed."""
        key = id(items), hidden  # a table that is held keeps its items
        found = self._tables.get(key)
        if found is None:
            found = Table(items)
            if self.revision is not None:
                if len(self._tables) >= _MOST_TABLES:
                    self._tables.clear()
                self._tables[key] = found
        missing = positions[~found.is_known[positions]]
        if missing.size:
            found.fill(missing, self.named([items[place].id for place in missing.tolist()], hidden))
        return found

    def general(self, count: int, hidden: Hidden) -> _General:
        """Return items, titles and bases of the general list, without what is hidden. Raises ReadingFailed."""
        if hidden is None or self.revision is None:  # which rules there are is not part of the catalogue
            return reading.general(count, hidden)
        found = self._general.get((count, hidden))
        if found is None:
            found = reading.general(count, hidden)
            self._general.remember((count, hidden), found)
        return found

    def written(self, count: int, hidden: Hidden) -> Written:
        """Return the general list in the words of the language in force. Raises ReadingFailed."""
        if hidden is None or self.revision is None:
            return Written.of(wording.popular(self.general(count, hidden)))
        key = (count, hidden), get_language()
        found = self._written.get(key)
        if found is None:
            found = Written.of(wording.popular(self.general(count, hidden)))
            self._written.remember(key, found)
        return found

    def _of(self, slugs: Collection[str]) -> Mapping[str, Entry]:
        held = self._entries.get
        found = {slug: held(slug) or _UNREAD for slug in slugs}
        missing = [slug for slug, entry in found.items() if entry is _UNREAD]
        return {**found, **self._read(missing)} if missing else found

    def _read(self, slugs: Collection[str]) -> Mapping[str, Entry]:
        entries = reading.entries(slugs)
        read = {slug: entries.get(slug, _ABSENT) for slug in slugs}
        if self.revision is not None:
            for slug, entry in {**read, **self._read_ahead()}.items():
                self._entries.remember(slug, entry)
        return read

    def _read_ahead(self) -> Mapping[str, Entry]:
        """Read as many further items as are held, so that a few statements have read all that lists name.

        In the order of their ids, until half of what may be held is: of a larger catalogue most are never named.
        """
        count = min(len(self._entries), _MOST_AHEAD)
        if self._read_to is None or not count or self._entries.held_bytes > _MOST_BYTES // 2:
            return {}
        further = reading.following(self._read_to, count)
        self._read_to = next(reversed(further)) if len(further) == count else None
        return further


class Offer(NamedTuple):
    """Items on offer to a person: those of the catalogue without what rules of display hide."""

    items: Items
    hidden: frozenset[str]

    def of(self, slugs: Collection[str]) -> Mapping[str, str]:
        """Return those of the items that are offered now, with their titles. Raises ReadingFailed."""
        return self.items.offered(slugs, self.hidden)

    def named(self, slugs: Collection[str]) -> Mapping[str, Entry]:
        """Return those of the items that are not hidden. Raises ReadingFailed."""
        return self.items.named(slugs, self.hidden)

    def table(self, listed: Personal) -> Table:
        """Return the items of a list and of its reasons as they are named. Raises ReadingFailed."""
        positions = np.concatenate((listed.chosen, listed.own.ravel()))
        return self.items.table(listed.items, positions, self.hidden)


_held = Items(None)


def at(revision: int | None) -> Items:
    """Return the items as of a revision; what was read of others is let go.

    What is read later than the revision was known is at least as new as it, so nothing stale comes in with it.
    """
    global _held
    if revision is None:
        return Items(None)
    held = _held
    if held.revision != revision:
        held = _held = Items(revision)
    return held
