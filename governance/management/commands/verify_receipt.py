"""Verify a consent receipt, an evidence file or an exported log, on any machine: no database, no network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import signed_zip
from audit.jws import NotGenuine
from audit.log.verifying import MARK, VerifiedExport, verify_export
from consent.receipts.manifest import verify_evidence
from consent.receipts.verifying import keys_by_id, read_saved_json, verify_file
from policies.decision_log.search.verifying import MARK as DECISIONS
from policies.decision_log.search.verifying import VerifiedDecisions, verify_decisions
from privacy.rights.evidence import verifying as of_requests


class Command(BaseCommand):
    help = (
        "Verify a consent receipt (JSON), an evidence file of a person or a request (zip) or an exported audit or "
        "decision log (JSONL). "
        "Exit status 1 if it is not genuine."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--keys", type=Path, help="A published JWK set: only these keys are believed.")

    def handle(self, *args: Any, file: Path, keys: Path | None, **options: Any) -> None:
        try:
            data = file.read_bytes()
            trusted = read_saved_json(keys.read_bytes()) if keys else None
        except (OSError, NotGenuine) as exc:
            raise CommandError(f"The file cannot be read: {exc}") from None
        try:
            lines = _reader(data)(data, trusted)
        except NotGenuine as exc:
            raise CommandError(f"NOT GENUINE: {exc}") from None
        for line in lines:
            self.stdout.write(line)


def _reader(data: bytes) -> Callable[[bytes, Any], list[str]]:
    if data.startswith(MARK):
        return _audit_log
    if data.startswith(DECISIONS):
        return _decision_log
    if not data.startswith(b"PK"):
        return _receipt
    return _request if of_requests.is_one(signed_zip.unzipped(data)) else _evidence


def _request(data: bytes, keys: Any) -> list[str]:
    found = of_requests.verify_request(data, trusted=None if keys is None else keys_by_id(keys))
    return [
        f"Genuine evidence of request {found.request} ({found.right}): {found.state}, made {found.created_at}",
        f"  {found.steps} steps, each in the audit trail",
        *_about_erasure(found.erasure),
        *([f"  recipients to inform: {', '.join(found.recipients) or 'none'}"] if found.recipients is not None else []),
        f"  {found.sealed_events} events sealed in the audit trail, {found.unsealed_events} not yet",
        _about_key(found.kid, trusted=keys is not None),
    ]


def _about_erasure(done: of_requests.VerifiedErasure | None) -> list[str]:
    if done is None:
        return []
    line = done.ledger_digest or "none"
    return [
        f"  erasure: {done.rows} rows in {done.stores} stores, line of the erasure ledger {line}",
        f"  verification: nothing left in {done.verified_stores} stores"
        if done.verified_stores is not None
        else "  verification: without figures",
    ]


def _audit_log(data: bytes, keys: Any) -> list[str]:
    found = verify_export(data, trusted=None if keys is None else keys_by_id(keys))
    number, digest = found.head
    return [
        f"Genuine export of an audit log, made {found.exported_at}; filters: {_filters(found.filters)}",
        f"  {found.sealed_events} events sealed in the audit trail, {found.unsealed_events} not yet",
        *_about_rest(found),
        f"  newest anchor then: {number} {digest}",
        _about_key(found.kid, trusted=found.key_is_trusted),
    ]


def _decision_log(data: bytes, keys: Any) -> list[str]:
    found = verify_decisions(data, trusted=None if keys is None else keys_by_id(keys))
    number, digest = found.head
    return [
        f"Genuine export of a decision log, made {found.exported_at}; filters: {_filters(found.filters)}",
        f"  {found.decisions} decisions, each as it was written and sealed in its batch",
        *_about_rest(found),
        f"  newest batch then: {number} {digest}",
        _about_key(found.kid, trusted=found.key_is_trusted),
    ]


def _filters(filters: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in filters.items()) or "none"


def _about_rest(found: VerifiedExport | VerifiedDecisions) -> list[str]:
    """Return what a file that does not hold everything says of the rest, before it and after it."""
    said = [f"  NOT ALL: it begins after {found.begins_after}"] if found.begins_after else []
    if found.is_complete:
        return said
    after = found.goes_on_after
    return [*said, f"  NOT ALL: the next file goes on after {after}" if after else "  NOT ALL of what fits"]


def _receipt(data: bytes, keys: Any) -> list[str]:
    verified = verify_file(data, keys=keys)
    record = verified.receipt["consent_record"]
    lines = [
        f"Genuine receipt {verified.receipt['receipt_id']} of {verified.receipt['issuer']}",
        f"Person: {record['pii_principal_id']} (pseudonym), choice number {record['subject_revision']}",
    ]
    for processing, event in zip(record["processing"], record["events"], strict=True):
        notice = processing["privacy_notice"]
        part = f" ({processing['purpose']['part']})" if processing["purpose"]["part"] else ""
        lines.append(
            f"  {event['event_time']}  {processing['purpose']['slug']}{part}: {event['record']['state']}, "
            f"notice {notice['version']} ({notice['language'] or 'no language'}), text sha256 {notice['sha256'][:16]}"
        )
    return [*lines, *_about_unsigned(verified.unsigned), _about_key(verified.kid, trusted=verified.key_is_trusted)]


def _evidence(data: bytes, keys: Any) -> list[str]:
    found = verify_evidence(data, keys=keys)
    return [
        f"Genuine evidence about {found.subject_ref} (pseudonym), made {found.created_at}",
        f"  {found.records} records in one unbroken chain, {found.receipts} receipts",
        f"  {found.sealed_events} events sealed in the audit trail, {found.unsealed_events} not yet",
        *_about_unsigned(found.unsigned),
        _about_key(found.kid, trusted=found.key_is_trusted),
    ]


def _about_unsigned(members: tuple[str, ...]) -> list[str]:
    """Name members of the file that stand beside the receipt: whoever opens the file sees them, no one signed them."""
    return [f"NOT SIGNED, and no part of a receipt: the file's member {name!a}" for name in members]


def _about_key(kid: str, *, trusted: bool) -> str:
    if trusted:
        return f"Signed by the trusted key {kid}"
    return f"Signed by key {kid}: compare it with /.well-known/jwks.json of the issuer, or name that file with --keys"
