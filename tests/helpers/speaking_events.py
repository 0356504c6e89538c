"""Events that still speak for their items, asked event by event: what the grouped statements are judged by."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from personalization.models import Event

Kind = Event.Kind


def speaking() -> QuerySet[Event]:
    """Return the events that speak for an item: what came before the person's no about it speaks no longer."""
    taken_back = Event.objects.filter(
        subject_ref=OuterRef("subject_ref"),
        purpose=OuterRef("purpose"),
        item=OuterRef("item"),
        kind=Kind.UNDO,
        occurred_at__gte=OuterRef("occurred_at"),
    )
    later_no = Event.objects.filter(
        Q(kind=Kind.NOT_RELEVANT) & ~Exists(taken_back) | Q(kind=Kind.RATING, weight=0),
        subject_ref=OuterRef("subject_ref"),
        purpose=OuterRef("purpose"),
        item=OuterRef("item"),
        occurred_at__gte=OuterRef("occurred_at"),
    )
    return Event.objects.filter(~Exists(later_no), weight__gt=0)
