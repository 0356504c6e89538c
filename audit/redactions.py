"""Rows that lost the person they were about: each is listed by a sealed event, or the evidence is broken."""

from collections.abc import Iterable

from django.db import connection

from audit.models import AuditEvent
from common.merkle import merkle_root

REDACTED = "evidence.redacted"


def root(digests: Iterable[bytes]) -> str:
    """Return the Merkle root over digests in their own order, as hexadecimal digits."""
    return merkle_root(sorted(digests)).hex()


def broken_events() -> str | None:
    """Name a redaction whose events of the trail are not those that its own event lists, or None."""
    return _broken("audit_auditevent", "events")


def broken_records() -> str | None:
    """Name a redaction whose consent records are not those that its event lists, or None."""
    return _broken("consent_consentrecord", "records")


def people() -> int:
    """Return how many people's records were redacted."""
    return AuditEvent.objects.filter(action=REDACTED).count()


def _broken(table: str, what: str) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT redacted_by, array_agg(digest) FROM {table} WHERE redacted_by IS NOT NULL GROUP BY 1"  # noqa: S608
        )
        found = {by: root(bytes(digest) for digest in digests) for by, digests in cursor}
    for code, details in AuditEvent.objects.filter(action=REDACTED).values_list("code", "details"):
        if found.pop(code, root([])) != details[f"{what}_root"]:
            return f"the {what} that redaction {code} lists are not the ones that were redacted"
    return f"{what} were redacted by {next(iter(found))}, which no event of the audit trail lists" if found else None
