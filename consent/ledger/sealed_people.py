"""What decides about a person beside the choices, held against the trail: region, age band, remembered opt-out signal.

The event of a save that changes one of them carries all of them as ``person``. Restrictions and legal holds have their
own check (``privacy.holds.evidence``).
"""

from itertools import islice
from typing import Any

from django.db import connection
from django.utils import timezone

from audit import trail
from audit.models import AuditEvent
from audit.sealed_rows import BASELINE
from consent.models import DataSubject

KIND = "person"
ERASED = "person.erased"
_PAGE = 2_000
_SAID = """
WITH said AS (
  SELECT DISTINCT ON (object) object, details->'person'->>'region' AS region, details->'person'->>'age_band' AS age_band
  FROM audit_auditevent WHERE details ? 'person' ORDER BY object, position DESC
), signals AS (
  SELECT DISTINCT object FROM audit_auditevent e
  WHERE (action = 'consent.signal_remembered' OR details->'person'->>'gpc' = 'true') AND NOT EXISTS (
    SELECT FROM audit_auditevent later
    WHERE later.object = e.object AND later.action = 'person.erased' AND later.position > e.position)
)
SELECT s.ref::text, s.region, s.age_band, s.gpc_since IS NOT NULL
FROM consent_datasubject s LEFT JOIN said ON said.object = s.ref::text LEFT JOIN signals ON signals.object = s.ref::text
WHERE (s.region, s.age_band, s.gpc_since IS NOT NULL)
  IS DISTINCT FROM (coalesce(said.region, ''), coalesce(said.age_band, 'unknown'), signals.object IS NOT NULL)
"""

_ERASED = """
SELECT coalesce(s.ref::text, e.object) FROM (
  SELECT DISTINCT ON (object) object, (details->>'revision')::bigint AS revision FROM audit_auditevent
  WHERE action = 'person.erased' ORDER BY object, position DESC
) e FULL JOIN (SELECT ref, erased_revision FROM consent_datasubject WHERE erased_revision IS NOT NULL) s
  ON s.ref::text = e.object
WHERE s.erased_revision IS DISTINCT FROM e.revision LIMIT 1
"""


def member(region: str, age_band: str, *, gpc: bool = False) -> dict[str, Any]:
    """Return the member of an event's details that holds what is now known of the person."""
    return {"person": {"region": region, "age_band": age_band, **({"gpc": True} if gpc else {})}}


def broken() -> str | None:
    """Name a person who is not as the trail says. Without a baseline, people the trail is silent about pass."""
    is_complete = AuditEvent.objects.filter(action=BASELINE, object=KIND).exists()
    with connection.cursor() as cursor:
        silent = "AND (%s OR said.object IS NOT NULL OR signals.object IS NOT NULL) LIMIT 1"
        cursor.execute(f"{_SAID} {silent}", [is_complete])
        if found := cursor.fetchone():
            return f"region, age band or opt-out signal of person {found[0]} are not as the audit trail says"
        cursor.execute(_ERASED)
        found = cursor.fetchone()
    return f"the erasure of person {found[0]} is not as the audit trail says" if found else None


def seal_existing(*, actor: str) -> None:
    """Record the people of an installation older than this check, once. Call it in a transaction."""
    if AuditEvent.objects.filter(action=BASELINE, object=KIND).exists():
        return
    people = DataSubject.objects.exclude(region="", age_band="unknown", gpc_since=None).iterator(chunk_size=_PAGE)
    with connection.cursor() as cursor:
        while page := list(islice(people, _PAGE)):
            trail.copy_events(cursor, (_sealed(person, actor) for person in page))
    trail.record(BASELINE, KIND, actor=actor)


def _sealed(person: DataSubject, actor: str) -> dict[str, Any]:
    details = member(person.region, person.age_band, gpc=person.gpc_since is not None)
    return trail.prepare("person.sealed", str(person.ref), actor=actor, at=timezone.now(), details=details)
