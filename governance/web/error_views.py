"""Error view of a request that could not be read."""

from django.conf import settings
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
