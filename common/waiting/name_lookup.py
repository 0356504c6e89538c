"""Addresses of names within a time limit: ``getaddrinfo`` has none, and cannot be interrupted.

A thread asks, the caller waits for it no longer than it may. A resolver that hangs keeps its threads, so there are only
a few; who finds all of them busy has waited for nothing and is refused likewise.
"""

import socket
import threading
import time
from ipaddress import ip_address
from queue import Empty, SimpleQueue

THREADS = 4
_free = threading.BoundedSemaphore(THREADS)


class NameLookupTimeout(TimeoutError):
    """Failure of the resolver to answer in time."""


def addresses(host: str, port: int, *, timeout_s: float) -> list[str]:
    """Return the addresses of a name in the resolver's order. Raises OSError, NameLookupTimeout among them."""
    if _is_address(host):
        return [host]
    ends = time.monotonic() + timeout_s
    if not _free.acquire(timeout=max(timeout_s, 0)):
        raise NameLookupTimeout("Too many names are being looked up.")
    answer: SimpleQueue[list[str] | OSError] = SimpleQueue()
    try:
        threading.Thread(target=_ask, args=(host, port, answer), name="name-lookup", daemon=True).start()
    except RuntimeError:
        _free.release()
        raise
    try:
        found = answer.get(timeout=max(ends - time.monotonic(), 0))
    except Empty:
        raise NameLookupTimeout("The name was not found in time.") from None
    if isinstance(found, OSError):
        raise found
    return found


def connected(host: str, port: int, *, timeout_s: float) -> socket.socket:
    """Return a connection to the first address of a name that takes one; looking up and connecting share the time.

    Raises OSError, TimeoutError among them.
    """
    ends = time.monotonic() + timeout_s
    failure: OSError = OSError("The name has no address.")
    for address in addresses(host, port, timeout_s=timeout_s):
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("No address took the connection in time.")
        try:
            return socket.create_connection((address, port), timeout=left)
        except OSError as exc:
            failure = exc
    raise failure


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _ask(host: str, port: int, answer: "SimpleQueue[list[str] | OSError]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answer.put([str(each[4][0]) for each in found])
    except OSError as exc:
        answer.put(exc)
    except UnicodeError as exc:  # a name that is none
        answer.put(OSError(str(exc)))
    finally:
        _free.release()
