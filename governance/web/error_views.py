"""Error views: a request that could not be read, a page an officer may not open."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the page for 400. After too long a text it advises an officer to go back: the browser has it still."""
    if isinstance(exception, RequestDataTooBig) and request.path.startswith("/admin/"):
        limit = {"limit": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024}
        return render(request, "admin/too_large.html", limit, status=413)
    return defaults.bad_request(request, exception)


# What a page of a model asks for where it is not named like the right.
_RIGHTS = {"changelist": "view", "history": "view"}
_NAMED_LIKE_THE_RIGHT = frozenset({"add", "change", "delete", "view"})


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the page for 403: officers stay inside the admin, and read which right they lack."""
    if not (request.path.startswith("/admin/") and getattr(request, "user", None) and request.user.is_staff):
        return defaults.permission_denied(request, exception)
    context = {
        **admin.site.each_context(request),
        "title": "You lack a right",
        "right": _missing_right(request, exception),
    }
    return render(request, "admin/403.html", context, status=403)


def _missing_right(request: HttpRequest, exception: Exception) -> str:
    """Return the permission in Django's notation: what the view named, or what the page of a model asks for."""
    if str(exception):
        return str(exception)
    name = (request.resolver_match and request.resolver_match.url_name) or ""
    for model_admin in map(admin.site.get_model_admin, filter(admin.site.is_registered, apps.get_models())):
        app, model = model_admin.opts.app_label, model_admin.opts.model_name
        prefix = f"{app}_{model}"
        if name.startswith(f"{prefix}_"):
            right = _right_for(name.removeprefix(f"{prefix}_"), request, model_admin)
            return right if "." in right else f"{app}.{right}_{model}"
    return ""


def _right_for(page: str, request: HttpRequest, model_admin: Any) -> str:
    """Return the right for a page of a model, or for an action on one object, which its admin may name in full."""
    right = _RIGHTS.get(page, page)
    if right == "change" and request.method in ("GET", "HEAD"):
        return "view"
    if right in _NAMED_LIKE_THE_RIGHT:
        return right
    return str(getattr(model_admin, "action_rights", {}).get(page, "change"))
