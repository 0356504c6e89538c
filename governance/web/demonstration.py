"""The demonstration's shop at /shop/, where its site is registered.

The demonstration is no part of production: its code is imported with the first visit of an open shop, never at start.
"""

from importlib import import_module

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from consent.banner import banner

SHOP = "demo-shop"  # the slug of the demonstration's site


def is_open() -> bool:
    """Return whether this installation has the demonstration's shop; the front page asks, and needs no database."""
    try:
        return banner.active_site(SHOP) is not None
    except DatabaseError:
        return False


@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    site = banner.active_site(SHOP)
    if site is None:
        raise Http404
    response: HttpResponse = import_module("governance.demo.shop").page(request, site)
    return response
