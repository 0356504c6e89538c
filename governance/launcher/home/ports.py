"""Port of an instance."""

import contextlib
import errno
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from governance.launcher.errors import refused
from governance.launcher.home.locks import LockHeldError, hold

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8000
# Browsers try ::1 first for "localhost", so a stranger there would be shown instead of this instance.
_ADDRESSES = ((socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1"))


def parse_port(text: str) -> int:
    """Return a port number, 1 to 65535; raises InstanceError for anything else."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 65535:
        raise refused(f"--port must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def require_free_port(port: int) -> None:
    """Raise InstanceError unless this user can listen on ``port`` of the loopback addresses."""
    for family, address in _ADDRESSES:
        try:
            _bind(family, address, port)
        except OSError as exc:
            _explain(exc, port)


@contextlib.contextmanager
def hold_port(port: int) -> Iterator[None]:
    """Hold the claim to ``port`` for the block; raises InstanceError if another instance has it.

    The web server listens only after the database has started, and several servers may share a port (SO_REUSEPORT): to
    look whether it is free is not enough. The claim ends with its holder, even a killed one.
    """
    taken = refused(f"Port {port} belongs to another instance, running or starting; choose another with --port.")
    if not sys.platform.startswith("linux"):
        try:
            with hold(Path(tempfile.gettempdir()) / f"assent-port-{port}.lock", wait=False):
                yield
        except LockHeldError:
            raise taken from None
        return
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            # An abstract name (unix(7)) is of the network namespace, as ports are, and of every user.
            claim.bind(f"\0assent-port-{port}")
        except OSError as exc:
            raise taken from exc
        yield


def _bind(family: socket.AddressFamily, address: str, port: int) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of an earlier server that still linger are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


def _explain(error: OSError, port: int) -> None:
    if error.errno == errno.EADDRINUSE:
        raise refused(f"Port {port} is in use by another program; choose another with --port.") from error
    if error.errno in {errno.EACCES, errno.EPERM}:
        raise refused(f"Port {port} is not open to this user; choose one above 1023 with --port.") from error
    # A machine without IPv6 has no listener there that could be in the way.
    if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
        raise error
