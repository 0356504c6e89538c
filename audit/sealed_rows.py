"""State of register rows in the audit trail: the event of a change carries a digest of the row as the change left it.

Verification looks both ways: at each row for the event that says so, and at each event for the row it is about.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, models

from audit import trail
from audit.models import AuditEvent
from common.canonical import digest_of

BASELINE = "evidence.baseline"
_PAGE = 2_000
_NEWEST = """
SELECT DISTINCT ON (sealed->>'key') sealed->>'key', sealed->>'digest'
FROM (
  SELECT position, details->'row' AS sealed FROM audit_auditevent WHERE details->'row'->>'kind' = %(kind)s
  UNION ALL
  SELECT position, jsonb_array_elements(details->'sealed_rows') FROM audit_auditevent WHERE details ? 'sealed_rows'
) AS events WHERE sealed->>'kind' = %(kind)s ORDER BY sealed->>'key', position DESC"""


class SealedRows:
    """Rows of one table of which the trail holds the state. ``fields`` are those under the digest."""

    def __init__(self, kind: str, model: type[models.Model], fields: Sequence[str]) -> None:
        self.kind, self._model, self._fields = kind, model, fields

    def sealed(self, row: models.Model) -> dict[str, Any]:
        """Return the member of an event's details that holds the row as it stands."""
        return {"row": self.state_of(row)}

    def state_of(self, row: models.Model) -> dict[str, str]:
        """Return the row as it stands; an event about several rows lists them as ``sealed_rows``."""
        return {"kind": self.kind, "key": str(row.pk), "digest": self._digest(row)}

    def seal_existing(self, *, actor: str) -> None:
        """Record the rows of an installation older than this check, once; later ones come with their own events."""
        if self._has_baseline():
            return
        known = self._newest()
        self._record([row for row in self._rows() if str(row.pk) not in known], actor)
        trail.record(BASELINE, self.kind, actor=actor)

    def seal_changes(self, *, actor: str) -> None:
        """Record each row that the trail has not as it stands, after a change of many in one transaction."""
        known = self._newest()
        self._record([row for row in self._rows() if known.get(str(row.pk)) != self._digest(row)], actor)

    def _record(self, rows: Sequence[models.Model], actor: str) -> None:
        for row in rows:
            trail.record("register.sealed", f"{self.kind} {row.pk}", actor=actor, details=self.sealed(row))

    def broken(self) -> str | None:
        """Compare rows and events; name the first that do not agree. Without a baseline unsealed rows pass."""
        newest, is_complete = self._newest(), self._has_baseline()
        for row in self._rows():
            said = newest.pop(str(row.pk), None)
            if said is None and is_complete:
                return f"{self.kind} {row.pk} has no event in the audit trail"
            if said is not None and said != self._digest(row):
                return f"{self.kind} {row.pk} is not as the audit trail says"
        for key in newest:
            return f"{self.kind} {key} is missing: the audit trail names it"
        return None

    def _has_baseline(self) -> bool:
        return AuditEvent.objects.filter(action=BASELINE, object=self.kind).exists()

    def _newest(self) -> dict[str, str]:
        with connection.cursor() as cursor:
            cursor.execute(_NEWEST, {"kind": self.kind})
            return dict(cursor.fetchall())

    def _rows(self) -> Iterator[models.Model]:
        return self._model._default_manager.order_by("pk").iterator(chunk_size=_PAGE)  # noqa: SLF001 (documented)

    def _digest(self, row: models.Model) -> str:
        return digest_of({name: _plain(getattr(row, name)) for name in self._fields}).hex()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, str):
        return str(value)  # an actor or a choice is a text of a class of its own until it comes back from the database
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value) if isinstance(value, UUID) else value
