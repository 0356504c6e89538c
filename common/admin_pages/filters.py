"""List filters whose choices need no query of the table: the logs are long."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
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


class DateRangeFilter(admin.ListFilter):
    """Filter by first and last day, each optional; subclasses narrow. What is no date narrows to nothing."""

    title = "dates"
    template = "admin/filters/dates.html"
    names = ("start", "end")

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.chosen = {name: _last(params.pop(name, "")) for name in self.names}

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def choices(self, changelist: Any) -> Iterator[Any]:
        others = {name: value for name, value in changelist.params.items() if name not in (*self.names, "p")}
        kept = [(name, _last(value)) for name, value in others.items()]
        yield {"chosen": self.chosen, "kept": kept, "selected": any(self.chosen.values())}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            start, end = (_day(self.chosen[name]) for name in self.names)
        except (ValueError, OverflowError):
            return queryset.none()
        return self.narrow(queryset, start, end + timedelta(days=1) if end else None)

    def narrow(self, queryset: QuerySet[Any], start: datetime | None, end: datetime | None) -> QuerySet[Any]:
        raise NotImplementedError


def _last(value: Any) -> str:
    return str(value[-1] if isinstance(value, list) and value else value or "").strip()


def _day(text: str) -> datetime | None:
    return timezone.make_aware(datetime.combine(date.fromisoformat(text), time.min)) if text else None
