"""Read a signed file of JSON lines without the system it came from: no database, no Django."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit import jws
from audit.jws import NotGenuine
from common.canonical import sha256
from common.http import strict_json
from common.merkle import root_from_path


@dataclass(frozen=True)
class SignedLines:
    """A file whose signature and digest hold: what it says of itself, its entries, and what was signed."""

    head: Mapping[str, Any]
    entries: list[Any]
    manifest: Mapping[str, Any]
    kid: str


def read(data: bytes, *, typ: str, trusted: Mapping[str, Mapping[str, str]] | None) -> SignedLines:
    """Check signature and digest of a file and read its lines. Raises NotGenuine, KeyError, TypeError."""
    body, _, last = data.rstrip(b"\n").rpartition(b"\n")
    payload, kid = jws.verify(read_line(last)["jws"], typ=typ, trusted=trusted)
    manifest = read_line(payload)
    if sha256(body + b"\n").hex() != manifest["sha256"]:
        raise NotGenuine("The file is not the one that was signed: something was changed, added or taken away.")
    head, *entries = [read_line(line) for line in body.split(b"\n")]
    counted = manifest["lines"] if "lines" in manifest else head["events"]  # so did the first form of the file
    if counted != len(entries):
        raise NotGenuine("The file holds another number of entries than it says.")
    return SignedLines(head, entries, manifest, kid)


def read_line(line: bytes) -> Any:
    """Read a line that has one meaning. Raises NotGenuine."""
    try:
        return strict_json.loads_of_any_size(line)
    except (strict_json.InvalidJson, json.JSONDecodeError):
        raise NotGenuine("A line can be read in two ways, or not at all.") from None


def leads_to(leaf: bytes, path: Any, root: str) -> bool:
    """Return whether a leaf's path, as a file holds it, leads to a root."""
    return root_from_path(leaf, [(side, bytes.fromhex(node)) for side, node in path]).hex() == root
