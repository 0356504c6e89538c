"""Registers and runs that decide, held against the trail: purposes, notices, activations, holds, deletions and more."""

from django.db import connection, transaction

from common.canonical import sha256
from consent.ledger import sealed_people
from consent.models import Notice
from consent.register.register import NOTICES, PURPOSES
from policies.bundles.publishing import ACTIVATIONS
from policies.endpoints.credentials import CREDENTIALS
from privacy.holds import carrying, evidence
from privacy.holds.descriptors import HOLDS, RESTRICTIONS
from privacy.retention.own_records.record_periods import RECORD_PERIODS

_SEALED = (PURPOSES, NOTICES, ACTIVATIONS, CREDENTIALS, HOLDS, RESTRICTIONS, RECORD_PERIODS)
# Done runs both ways: by their own identifier, and by the manifest the event names.
_DISPOSALS = """
WITH said AS (
  SELECT details->>'disposal' AS id, details->>'manifest_sha256' AS manifest, details->'removed' AS removed
  FROM audit_auditevent WHERE action = 'disposal.done'
)
SELECT coalesce(said.id, d.id::text) FROM said
FULL JOIN (SELECT * FROM privacy_disposal WHERE status = 'done') d ON d.id::text = said.id
WHERE (said.id, said.manifest, said.removed) IS DISTINCT FROM (d.id::text, d.manifest_sha256, d.removed) LIMIT 1"""


def broken() -> str | None:
    """Name the first row that is not as the trail says, or None."""
    found = (rows.broken() for rows in _SEALED)
    return next((each for each in found if each), None) or _changed_notice() or _lost_disposal() or evidence.broken()


@transaction.atomic
def seal_existing(*, actor: str) -> None:
    """Record the rows of an installation older than this check; from then on each row needs its event."""
    carrying.carry_over(actor=actor)
    for rows in _SEALED:
        rows.seal_existing(actor=actor)
    sealed_people.seal_existing(actor=actor)


def _changed_notice() -> str | None:
    for notice in Notice.objects.order_by("pk").iterator():
        if sha256(notice.text.encode()).hex() != notice.text_sha256:
            return f"the text of notice {notice.pk} is not the one its digest was made of"
    return None


def _lost_disposal() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(_DISPOSALS)
        found = cursor.fetchone()
    return f"deletion run {found[0]} is not as the audit trail says, or is missing" if found else None
