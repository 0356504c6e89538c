"""Bulk actions of a list: one transaction for all rows, and the very steps that the page of one row takes."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse


class BulkInOneTransaction:
    """Mixin of a ``ModelAdmin``: what a list changes, its audit events and the bundle commit together, or not at all.

    Django opens a transaction for the pages of one row only.
    """

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "POST":
            return super().changelist_view(request, extra_context)  # type: ignore[misc,no-any-return]  # ModelAdmin's
        with transaction.atomic():
            return super().changelist_view(request, extra_context)  # type: ignore[misc,no-any-return]  # ModelAdmin's

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)  # type: ignore[attr-defined]  # ModelAdmin's
