"""Figures of requests: how many, how long they took, how many were extended, late or refused."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Max, Q

from privacy.rights.models import RightsRequest
from privacy.rights.requests.states import State

_TOOK = ExpressionWrapper(F("closed_at") - F("received_at"), output_field=DurationField())


def by_right() -> list[dict[str, Any]]:
    """Return the figures by right, in one statement. Without names or pseudonyms."""
    rows: list[Mapping[str, Any]] = list(
        RightsRequest.objects.values("right")
        .order_by("right")
        .annotate(
            volume=Count("id"),
            done=Count("id", filter=Q(state=State.DONE)),
            refused=Count("id", filter=Q(state=State.REFUSED)),
            extended=Count("id", filter=Q(extended_on__isnull=False)),
            late=Count("id", filter=Q(closed_at__date__gt=F("due_on"))),
            took=Avg(_TOOK, filter=Q(closed_at__isnull=False)),
            longest=Max(_TOOK, filter=Q(closed_at__isnull=False)),
        )
    )
    most = max((row["volume"] for row in rows), default=1)
    return [
        {
            **row,
            "label": row["right"].replace("_", " ").capitalize(),
            "share": round(100 * row["volume"] / most),
            **_in_days(row),
        }
        for row in rows
    ]


def _in_days(row: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        f"{name}_days": round(row[name] / timedelta(days=1), 1) if row[name] is not None else None
        for name in ("took", "longest")
    }
