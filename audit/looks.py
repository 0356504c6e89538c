"""Looks of officers at one person's data, each an event of the audit trail. The person reads them on their own page."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from audit import trail
from audit.models import AuditEvent
from common import actors

LOOKED_UP = "subject.looked_up"
TOKEN_REVEALED = "token.revealed"  # noqa: S105 (an event)
# Every event by which an officer saw, or took a copy of, what is kept about one person.
LOOKS = (LOOKED_UP, "evidence.exported", "receipt.exported", TOKEN_REVEALED)


def record(request: HttpRequest, person: UUID | str, *, page: str, known: bool = True) -> None:
    """Record that the officer of a request looks at a person, with the groups that let them."""
    details = {"known": known, "page": page, **({"groups": groups_of(request)} if known else {})}
    trail.record(LOOKED_UP, str(person), actor=actors.officer(request), details=details)


def groups_of(request: HttpRequest) -> list[str]:
    """Return the names of the officer's groups, for the event of a look."""
    return sorted(request.user.groups.values_list("name", flat=True))


class LooksRecorded:
    """Mixin of a ``ModelAdmin`` whose pages show one person: a row of theirs, or a list searched by their pseudonym."""

    look = ""

    def person_of(self, row: Any) -> UUID | None:
        """Return the person whose row it is; None for a row about no person."""
        return None

    def is_person(self, number: UUID) -> bool:
        return AuditEvent.objects.filter(object=str(number), action__startswith="consent.").exists()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **more: Any) -> HttpResponse:
        row = more.get("obj")
        person = self.person_of(row) if row is not None else None
        if person is not None:
            record(request, person, page=self.look)
        return super().render_change_form(request, context, *args, **more)  # type: ignore[misc,no-any-return]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]  # ModelAdmin's
        if response.status_code == 200:
            self.record_search(request, request.GET.get("q", ""), page=f"{self.look} list")
        return response

    def record_search(self, request: HttpRequest, text: str, *, page: str) -> None:
        """Record a look where a search is for a person."""
        number = _number(text)
        if number is not None and self.is_person(number):
            record(request, number, page=page)


def _number(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
