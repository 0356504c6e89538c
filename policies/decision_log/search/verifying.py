"""Verification of an exported part of the decision log without the system it came from: no database, no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.exports import reading
from audit.jws import NotGenuine
from common.canonical import NotCanonical, digest_of, sha256

FORMAT = "assent-decision-export/1"
TYP = "assent-decision-export+jws"
MARK = f'{{"format": "{FORMAT}"'.encode()


@dataclass(frozen=True)
class VerifiedDecisions:
    """Content of a genuine export. ``head`` is the newest batch of the log when it was made: number and digest.

    ``begins_after`` is the decision that the file before ended with, empty where this is the first.
    """

    exported_at: str
    filters: dict[str, str]
    begins_after: str
    is_complete: bool
    goes_on_after: str
    decisions: int
    head: tuple[int, str]
    kid: str
    key_is_trusted: bool


def verify_decisions(data: bytes, *, trusted: Mapping[str, Mapping[str, str]] | None = None) -> VerifiedDecisions:
    """Check the bytes of an export: signature, digest of the file, each entry and its path. Raises NotGenuine."""
    try:
        file = reading.read(data, typ=TYP, trusted=trusted)
        for entry in file.entries:
            _check(entry)
        head, manifest = file.head, file.manifest
        newest = (manifest["head"]["sequence"], manifest["head"]["digest"])
        return VerifiedDecisions(
            head["exported_at"], head["filters"], head.get("after", ""), manifest["is_complete"],
            manifest["goes_on_after"], len(file.entries), newest, file.kid, trusted is not None,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, IndexError, NotCanonical, ValueError) as exc:
        if isinstance(exc, NotGenuine):
            raise
        raise NotGenuine("The file is not an export of the decision log.") from None


def _check(entry: Mapping[str, Any]) -> None:
    """Refuse an entry that does not lead to its batch. Raises NotGenuine."""
    text, batch = entry["entry"].encode(), entry["batch"]
    number = reading.read_line(text)["id"]
    if batch is None:
        raise NotGenuine(f"Decision {number} belongs to no batch.")
    fields = {name: value for name, value in batch.items() if name != "digest"}
    is_under = reading.leads_to(sha256(text), entry["path"], batch["root"])
    if not is_under or digest_of(fields).hex() != batch["digest"]:
        raise NotGenuine(f"Decision {number} does not lead to its batch.")
