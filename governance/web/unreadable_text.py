"""Refusal of text that no table takes, before a view or a filter meets it."""

from collections.abc import Callable, Iterable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]
_NUL = "\x00"


class UnreadableText:
    """Middleware: NUL in a path, a query or a form is answered 400. PostgreSQL stores it in no text.

    JSON bodies are the endpoints' own: their reader refuses it (``common.http.strict_json``).
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _NUL in request.path or _has_nul(request.GET.lists()):
            raise SuspiciousOperation("NUL in an address")
        if request.method == "POST" and not request.path.startswith("/api/v1/") and _has_nul(request.POST.lists()):
            raise SuspiciousOperation("NUL in a form")
        return self.get_response(request)


def _has_nul(members: Iterable[tuple[str, list[str]]]) -> bool:
    return any(_NUL in name or any(_NUL in str(value) for value in values) for name, values in members)
