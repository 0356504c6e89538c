"""Mark of an installation with a single officer, on every page of the administration and every file from it."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from oversight.officers import single

_APPROVES = "oversight.approve_changeset"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def lacks_second() -> bool:
    """Return whether fewer than two active accounts can approve, and the operator has not said that this is meant."""
    approvers = User.objects.with_perm(_APPROVES, backend=_BACKEND)
    return approvers.filter(is_staff=True)[:2].count() < 2 and not single.is_single()


def context(request: HttpRequest) -> dict[str, Any]:
    """Context processor of the admin's pages; asked only where a template shows the mark."""
    return {"single_officer": single.is_single} if request.path.startswith("/admin/") else {}


class MarkedExports:
    """Middleware that names the single officer in the name of every file that the administration hands out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        disposition = response.headers.get("Content-Disposition", "")
        if request.path.startswith("/admin/") and disposition.startswith("attachment") and single.is_single():
            response.headers["Content-Disposition"] = disposition.replace('filename="', f'filename="{single.PREFIX}', 1)
        return response
