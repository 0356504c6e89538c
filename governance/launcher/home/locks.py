"""Advisory file locks (flock): they end with their holder, even a killed one."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

_MODE = 0o600


class LockHeldError(Exception):
    """Refusal of a lock that another process holds."""


@contextlib.contextmanager
def hold(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[int]:
    """Hold the lock file ``path`` for the block and yield its descriptor.

    Raises LockHeldError if ``wait`` is false and another process is in the way.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
    try:
        _lock(descriptor, shared=shared, wait=wait)
        yield descriptor
    finally:
        os.close(descriptor)


def is_free(path: Path) -> bool:
    """Return whether the lock file ``path`` is free; an absent file is free."""
    if not path.exists():
        return True
    try:
        with hold(path, wait=False):
            return True
    except LockHeldError:
        return False


def _lock(descriptor: int, *, shared: bool, wait: bool) -> None:
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise LockHeldError from exc
