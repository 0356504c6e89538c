"""What retention and withdrawal delete here (see ``privacy.retention``)."""

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from personalization.models import Event


class EventStore:
    """Events by purpose, deleted oldest first in key order."""

    name = "events"

    def count(self, *, purpose: str, subject_ref: UUID | None, before: datetime) -> int:
        return self._rows(purpose, subject_ref, before).count()

    def delete_batch(self, *, purpose: str, subject_ref: UUID | None, before: datetime, limit: int) -> list[str]:
        keys = self._rows(purpose, subject_ref, before).order_by("received_at", "id").values("pk")[:limit]
        with connection.cursor() as cursor:
            sql, parameters = keys.query.sql_with_params()
            # SKIP LOCKED lets two workers share one disposal without waiting for each other.
            cursor.execute(
                "DELETE FROM personalization_event WHERE id IN "  # noqa: S608 (the inner SQL is Django's own)
                f"(SELECT id FROM personalization_event WHERE id IN ({sql}) FOR UPDATE SKIP LOCKED) RETURNING id",
                parameters,
            )
            return [str(row[0]) for row in cursor.fetchall()]

    def _rows(self, purpose: str, subject_ref: UUID | None, before: datetime) -> QuerySet[Event]:
        rows = Event.objects.filter(purpose=purpose, received_at__lte=before)
        return rows if subject_ref is None else rows.filter(subject_ref=subject_ref)
