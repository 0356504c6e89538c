"""Addresses of engines elsewhere. They are kept and shown; nothing here ever calls them."""

import re
from ipaddress import ip_address

from common.http.outgoing import CannotReach, checked_url
from common.http.public_address import is_public

# As JSON Schema can say it: https and printable ASCII, without a query or a fragment.
PATTERN = r'^https://[!-"$->@-~]+$'
_ADDRESS = re.compile(PATTERN)


def checked(url: str) -> str:
    """Return an address that may stand in the register. Raises ValueError.

    https, no user name, no query and no fragment, as tokens stand there; and no address inside a network.
    """
    if not _ADDRESS.fullmatch(url):
        raise ValueError("an endpoint is https, of printable ASCII, without query and fragment: tokens may stand there")
    try:
        host = str(checked_url(url).hostname)
    except CannotReach as exc:
        raise ValueError(f"{exc}: it must have a host, and no user name") from None
    if _is_inside(host):
        raise ValueError("the endpoint is an address inside a network; name its host")
    return url


def _is_inside(host: str) -> bool:
    """Return whether a host is this machine, or a numeric address that is not public, however it is written."""
    if host == "localhost" or host.endswith((".localhost", ".")):
        return True
    last = host.rpartition(".")[2]
    if last.isdecimal() or last.startswith("0x") or ":" in host:
        return not (_is_numeric(host) and is_public(host))
    return False


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
