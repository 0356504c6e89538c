"""How often a network may save through a banner: a small table in the process that holds no address.

Limits, on purpose simple: the count is per process and per minute, a network is an IPv4 /24 or an IPv6 /48, and its
key in the table is a BLAKE2b under a secret that is drawn at start and never leaves the process. Beyond
``_MOST_NETWORKS`` networks a minute, all further ones share one count.
"""

import hashlib
import secrets
import time
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from threading import Lock
from typing import Any

CALLS_A_MINUTE = 300
_MOST_NETWORKS = 10_000
_OTHERS = b"others"


class Rates:
    """Counts of the current minute."""

    def __init__(self, *, limit: int = CALLS_A_MINUTE) -> None:
        self.limit = limit
        self._key = secrets.token_bytes(32)
        self._minute = -1
        self._counts: dict[bytes, int] = {}
        self._lock = Lock()

    def seconds_to_wait(self, site: str, environ: Mapping[str, Any]) -> int:
        """Count one call; return 0, or after how many seconds the network may call this site again."""
        now = time.time()
        place = self._place(site, network_of(environ))
        with self._lock:
            if int(now // 60) != self._minute:
                self._minute, self._counts = int(now // 60), {}
            if place not in self._counts and len(self._counts) >= _MOST_NETWORKS:
                place = _OTHERS
            self._counts[place] = self._counts.get(place, 0) + 1
            return 60 - int(now % 60) if self._counts[place] > self.limit else 0

    def _place(self, site: str, network: str) -> bytes:
        return hashlib.blake2b(f"{site}\x00{network}".encode(), digest_size=16, key=self._key).digest()


def network_of(environ: Mapping[str, Any]) -> str:
    """The caller's network. From a private address it is the last hop that a proxy of ours added to the request."""
    address = _address(environ.get("REMOTE_ADDR", ""))
    if address is None or address.is_private:
        forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2]
        address = _address(forwarded.strip()) or address
    if address is None:
        return "unknown"
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _address(text: str) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None
