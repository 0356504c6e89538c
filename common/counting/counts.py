"""Counts of all processes of a kind: each writes its own file, mapped into memory, and a scrape adds them up.

A file is a table of fixed rows: a name and the numbers counted under it. Writing is a few additions in memory and no
system call; a process that is killed leaves what it counted, and the next one that starts takes it over.
"""

import fcntl
import mmap
import os
import threading
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NUMBERS = 16  # of a row
_NAME_BYTES = 128
_ROW_BYTES = _NAME_BYTES + 8 * NUMBERS
# Names are of closed sets: what does not fit is counted under one name.
_USUAL_ROWS = 1_024
REST = "rest"
# What a process has at the moment is nothing once it has ended.
MOMENTARY = "now "


class Counts:
    """The file of this process. Rows are made when they are first counted."""

    def __init__(self, folder: Path, *, rows: int = _USUAL_ROWS) -> None:
        self._folder, self._rows = folder, rows
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock, self._starts = threading.Lock(), dict[str, int]()
        with _folder_lock(folder, fcntl.LOCK_EX):
            path = folder / f"{os.getpid()}-{os.urandom(4).hex()}.counts"
            # Open, and so locked, as long as the process lives.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, rows * _ROW_BYTES)
            self._map = mmap.mmap(descriptor, 0)
            self._numbers = memoryview(self._map).cast("d")
            self._take_over()

    def add(self, name: str, amounts: dict[int, float]) -> None:
        """Add to the numbers of a row, by their place in it."""
        with self._lock:
            start = self._starts.get(name)
            if start is None:
                start = self._new_row(name)
            for place, amount in amounts.items():
                self._numbers[start + place] += amount

    def put(self, name: str, values: list[float]) -> None:
        """Replace the numbers of a row."""
        with self._lock:
            start = self._starts.get(name)
            if start is None:
                start = self._new_row(name)
            for place, value in enumerate(values):
                self._numbers[start + place] = value

    def own(self) -> dict[str, list[float]]:
        """Return the numbers of this process, with those it took over."""
        with self._lock:
            return {name: list(self._numbers[start : start + NUMBERS]) for name, start in self._starts.items()}

    def total(self) -> dict[str, list[float]]:
        """Return the sums over all processes, the ended ones among them."""
        sums: dict[str, list[float]] = {}
        with _folder_lock(self._folder, fcntl.LOCK_SH):
            for path in sorted(self._folder.glob("*.counts")):
                for name, numbers in _rows_of(path.read_bytes()):
                    if not (name.startswith(MOMENTARY) and _is_ended(path)):
                        found = sums.setdefault(name, [0.0] * NUMBERS)
                        sums[name] = [one + other for one, other in zip(found, numbers, strict=True)]
        return sums

    def _new_row(self, name: str) -> int:
        """Make a row; return where its numbers begin."""
        row = len(self._starts)
        if row >= self._rows - 1 and name != REST:
            return self._starts[REST] if REST in self._starts else self._new_row(REST)
        encoded = name.encode()[:_NAME_BYTES]
        self._map[row * _ROW_BYTES : row * _ROW_BYTES + len(encoded)] = encoded
        self._starts[name] = (row * _ROW_BYTES + _NAME_BYTES) // 8
        return self._starts[name]

    def _take_over(self) -> None:
        for path in self._folder.glob("*.counts"):
            if not _is_ended(path):
                continue
            for name, numbers in _rows_of(path.read_bytes()):
                if not name.startswith(MOMENTARY):
                    self.add(name, dict(enumerate(numbers)))
            path.unlink()


def _rows_of(content: bytes) -> Iterator[tuple[str, list[float]]]:
    for start in range(0, len(content) - _ROW_BYTES + 1, _ROW_BYTES):
        name = content[start : start + _NAME_BYTES].rstrip(b"\0")
        if not name:
            return
        numbers = array("d", content[start + _NAME_BYTES : start + _ROW_BYTES])
        yield name.decode(errors="replace"), numbers.tolist()


def _is_ended(path: Path) -> bool:
    """Say whether the file's process is gone: a process holds the lock of its file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def _folder_lock(folder: Path, kind: int) -> Iterator[None]:
    """Hold the folder: counts are taken over by one process at a time, and not while they are added up."""
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, kind)
        yield
