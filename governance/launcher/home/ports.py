"""Port of an instance."""

import errno
import socket

from governance.launcher.errors import refused

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
