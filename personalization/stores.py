"""Stores that retention and withdrawal delete from here (see ``privacy.retention.schedules``)."""

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Min, QuerySet

from consent.ledger import holds
from personalization.models import Event
from privacy.retention.schedules import Stored
from privacy.rights.answers.own_stores import TableStore
from privacy.rights.answers.stores import Description, Member


class EventStore:
    """Store of events by purpose, deleted oldest first in key order."""

    name = "events"

    def count(self, *, purpose: str, subject_ref: UUID | None, before: datetime) -> int:
        return self._rows(purpose, subject_ref, before).count()

    def stored(self, subject_ref: UUID) -> list[Stored]:
        rows = Event.objects.filter(subject_ref=subject_ref).values("purpose").order_by("purpose")
        found = rows.annotate(rows=Count("id"), oldest=Min("received_at"), newest=Max("received_at"))
        return [Stored(**each) for each in found]

    def delete_batch(self, *, purpose: str, subject_ref: UUID | None, before: datetime, limit: int) -> list[str]:
        keys = self._rows(purpose, subject_ref, before).order_by("received_at", "id").values("pk")[:limit]
        with connection.cursor() as cursor:
            sql, parameters = keys.query.sql_with_params()
            cursor.execute(
                f"DELETE FROM personalization_event WHERE id IN ({sql}) RETURNING id",  # noqa: S608 (Django's own SQL)
                parameters,
            )
            return [str(row[0]) for row in cursor.fetchall()]

    def oldest(self, *, purpose: str, before: datetime, limit: int) -> list[datetime]:
        rows = self._rows(purpose, None, before).order_by("received_at", "id")
        return list(rows.values_list("received_at", flat=True)[:limit])

    def _rows(self, purpose: str, subject_ref: UUID | None, before: datetime) -> QuerySet[Event]:
        rows = Event.objects.filter(purpose=purpose, received_at__lte=before)
        if subject_ref is not None:
            return rows.filter(subject_ref=subject_ref)
        # A legal hold outlasts retention.
        return rows.exclude(subject_ref__in=holds.kept(purpose).values("ref"))


EVENTS_FOR_ANSWERS = TableStore(
    Description(
        name="events",
        title="What you looked at, liked, rated or bought",
        members=(
            Member("id", "string", "event"),
            Member("purpose", "string", "purpose"),
            Member("kind", "string", "what you did"),
            Member("item_id", "string", "item"),
            Member("item__title", "string", "title"),
            Member("value", "integer", "rating"),
            Member("occurred_at", "date-time", "when"),
            Member("received_at", "date-time", "received"),
        ),
        origin="from you, or observed while you used the service",
        kept="as long as the purpose's retention period says, or until you turn the purpose off",
        is_provided=True,
    ),
    lambda ref: Event.objects.filter(subject_ref=ref).order_by("occurred_at", "id"),
)
