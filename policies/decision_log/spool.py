"""Spool of decisions of one process: a line is in the kernel's hands before the answer leaves.

One file per process, appended with one ``write`` per decision, so that killing the process loses no answered decision
(the page cache outlives it). The file is locked while its process lives; the drainer takes that as the sign of life.
"""

import errno
import fcntl
import logging
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from common import tracing
from common.identifiers import uuid7

logger = logging.getLogger(__name__)
SUFFIX: Final = ".spool"
_BLOCK: Final = bytes(16 * 1024)  # more than the rest of a block that a small file would fit into
LOST: Final = "lost"  # marker among the spools: decisions that were answered were lost with a removed one
_SEGMENT_BYTES: Final = 64 * 1024 * 1024
_LOOK_S: Final = 0.25  # a look costs two system calls


class SpoolFull(Exception):
    """Failure to write a line in full; the decision must not be answered."""


class Spool:
    """Appender of lines. Thread-safe; after a fork the child opens a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._descriptor = -1
        self._size = 0
        self._process = 0
        self._look_at = 0.0
        self._path = folder

    @tracing.traced("spool.append")
    def append(self, line: bytes) -> None:
        """Write one line (its newline included). Raises SpoolFull and leaves no torn line behind."""
        with self._lock:
            if self._process != os.getpid() or self._size > _SEGMENT_BYTES:
                self._open()
            self._look()
            try:
                written = os.write(self._descriptor, line)
            except OSError as exc:
                raise SpoolFull(exc.strerror) from exc
            if written != len(line):
                self._take_back()
                raise SpoolFull("The disk is full.")
            self._size += written

    def check(self) -> None:
        """Try what ``append`` needs, without a line: the file has its name again, and the disk takes a block.

        Raises SpoolFull.
        """
        with self._lock:
            try:
                if self._process == os.getpid():
                    self._look_at = 0.0
                    self._look()
                self._write_block()
            except OSError as exc:
                raise SpoolFull(exc.strerror) from exc

    def _write_block(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=self._folder, buffering=0) as probe:
            if probe.write(_BLOCK) != len(_BLOCK):
                raise SpoolFull("The disk is full.")

    def _look(self) -> None:
        """Look, at most every ``_LOOK_S``, whether the file still stands under its name; else put it back."""
        now = time.monotonic()
        if now < self._look_at or self._descriptor < 0:
            return
        self._look_at = now + _LOOK_S
        if not _is_there(self._path, self._descriptor):
            logger.error("Spool %s was removed while it was written to", self._path.name)
            self._put_back()

    def _put_back(self) -> None:
        """Copy the removed file to its name: its lines can be read as long as it is open, and its position stands.

        Where that fails, decisions that were answered are lost: a marker stops readiness, and a new file is opened.
        """
        copy = self._path.with_suffix(".restoring")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy.unlink(missing_ok=True)
            descriptor = os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with (
                Path(f"/proc/self/fd/{self._descriptor}").open("rb") as old,
                os.fdopen(os.dup(descriptor), "wb") as new,
            ):
                shutil.copyfileobj(old, new)
            os.link(copy, self._path)  # fails where another file has the name
            copy.unlink()
        except OSError as exc:
            if exc.errno == errno.ENOSPC:
                self._look_at = 0.0  # nothing is lost yet: the next decision tries again
                raise SpoolFull(exc.strerror) from exc
            logger.exception("Spool %s cannot be put back: decisions that were answered are lost", self._path.name)
            self._mark_loss()
            self._open()
        else:
            os.close(self._descriptor)
            self._descriptor = descriptor

    def _mark_loss(self) -> None:
        try:
            (self._folder / LOST).touch(mode=0o600)
        except OSError as exc:
            self._look_at = 0.0  # the next decision is refused as well
            raise SpoolFull(exc.strerror) from exc

    def close(self) -> None:
        with self._lock:
            if self._process == os.getpid():
                self._look_at = 0.0
                self._look()
            self._close()

    def _take_back(self) -> None:
        """Remove a torn line; if even that fails it stays the last of its file, where the drainer passes it over."""
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            self._close()

    def _open(self) -> None:
        if self._process == os.getpid():
            self._close()
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = self._locked_file()
        except OSError as exc:
            raise SpoolFull(exc.strerror) from exc
        self._descriptor, self._size, self._process = descriptor, 0, os.getpid()

    def _locked_file(self) -> int:
        while True:
            path = self._folder / f"{uuid7()}{SUFFIX}"
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Before it was locked the drainer may have taken the file for a dead process's and removed it.
            if os.fstat(descriptor).st_nlink:
                self._path = path
                return descriptor
            os.close(descriptor)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._process = -1, 0


def _is_there(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except OSError:
        return False
