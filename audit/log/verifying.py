"""Verification of an exported part of the audit trail without the system it came from: no database, no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.exports import reading
from audit.jws import NotGenuine
from common.canonical import NotCanonical, digest_of

FORMAT = "assent-audit-export/2"
TYP = "assent-audit-export+jws"
MARK = b'{"format": "assent-audit-export/'


@dataclass(frozen=True)
class VerifiedExport:
    """Content of a genuine export. ``head`` is the newest anchor when it was made: number and digest.

    ``begins_after`` is the event that the file before ended with, empty where this is the first; ``goes_on_after`` the
    event that the next file goes on after, empty where this one is complete.
    """

    exported_at: str
    filters: dict[str, str]
    begins_after: str
    is_complete: bool
    goes_on_after: str
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
    fields = {name: value for name, value in anchor.items() if name != "digest"}
    is_under = reading.leads_to(_digest(entry), entry["path"], anchor["root"])
    if not is_under or digest_of(fields).hex() != anchor["digest"]:
        raise NotGenuine("An event of the audit trail does not lead to its anchor.")
    return True


def _digest(entry: Mapping[str, Any]) -> bytes:
    """Return the digest of an event; of a redacted one it is given, as what it was made of is gone."""
    return bytes.fromhex(entry["redacted"]) if "redacted" in entry else digest_of(entry["event"])


def verify_export(data: bytes, *, trusted: Mapping[str, Mapping[str, str]] | None = None) -> VerifiedExport:
    """Check the bytes of an export: signature, digest of the file, each event and its path. Raises NotGenuine."""
    try:
        file = reading.read(data, typ=TYP, trusted=trusted)
        for entry in file.entries:
            if _digest(entry).hex() != entry["digest"]:
                raise NotGenuine(f"Event {entry['position']} does not match its digest.")
        sealed = sum(is_sealed(entry) for entry in file.entries)
        said = file.manifest if "is_complete" in file.manifest else file.head
        newest = (file.manifest["head"]["sequence"], file.manifest["head"]["digest"])
        return VerifiedExport(
            file.head["exported_at"], file.head["filters"], file.head.get("after", ""), said["is_complete"],
            said.get("goes_on_after", ""), sealed, len(file.entries) - sealed, newest, file.kid, trusted is not None,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, IndexError, NotCanonical, ValueError) as exc:
        if isinstance(exc, NotGenuine):
            raise
        raise NotGenuine("The file is not an export of the audit trail.") from None
