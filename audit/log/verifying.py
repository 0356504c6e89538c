"""Verification of an exported part of the audit trail without the system it came from: no database, no Django."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit import jws
from audit.jws import NotGenuine
from common.canonical import NotCanonical, digest_of, sha256
from common.http import strict_json
from common.merkle import root_from_path

FORMAT = "assent-audit-export/1"
TYP = "assent-audit-export+jws"
MARK = f'{{"format": "{FORMAT}"'.encode()


@dataclass(frozen=True)
class VerifiedExport:
    """Content of a genuine export. ``head`` is the newest anchor when it was made: number and digest."""

    exported_at: str
    filters: dict[str, str]
    is_complete: bool
    sealed_events: int
    unsealed_events: int
    head: tuple[int, str]
    kid: str
    key_is_trusted: bool


def is_sealed(entry: Mapping[str, Any]) -> bool:
    """Return whether an event is sealed. Raises NotGenuine where it does not lead to the anchor it names."""
    anchor = entry["anchor"]
    if anchor is None:
        return False
    path = [(side, bytes.fromhex(node)) for side, node in entry["path"]]
    root = root_from_path(digest_of(entry["event"]), path)
    fields = {name: value for name, value in anchor.items() if name != "digest"}
    if root.hex() != anchor["root"] or digest_of(fields).hex() != anchor["digest"]:
        raise NotGenuine("An event of the audit trail does not lead to its anchor.")
    return True


def verify_export(data: bytes, *, trusted: Mapping[str, Mapping[str, str]] | None = None) -> VerifiedExport:
    """Check the bytes of an export: signature, digest of the file, each event and its path. Raises NotGenuine."""
    body, _, last = data.rstrip(b"\n").rpartition(b"\n")
    try:
        payload, kid = jws.verify(_read(last)["jws"], typ=TYP, trusted=trusted)
        signed = _read(payload)
        if sha256(body + b"\n").hex() != signed["sha256"]:
            raise NotGenuine("The file is not the one that was signed: something was changed, added or taken away.")
        head, *entries = [_read(line) for line in body.split(b"\n")]
        if head["events"] != len(entries):
            raise NotGenuine("The file holds another number of events than it says.")
        for entry in entries:
            if digest_of(entry["event"]).hex() != entry["digest"]:
                raise NotGenuine(f"Event {entry['position']} does not match its digest.")
        sealed = sum(is_sealed(entry) for entry in entries)
        newest = (signed["head"]["sequence"], signed["head"]["digest"])
        return VerifiedExport(
            head["exported_at"], head["filters"], head["is_complete"], sealed, len(entries) - sealed, newest, kid,
            trusted is not None,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, IndexError, NotCanonical, ValueError) as exc:
        if isinstance(exc, NotGenuine):
            raise
        raise NotGenuine("The file is not an export of the audit trail.") from None


def _read(line: bytes) -> Any:
    try:
        return strict_json.loads_of_any_size(line)
    except (strict_json.InvalidJson, json.JSONDecodeError):
        raise NotGenuine("A line can be read in two ways, or not at all.") from None
