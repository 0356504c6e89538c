"""Ports of this machine claimed for a test: no other process is given one before the test ends."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

LOOPBACK = "127.0.0.1"


@contextmanager
def claimed_port(wanted: int = 0) -> Iterator[int]:
    """Yield a port that a server of the test may listen on, again and again; ``wanted`` 0 is any.

    The claim is a socket that is bound and does not listen, so that connections are refused until the server listens.
    On Linux a server that sets SO_REUSEADDR, as servers do, may listen too, while the kernel gives the port to no
    other process. Elsewhere a second socket is refused, so the port is given back as soon as the test has it.
    """
    with socket.socket() as claim:
        claim.bind((LOOPBACK, wanted))
        # Only now: set before, the kernel might pick the port of another claim.
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = int(claim.getsockname()[1])
        if sys.platform != "linux":
            claim.close()
        yield port


@contextmanager
def claimed_neighbours() -> Iterator[int]:
    """Yield the lower of two ports in a row, both claimed."""
    with ExitStack() as claims:
        while True:
            port = claims.enter_context(claimed_port())
            with suppress(OSError, OverflowError):
                claims.enter_context(claimed_port(port + 1))
                break
        yield port
