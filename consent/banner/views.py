"""Banner API: called by browsers, without a credential, from the pages of registered sites only.

Cross-origin rules are per site: its own origins are named back, one at a time, never ``*`` and never with credentials.
No cookie is read or set. An unknown browser looks like one that has not chosen yet.
"""

from datetime import timedelta
from typing import Any

from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common import languages
from common.http.client_network import client_network
from common.http.conditional import CONDITIONAL, NOT_MODIFIED, conditional_response
from common.http.problems import NotFound
from common.http.rate_limit import RateLimit
from common.http.rest import StrictJsonParser, read_body
from consent.api import KEY_PARAMETER, idempotency_key
from consent.banner import banner
from consent.banner.answers import BannerStateAnswer, LayoutAnswer
from consent.banner.banner import BrowserBody, ChoicesBody
from consent.models import Site
from consent.signals.gpc import is_set_in_environ

_SITE = OpenApiParameter("site", {"type": "string", "pattern": "^[-a-zA-Z0-9_]{1,64}$"}, OpenApiParameter.PATH)
_ORIGIN = "Scheme and host of the page: one of the site's own."
_PAGE = OpenApiParameter("Origin", str, OpenApiParameter.HEADER, description=_ORIGIN)
_REQUIRED_PAGE = OpenApiParameter("Origin", str, OpenApiParameter.HEADER, description=_ORIGIN, required=True)
_GPC = OpenApiParameter("Sec-GPC", str, OpenApiParameter.HEADER, description="`1`: Global Privacy Control is on.")
_LOCALE = OpenApiParameter("locale", str, description="Language instead of the one of `Accept-Language`.")
CALLS = RateLimit("banner calls to site from network", 300, per=timedelta(minutes=1))


def _problems(*statuses: int) -> dict[int, OpenApiResponse]:
    return {status: OpenApiResponse(description="problem+json") for status in statuses}


class SmallJsonParser(StrictJsonParser):
    max_bytes = 16 * 1024


class _BannerView(APIView):
    authentication_classes = ()
    permission_classes = ()
    parser_classes = (SmallJsonParser,)
    vary: tuple[str, ...] = ("Origin",)
    origin: str | None = None
    site: Site

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        site = banner.active_site(kwargs["site"])
        if site is None:
            raise NotFound("There is no such site, or its banner is switched off.")
        origin = request.headers.get("Origin")
        if origin is not None and origin not in site.origins:
            raise exceptions.PermissionDenied("This page does not belong to the site.")
        self.site, self.origin = site, origin
        if request.method == "POST":
            self._check_caller(request)

    def _check_caller(self, request: Request) -> None:
        if self.origin is None:
            raise exceptions.PermissionDenied("Only a page of the site may call; the Origin header is missing.")
        CALLS.take(self.site.slug, client_network(request.META))

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer a browser's preflight."""
        headers = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
            "Access-Control-Max-Age": "600",
        }
        return Response(status=status.HTTP_204_NO_CONTENT, headers=headers)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, self.vary)
        if self.origin is not None:
            response.headers["Access-Control-Allow-Origin"] = self.origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        return response


class LayoutView(_BannerView):
    """Layout of the banner, in the visitor's language."""

    vary = ("Sec-GPC", "Origin", "Accept-Language")

    @extend_schema(
        operation_id="banner_layout",
        parameters=[_SITE, _PAGE, _GPC, _LOCALE, *CONDITIONAL],
        responses={200: LayoutAnswer, **NOT_MODIFIED, **_problems(400, 403, 404, 503)},
    )
    def get(self, request: Request, site: str) -> Any:
        wanted = request.query_params.get("locale") or languages.accepted(request.headers.get("Accept-Language", ""))
        document = banner.layout(self.site, locale=wanted[:35], gpc=is_set_in_environ(request.META))
        return conditional_response(request, document, cache_control="public, max-age=300")


class ChoicesView(_BannerView):
    """Save what a visitor chose."""

    @extend_schema(
        operation_id="banner_save_choices",
        parameters=[_SITE, _REQUIRED_PAGE, _GPC, KEY_PARAMETER],
        request=ChoicesBody,
        responses={200: BannerStateAnswer, 201: BannerStateAnswer, **_problems(400, 403, 404, 409, 413, 422, 429, 503)},
    )
    def post(self, request: Request, site: str) -> Response:
        body = read_body(ChoicesBody, request)
        header = is_set_in_environ(request.META)
        replayed = banner.save(self.site, body, header=header, key=idempotency_key(request.META))
        answer = banner.state(self.site, body.browser, gpc=body.gpc or header)
        return Response(answer, status=status.HTTP_200_OK if replayed else status.HTTP_201_CREATED)


class StateView(_BannerView):
    """Current state of a browser's choices on this site."""

    @extend_schema(
        operation_id="banner_state",
        parameters=[_SITE, _REQUIRED_PAGE, _GPC],
        request=BrowserBody,
        responses={200: BannerStateAnswer, **_problems(400, 403, 404, 413, 429, 503)},
    )
    def post(self, request: Request, site: str) -> Response:
        body = read_body(BrowserBody, request)
        return Response(banner.state(self.site, body.browser, gpc=body.gpc or is_set_in_environ(request.META)))
