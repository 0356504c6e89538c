"""Network of a client, as coarse as a rate limit needs it: /24 of IPv4, /56 of IPv6."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings

_Address = IPv4Address | IPv6Address
_UNKNOWN = "unknown"


def client_network(environ: Mapping[str, Any]) -> str:
    """Return the network of the client, e.g. ``192.0.2.0/24``.

    ``X-Forwarded-For`` counts only where the peer is one of TRUSTED_PROXIES, and is read from its right end: the first
    address that is no trusted proxy is the client. What stands left of it was written by the client.
    """
    address = _address(str(environ.get("REMOTE_ADDR", "")))
    forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", ""))[-2048:].split(",")
    while _is_trusted(address) and forwarded:
        further = _address(forwarded.pop())
        if further is None:
            break
        address = further
    return _UNKNOWN if address is None else str(_network(address))


def _network(address: _Address) -> object:
    return ip_network((address, 24 if address.version == 4 else 56), strict=False)


def _address(text: str) -> _Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_trusted(address: _Address | None) -> bool:
    return address is not None and any(address in network for network in settings.TRUSTED_PROXIES)
