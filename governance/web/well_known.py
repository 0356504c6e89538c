"""Public documents: the keys that sign, and that Global Privacy Control is honoured."""

from datetime import date

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from consent.signals import gpc
from policies.bundles import bundle_keys

_HONOURED_SINCE = date(2026, 11, 21)


@csrf_exempt  # a POST is refused for its method
@require_safe
@cache_control(public=True, max_age=300)
def keys(request: HttpRequest) -> JsonResponse:
    """Return a JWK set (RFC 7517): retired keys stay, for what they signed must stay verifiable."""
    return JsonResponse(bundle_keys.published(), content_type="application/jwk-set+json")


@csrf_exempt
@require_safe
@cache_control(public=True, max_age=3600)
def global_privacy_control(request: HttpRequest) -> JsonResponse:
    return JsonResponse(gpc.well_known(_HONOURED_SINCE))
