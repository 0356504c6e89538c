"""Files that appear whole under their name, or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Lend a file in the folder of ``target``; on success it takes the target's name in one step.

    On Linux it has no name until then: of a job that is stopped, in whatever way, nothing is left.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        descriptor = _nameless(target.parent)
        held = part if descriptor is None else Path(f"/proc/self/fd/{descriptor}")
        try:
            yield held
            with held.open("rb") as content:
                os.fsync(content.fileno())
            if descriptor is not None:
                os.link(held, part.name, dst_dir_fd=folder, follow_symlinks=True)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
            if descriptor is not None:
                os.close(descriptor)
    finally:
        os.close(folder)


@contextmanager
def nameless(folder: Path) -> Iterator[Path]:
    """Lend an empty file for the owner alone that has no name in the folder, and is gone afterwards.

    Where the system has no files without a name it has one, for as long as it is lent.
    """
    descriptor = _nameless(folder)
    if descriptor is not None:
        try:
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return
    part = folder / f".{secrets.token_hex(8)}.part"
    part.touch(mode=0o600)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def in_memory() -> Iterator[Path]:
    """Lend an empty file that is in no file system: nothing is left of it, however the process ends."""
    descriptor = os.memfd_create("assent", os.MFD_CLOEXEC)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _nameless(folder: Path) -> int | None:
    """Open a file without a name; None where the system or the file system has none."""
    if not hasattr(os, "O_TMPFILE"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError:
        return None
