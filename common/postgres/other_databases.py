"""Connections to other databases, as an operator names them: ``NAME=postgresql://...``, separated by white space.

Only the operator's environment holds addresses and passwords: an officer chooses a name. As with every other outgoing
connection, the certificate of the server is verified, unless the server is on this machine. Pure; no Django.
"""

import re
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

NAME = r"[a-z][a-z0-9-]{0,31}"
_PAIR = re.compile(rf"(?P<name>{NAME})=(?P<url>postgres(ql)?://\S+)", re.ASCII)
# Others could lead elsewhere than to the host that is read here: a service file, an address beside the name.
_KNOWN = {"host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey"}
_NEEDED = ("host", "user", "dbname")
_HERE = ("localhost", "127.0.0.1", "::1")
_VERIFIED = "verify-full"
FORM = "must be NAME=postgresql://USER:PASSWORD@HOST/DATABASE, separated by white space; a name has small letters"


def read(text: str) -> Mapping[str, dict[str, Any]]:
    """Return the parameters of each connection by its name. Raises ValueError, which quotes nothing but names."""
    found: dict[str, dict[str, Any]] = {}
    for pair in map(_PAIR.fullmatch, text.split()):
        if pair is None:
            raise ValueError(FORM)
        if pair["name"] in found:
            raise ValueError(f"names {pair['name']} twice")
        found[pair["name"]] = _parameters(pair["name"], pair["url"])
    return found


def _parameters(name: str, url: str) -> dict[str, Any]:
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error:  # its own message quotes the part it cannot read, which may be the password
        raise ValueError(f"holds no connection string that PostgreSQL can read for {name}") from None
    if missing := [each for each in _NEEDED if not said.get(each)]:
        raise ValueError(f"does not say the {missing[0]} of {name}")
    if others := sorted(set(said) - _KNOWN):
        raise ValueError(f"has a parameter for {name} that it must not have: {others[0]}")
    if "," in str(said["host"]):
        raise ValueError(f"names two hosts for {name}")
    if not _is_here(str(said["host"])):
        said = {"sslmode": _VERIFIED, "sslrootcert": "system", **said}
        if said["sslmode"] != _VERIFIED:
            raise ValueError(f"must have sslmode={_VERIFIED} for {name} (anything else is for this machine only)")
    return said


def _is_here(host: str) -> bool:
    return host in _HERE or host.startswith("/")
