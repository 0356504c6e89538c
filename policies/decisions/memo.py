"""Memory between decisions: what is a pure function of its key, bounded in bytes.

A bound in entries bounds nothing where callers choose the size of an entry. Every process has these memos once, for all
revisions together: the revision is part of the key.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

MIB = 2**20
# One entry may take this part of a memo: larger ones are computed anew, so that a few cannot displace all the others.
_LARGEST_PART = 64
# What Python takes for an entry beside its content: dict slot, tuple of the key, headers of objects.
ENTRY_BYTES = 512

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Memo(Generic[_Key, _Value]):
    """A mapping that forgets its oldest entries before they take more than ``max_bytes``.

    ``size_of(key, value)`` is an upper estimate in bytes, the same at every call. Nothing is stored of entries larger
    than a small part of the whole.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[_Key, _Value], int]) -> None:
        self.max_bytes, self._size_of = max_bytes, size_of
        self._entries: dict[_Key, _Value] = {}
        self._bytes = 0
        self._writing = threading.Lock()
        # Reading takes no lock: this is the dictionary's own method, called for every decision.
        self.get: Callable[[_Key], _Value | None] = self._entries.get

    def remember(self, key: _Key, value: _Value) -> None:
        size = self._size_of(key, value)
        if size > self.max_bytes // _LARGEST_PART:
            return
        with self._writing:
            if key in self._entries:
                return
            if self._bytes + size > self.max_bytes:
                self._forget_oldest()
            self._entries[key] = value
            self._bytes += size

    @property
    def held_bytes(self) -> int:
        """Return the estimate of what the entries take."""
        return self._bytes

    def clear(self) -> None:
        with self._writing:
            self._entries.clear()
            self._bytes = 0

    def items(self) -> list[tuple[_Key, _Value]]:
        return list(self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)

    def _forget_oldest(self) -> None:
        """Make room for a quarter of the whole at once: a dictionary is slow at giving up its first entry."""
        for key, value in self.items():  # in the order of insertion
            if self._bytes <= self.max_bytes * 3 // 4:
                return
            del self._entries[key]
            self._bytes -= self._size_of(key, value)
