"""Time zone of officers: their browser's, or the one they chose in a log; pages without either are in UTC."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from common.admin_pages.log_filters import BadFilter, read_zone

Handler = Callable[[HttpRequest], HttpResponse]
COOKIE = "assent_zone"  # static/assent/admin.js sets it, too: it holds no secret
_ADMIN = "/admin/"
_YEAR_S = 365 * 24 * 3600


class OfficersTimeZone:
    """Middleware for moments in the administration: of ``?zone=``, of the cookie that keeps it, or UTC."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(_ADMIN):
            return self.get_response(request)
        chosen = _read(request.GET.get("zone", ""))
        # Left again afterwards: the same thread also answers what never passes here.
        with timezone.override(chosen or _read(request.COOKIES.get(COOKIE, "")) or timezone.get_default_timezone()):
            response = self.get_response(request)
        if chosen:
            response.set_cookie(
                COOKIE,
                chosen.key,
                max_age=_YEAR_S,
                path=_ADMIN,
                secure=settings.SESSION_COOKIE_SECURE,
                samesite="Lax",
            )
        return response


def _read(name: str) -> ZoneInfo | None:
    try:
        return read_zone(name) if name else None
    except BadFilter:
        return None
