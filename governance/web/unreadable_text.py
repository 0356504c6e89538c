"""Refusal of text that no table takes, before it is stored or a filter meets it."""

from collections.abc import Callable, Iterable

from django.core.exceptions import SuspiciousOperation
from django.db import DataError
from django.http import HttpRequest, HttpResponse

from governance.web.error_views import bad_request

Handler = Callable[[HttpRequest], HttpResponse]
_NUL = "\x00"
_MARK = "holds_nul"


class UnreadableText:
    """Middleware: NUL in a path, a query or a form is answered 400. PostgreSQL stores it in no text.

    An officer's form is shown again instead: its fields refuse NUL, and the page that comes back holds what was typed
    without it. What reaches the database nevertheless is answered 400. JSON bodies are the endpoints' own: their reader
    refuses it (``common.http.strict_json``).
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _NUL in request.path or _has_nul(request.GET.lists()):
            raise SuspiciousOperation("NUL in an address")
        if request.method != "POST" or request.path.startswith("/api/v1/") or not _has_nul(request.POST.lists()):
            return self.get_response(request)
        if not _is_officers_form(request):
            raise SuspiciousOperation("NUL in a form")
        setattr(request, _MARK, True)
        return _without_nul(self.get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if getattr(request, _MARK, False) and isinstance(exception, (ValueError, DataError)):
            return bad_request(request, exception)
        return None


def _has_nul(members: Iterable[tuple[str, list[str]]]) -> bool:
    return any(_NUL in name or any(_NUL in str(value) for value in values) for name, values in members)


def _is_officers_form(request: HttpRequest) -> bool:
    """Return whether the form belongs to a page behind the sign-in."""
    return request.path.startswith("/admin/") and not request.path.startswith("/admin/login/")


def _without_nul(response: HttpResponse) -> HttpResponse:
    if not response.streaming:
        response.content = response.content.replace(b"\x00", b"")
    return response
