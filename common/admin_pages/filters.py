"""List filters whose choices need no query of the table: the logs are long."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

SPANS = {
    "hour": ("The last hour", timedelta(hours=1)),
    "day": ("The last 24 hours", timedelta(days=1)),
    "week": ("The last 7 days", timedelta(days=7)),
    "month": ("The last 30 days", timedelta(days=30)),
}


class SinceFilter(admin.SimpleListFilter):
    """Filter on the age of rows; subclasses name the column."""

    title = "when"
    parameter_name = "since"
    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(key, label) for key, (label, _) in SPANS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        span = SPANS.get(self.value() or "")
        return queryset if span is None else self.narrow(queryset, timezone.now() - span[1])

    def narrow(self, queryset: QuerySet[Any], since: datetime) -> QuerySet[Any]:
        return queryset.filter(**{f"{self.column}__gte": since})


def since(of: str) -> type[SinceFilter]:
    return type("Since", (SinceFilter,), {"column": of})
