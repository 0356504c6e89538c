"""Log files of an instance: appended to, bounded in size, quoted when something fails."""

import contextlib
import os
import shutil
from pathlib import Path

MAX_LOG_BYTES = 10 * 1024 * 1024
_TAIL_BYTES = 16 * 1024
_MODE = 0o600


def open_log(path: Path) -> int:
    """Open a log file for appending and return its descriptor; an overgrown one is rotated first."""
    bound(path)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)


def bound(path: Path) -> None:
    """Move the content of an overgrown log to ``NAME.1`` and empty it in place.

    The file is emptied, not replaced: its writers keep their descriptors and append from the start.
    """
    if not path.exists() or path.stat().st_size <= MAX_LOG_BYTES:
        return
    # On a full disk the copy is what has to give, not the space the empty log would free.
    with contextlib.suppress(OSError):
        shutil.copy2(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)


def tail(path: Path, *, lines: int = 12) -> str:
    """Return the last lines of a log, indented for the terminal; empty if there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])
