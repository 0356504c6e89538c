"""Permissions of the admin's own pages: a refusal names the right that is missing, and the 403 page shows it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def require(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied: ``admin_view`` asks for staff only, and staff may be given no permission at all."""
    if not request.user.has_perm(permission):
        raise PermissionDenied(permission)


def requires(permission: str) -> Callable[[View], View]:
    """Guard a view with ``require``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
            require(request, permission)
            return view(request, *args, **options)

        return guarded

    return decorate
