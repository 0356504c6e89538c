"""Error views: a request that could not be read, a page an officer may not open."""

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from governance.officers import roles
from governance.officers.page_rights import right_of


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the page for 400. After too long a text it advises an officer to go back: the browser has it still."""
    if isinstance(exception, RequestDataTooBig) and request.path.startswith("/admin/"):
        limit = {"limit": size_words(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)}
        return render(request, "errors/too_large.html", limit, status=413)
    return defaults.bad_request(request, exception)


def size_words(size: int) -> str:
    """Return a limit in MiB, or in KiB below that."""
    kibibytes = size // 1024
    return f"{kibibytes // 1024} MiB" if kibibytes >= 1024 else f"{kibibytes} KiB"


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the page for 403: officers stay inside the admin, and read which right they lack."""
    if not (request.path.startswith("/admin/") and getattr(request, "user", None) and request.user.is_staff):
        return defaults.permission_denied(request, exception)
    right = _missing_right(request, exception)
    context = {
        **admin.site.each_context(request),
        "title": "You lack a right",
        "right": right,
        "roles": [role.name for role in roles.with_right(right)],
    }
    return render(request, "admin/403.html", context, status=403)


def _missing_right(request: HttpRequest, exception: Exception) -> str:
    """Return the permission in Django's notation: what the view named, or what the page of a model asks for."""
    if str(exception):
        return str(exception)
    name = (request.resolver_match and request.resolver_match.url_name) or ""
    return right_of(name, reads=request.method in ("GET", "HEAD"))
