"""Spool of decisions of one process: a line is in the kernel's hands before the answer leaves.

One file per process, appended with one ``write`` per decision, so that killing the process loses no answered decision
(the page cache outlives it). The file is locked while its process lives; the drainer takes that as the sign of life.
"""

import fcntl
import os
import tempfile
import threading
from pathlib import Path
from typing import Final

from common import tracing
from common.identifiers import uuid7

SUFFIX: Final = ".spool"
_BLOCK: Final = bytes(16 * 1024)  # more than the rest of a block that a small file would fit into
_SEGMENT_BYTES: Final = 64 * 1024 * 1024


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

    @tracing.traced("spool.append")
    def append(self, line: bytes) -> None:
        """Write one line (its newline included). Raises SpoolFull and leaves no torn line behind."""
        with self._lock:
            if self._process != os.getpid() or self._size > _SEGMENT_BYTES:
                self._open()
            try:
                written = os.write(self._descriptor, line)
            except OSError as exc:
                raise SpoolFull(exc.strerror) from exc
            if written != len(line):
                self._take_back()
                raise SpoolFull("The disk is full.")
            self._size += written

    def check(self) -> None:
        """Try what ``append`` needs, without a line: the file has its name still, and the disk takes a block.

        Raises SpoolFull.
        """
        with self._lock:
            try:
                if self._process == os.getpid() and not os.fstat(self._descriptor).st_nlink:
                    raise SpoolFull("The spool file was removed while the process ran.")
                self._write_block()
            except OSError as exc:
                raise SpoolFull(exc.strerror) from exc

    def _write_block(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=self._folder, buffering=0) as probe:
            if probe.write(_BLOCK) != len(_BLOCK):
                raise SpoolFull("The disk is full.")

    def close(self) -> None:
        with self._lock:
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
                return descriptor
            os.close(descriptor)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._process = -1, 0
