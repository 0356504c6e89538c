"""Public addresses: what a request that somebody else's document names may go to (server-side request forgery).

``ip_address(...).is_global`` is not enough: an IPv6 address can carry an IPv4 address that a router or the system
itself unpacks, and multicast and relay addresses count as global.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Forms of IPv6 that carry an IPv4 address, or that only a translator on the way knows the end of. What they carry may
# be public; no provider has to be reached by them, so all are refused.
_CARRIERS = tuple(
    IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible, the unspecified address and loopback among them (RFC 4291)
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 7915)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # NAT64 of a network's own (RFC 8215)
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local, deprecated
        "3fff::/20",  # documentation (RFC 9637)
        "5f00::/16",  # segment routing (RFC 9602)
    )
)
# ISATAP writes the IPv4 address behind these two words, under any prefix (RFC 5214).
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
# Python takes parts of the first for global (RFC 6890); the second is the relay of 6to4 (RFC 7526).
_SPECIAL_4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))


def is_public(address: str) -> bool:
    """Return whether a numeric address, with or without its zone, is one of the public internet."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if not found.is_global or found.is_multicast or found.is_reserved:
        return False
    return _is_public_4(found) if isinstance(found, IPv4Address) else _is_public_6(found)


def _is_public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _SPECIAL_4)


def _is_public_6(address: IPv6Address) -> bool:
    is_isatap = (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
    return not is_isatap and not any(address in network for network in _CARRIERS)
