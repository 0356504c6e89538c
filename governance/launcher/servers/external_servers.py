"""External servers that replace the embedded ones: DATABASE_URL, BROKER_URL and OPA_URL.

Only the form is judged here, before anything starts. Values are never repeated in an error,
because they hold passwords.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

from governance.launcher.errors import InstanceError, refused

_DATABASE_SCHEMES = ("postgresql", "postgres")
_BROKER_SCHEMES = ("redis", "rediss", "redis+socket")
_OPA_SCHEMES = ("http", "https")


@dataclass(frozen=True, kw_only=True)
class ExternalServers:
    """Addresses given in the environment; None means the embedded part is used."""

    database_url: str | None = None
    broker_url: str | None = None
    opa_url: str | None = None


def external_servers(environ: Mapping[str, str]) -> ExternalServers:
    """Read the three addresses; raises InstanceError, without quoting it, for one that cannot be right."""
    return ExternalServers(
        database_url=_database_url(environ),
        broker_url=_broker_url(environ),
        opa_url=_opa_url(environ),
    )


def _database_url(environ: Mapping[str, str]) -> str | None:
    name = "DATABASE_URL"
    parts = _split(name, environ, _DATABASE_SCHEMES)
    if parts is None:
        return None
    _require(_host(name, parts) or "host" in parse_qs(parts.query), f"{name} names no host.")
    _require(len(parts.path) > 1, f"{name} names no database; it ends like .../assent.")
    return environ[name]


def _broker_url(environ: Mapping[str, str]) -> str | None:
    name = "BROKER_URL"
    parts = _split(name, environ, _BROKER_SCHEMES)
    if parts is None:
        return None
    if parts.scheme == "redis+socket":
        _require(len(parts.path) > 1, f"{name} names no socket file.")
    else:
        _require(_host(name, parts), f"{name} names no host.")
    return environ[name]


def _opa_url(environ: Mapping[str, str]) -> str | None:
    name = "OPA_URL"
    parts = _split(name, environ, _OPA_SCHEMES)
    if parts is None:
        return None
    _require(_host(name, parts), f"{name} names no host.")
    return environ[name]


def _split(name: str, environ: Mapping[str, str], schemes: tuple[str, ...]) -> SplitResult | None:
    value = environ.get(name, "")
    if not value:
        return None
    # urlsplit drops such characters silently, so the address used would not be the one that was given.
    _require(value.isprintable() and " " not in value, f"{name} holds blanks or control characters.")
    try:
        parts = urlsplit(value)
    except ValueError:
        raise _nonsense(f"{name} is not an address.") from None
    wanted = ", ".join(f"{scheme}://" for scheme in schemes)
    _require("://" in value and parts.scheme in schemes, f"{name} must begin with one of {wanted}.")
    return parts


def _host(name: str, parts: SplitResult) -> bool:
    try:
        port_is_usable = parts.port is None or parts.port > 0
    except ValueError:
        port_is_usable = False
    _require(port_is_usable, f"{name} has a port that is not a number from 1 to 65535.")
    return bool(parts.hostname)


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise _nonsense(sentence)


def _nonsense(sentence: str) -> InstanceError:
    return refused(f"{sentence} (Unset it to use the embedded server.)")
