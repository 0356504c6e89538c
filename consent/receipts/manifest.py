"""Verification of an evidence file without the system it came from. Django-free; ``evidence`` makes such files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit import signed_zip
from audit.commitments import record_digest
from audit.jws import NotGenuine
from audit.log.verifying import is_sealed
from common.canonical import NotCanonical
from consent.receipts import verifying

FORMAT = "assent-evidence/1"
TYP = "assent-evidence+jws"
README = """\
Evidence about one person's choices, exported by Assent.

records.json   every record of the ledger, oldest first; each holds the digest of the one before it
notices.json   every text these records refer to, with its SHA-256
layouts.json   every banner these records were made in, with its SHA-256
receipts/      one signed receipt for each time the person chose
audit.json     the events of the audit trail, each with its Merkle path (RFC 6962) to the anchor that sealed it
keys.json      the public keys as published when this file was made (JWK set)
manifest.jws   the SHA-256 of each file above, signed (JWS, Ed25519)

Check all of it with:  ./assent verify-receipt FILE.zip
Compare the id of the key with the one at /.well-known/jwks.json of the system that made it.
"""
SINGLE_OFFICER = """
Single officer: the operator has said that the system that made this file has one officer. No second person looks at
what is changed there.
"""


@dataclass(frozen=True)
class VerifiedEvidence:
    """Content of a genuine evidence file."""

    subject_ref: str
    created_at: str
    kid: str
    key_is_trusted: bool
    records: int
    receipts: int
    sealed_events: int
    unsealed_events: int
    unsigned: tuple[str, ...] = ()  # members of receipt files that no receipt has


def verify_evidence(data: bytes, *, keys: Mapping[str, Any] | None = None) -> VerifiedEvidence:
    """Check the bytes of an evidence file. Raises NotGenuine with the reason."""
    trusted = None if keys is None else verifying.keys_by_id(keys)
    files, manifest, kid = signed_zip.read(data, typ=TYP, trusted=trusted)
    try:
        records = verifying.read_json(files["records.json"])
        _check_chain(records, manifest["subject_ref"])
        receipts = [verifying.verify_file(files[name], keys=keys) for name in files if name.startswith("receipts/")]
        if any(r.receipt["consent_record"]["pii_principal_id"] != manifest["subject_ref"] for r in receipts):
            raise NotGenuine("A receipt belongs to somebody else.")
        sealed, unsealed = _check_audit(verifying.read_json(files["audit.json"]), manifest["subject_ref"])
    except (KeyError, TypeError, AttributeError, IndexError, NotCanonical, ValueError) as exc:
        if isinstance(exc, NotGenuine):
            raise
        raise NotGenuine("The signed content is not an evidence file.") from None
    unsigned = tuple(sorted({name for receipt in receipts for name in receipt.unsigned}))
    return VerifiedEvidence(
        manifest["subject_ref"], manifest["created_at"], kid, keys is not None, len(records), len(receipts), sealed,
        unsealed, unsigned,
    )  # fmt: skip


def _check_chain(records: list[dict[str, Any]], subject_ref: str) -> None:
    previous = None
    for record in records:
        fields = {name: value for name, value in record.items() if name != "digest"}
        if fields["subject"] != subject_ref or fields["previous_digest"] != previous:
            raise NotGenuine(f"Record {record['id']} does not continue the record before it.")
        if "commitments" in fields or record_digest(fields).hex() != record["digest"]:
            raise NotGenuine(f"Record {record['id']} does not match its digest.")
        previous = record["digest"]


def _check_audit(events: list[dict[str, Any]], subject_ref: str) -> tuple[int, int]:
    sealed = 0
    for entry in events:
        if entry["event"]["object"] != subject_ref:
            raise NotGenuine("An event of the audit trail is about somebody else.")
        sealed += is_sealed(entry)
    return sealed, len(events) - sealed
