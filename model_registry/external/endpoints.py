"""Addresses of engines elsewhere. They are kept and shown; nothing here ever calls them."""

from ipaddress import ip_address

from common.http.outgoing import CannotReach, checked_url
from common.http.public_address import is_public


def checked(url: str) -> str:
    """Return an address that may stand in the register. Raises ValueError.

    https, no user name, no query and no fragment, as tokens stand there; no address inside a network.
    """
    try:
        parts = checked_url(url)
    except CannotReach as exc:
        raise ValueError(f"{exc}: it must be https, of printable ASCII, without user name and fragment") from None
    host = str(parts.hostname)
    if parts.query or "?" in url:
        raise ValueError("an endpoint has no query: tokens do not belong into the register")
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
