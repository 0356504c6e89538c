"""Language of an answer: people choose theirs, officers and programs always get English."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from common import languages
from governance.privacy_center.sessions import set_host_cookie

Handler = Callable[[HttpRequest], HttpResponse]

# What is written, compared or read by programs here must not vary: audit texts, JSON, metrics, scripts.
_ENGLISH = ("/admin/", "/api/", "/access/", "/health/", "/metrics", "/.well-known/", "/assent.js")
# Of these a service shows sentences to the person it asks for; their codes stay as they are.
_ENGLISH_UNLESS_ASKED = ("/api/v1/recommendations", "/api/v1/recommender/parameters", "/api/v1/events")
_YEAR_S = 365 * 24 * 3600


class Language:
    """Middleware for the language: of ``?lang=``, of the cookie that keeps it, or of the browser, in this order."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in _ENGLISH_UNLESS_ASKED:
            return self._answer(
                request, languages.accepted(request.headers.get("Accept-Language", "")), "Accept-Language"
            )
        if request.path.startswith(_ENGLISH):
            with translation.override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        chosen = _chosen(request)
        response = self._answer(
            request, chosen or translation.get_language_from_request(request), "Accept-Language", "Cookie"
        )
        if chosen:
            set_host_cookie(response, settings.LANGUAGE_COOKIE_NAME, chosen, max_age=_YEAR_S)
        return response

    def _answer(self, request: HttpRequest, language: str, *vary: str) -> HttpResponse:
        # Left again afterwards: the same thread also answers what never passes here.
        with translation.override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, vary)
        return response


def _chosen(request: HttpRequest) -> str | None:
    """Return the language a link of the chooser names; anything else counts as none."""
    wanted = request.GET.get("lang", "") if request.method in ("GET", "HEAD") else ""
    return wanted if wanted in dict(settings.LANGUAGES) else None
