"""Public pages about the recommender: for creators, and the card of the version in use.

They hold nothing about the reader, so that any cache may keep them for a while, one copy a language.
"""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.suppression import smallest_group
from consent.models import Party
from model_registry import services
from personalization import engine, parameters
from personalization.explained import card, exposure, weights
from personalization.recommender.model import Model

_KEPT_S = 300


@require_safe
def creators(request: HttpRequest) -> HttpResponse:
    """Show what a creator can influence, how to opt out, and how exposed creators are."""
    model, k = _in_use(), smallest_group()
    parts, weighings = weights.compared(weights.weighings(model.parameters)) if model else ([], [])
    return _shown(
        request,
        "privacy/creators.html",
        {
            "levels": parameters.in_force(),
            "deeds": weights.deeds(),
            "parts": parts,
            "weighings": weighings,
            **parameters.of_creators(),
            "exposure": exposure.read(model, k=k),
            "k": k,
            "places": exposure.PLACES,
            "controllers": Party.objects.filter(role=Party.Role.CONTROLLER).order_by("name"),
        },
    )


@require_safe
def model_card(request: HttpRequest) -> HttpResponse:
    """Show the card of the version in use; 404 while there is none."""
    version = services.live_version(engine.MODEL_SLUG)
    found = card.read(version, k=smallest_group()) if version else None
    if found is None:
        raise Http404(_("No recommender is in use: everybody gets the general list."))
    return _shown(request, "privacy/model_card.html", {"card": found})


def _in_use() -> Model | None:
    """Return the model in use; None where there is none, or its file cannot be read."""
    version = services.live_version(engine.MODEL_SLUG)
    if version is None:
        return None
    try:
        return engine.read(version.artifact, version.artifact_sha256)
    except engine.EngineFailed:
        return None


def _shown(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, {"business_name": settings.BUSINESS_NAME, **context})
    if not request.GET:  # an address with a query sets the language's cookie
        response.headers["Cache-Control"] = f"public, max-age={_KEPT_S}"
    return response
