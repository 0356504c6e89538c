"""Verification of a receipt file without the system it came from: no database, no network, no Django.

Checked are the signature, that the readable part is what was signed, the text of each notice against its SHA-256, and
each record of the ledger against its digest.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit import jws
from audit.commitments import record_digest
from audit.jws import NotGenuine
from common.canonical import NotCanonical, canonical_json, sha256
from common.http import strict_json

TYP = "assent-receipt+jws"
_MEMBERS = frozenset({"receipt", "jws"})
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Verified:
    """A genuine receipt, and the key that signed it. ``unsigned`` names further members of the file."""

    receipt: dict[str, Any]
    kid: str
    key_is_trusted: bool
    unsigned: tuple[str, ...] = ()


def verify_file(data: bytes, *, keys: Mapping[str, Any] | None = None) -> Verified:
    """Check the bytes of a receipt file. ``keys`` is a published JWK set. Raises NotGenuine with the reason."""
    file = _read(data)
    trusted = None if keys is None else keys_by_id(keys)
    payload, kid = jws.verify(file["jws"], typ=TYP, trusted=trusted)
    signed = read_json(payload)
    if "receipt" in file and not _is_same(file["receipt"], signed):
        raise NotGenuine("The readable part of the file is not what was signed.")
    try:
        _check_content(signed)
    except (KeyError, TypeError, AttributeError, NotCanonical):
        raise NotGenuine("The signed content is not a receipt.") from None
    return Verified(signed, kid, trusted is not None, tuple(sorted(file.keys() - _MEMBERS)))


def read_json(data: bytes) -> Any:
    """Parse a text that every reader reads the same: no member twice, no NaN. Raises NotGenuine."""
    try:
        return strict_json.loads_of_any_size(data)
    except strict_json.InvalidJson as exc:
        raise NotGenuine(f"The file can be read in two ways, or not at all. {exc}") from None


def read_saved_json(data: bytes) -> Any:
    """Parse a file as an editor or a shell may have saved it again: UTF-8, UTF-16 or UTF-32, with a mark or without.

    What was signed is read by ``read_json``. Raises NotGenuine.
    """
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        raise NotGenuine("The file is not text in UTF-8, UTF-16 or UTF-32.") from None
    return read_json(text.encode())


def _is_same(readable: Any, signed: Any) -> bool:
    """Compare as text: for Python, ``true`` is also 1."""
    try:
        return canonical_json(readable) == canonical_json(signed)
    except NotCanonical:
        return False


def _read(data: bytes) -> dict[str, Any]:
    if len(data) > _MAX_BYTES:
        raise NotGenuine("The file is too large for a receipt.")
    file = read_saved_json(data)
    if not isinstance(file, dict) or not isinstance(file.get("jws"), str):
        raise NotGenuine("The file is not a receipt.")
    return file


def keys_by_id(keys: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    entries = keys.get("keys")
    if not isinstance(entries, list):
        raise NotGenuine("The file of keys is not a JWK set.")
    return {key["kid"]: key for key in entries if isinstance(key, dict) and isinstance(key.get("kid"), str)}


def _check_content(receipt: dict[str, Any]) -> None:
    record = receipt["consent_record"]
    for processing in record["processing"]:
        notice = processing["privacy_notice"]
        if notice["text"] and sha256(notice["text"].encode()).hex() != notice["sha256"]:
            raise NotGenuine("The text of a notice is not the one the record names.")
        register = processing.get("register")  # receipts of before snapshots have none
        if register and sha256(register["content"].encode()).hex() != register["sha256"]:
            raise NotGenuine("What the register said is not what the record names.")
        terms = processing.get("terms")  # receipts of before terms were frozen have none
        if terms and sha256(terms["content"].encode()).hex() != terms["sha256"]:
            raise NotGenuine("The terms that were agreed to are not what the receipt names.")
    for event in record["events"]:
        if "commitments" in event["record"] or record_digest(event["record"]).hex() != event["record_sha256"]:
            raise NotGenuine("A record of the ledger does not match its digest.")
        if event["record"]["subject"] != record["pii_principal_id"]:
            raise NotGenuine("A record belongs to somebody else.")
