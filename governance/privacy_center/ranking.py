"""Ranking page: how recommendations are ranked and, for a person signed in, their own list with why and feedback."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from common.http.problems import Problem
from common.identifiers import uuid7_text
from consent.models import SubjectLink
from consent.signals import gpc, read
from governance.privacy_center.sessions import current_session, for_session
from model_registry import services
from personalization import engine, events, parameters, proxy
from personalization.explained import weights
from personalization.intake.taking import take_in
from personalization.models import Event
from personalization.serving.requests import RecommendationRequest
from policies.decision_log.spool import SpoolFull

_SHOWN = 6
_REVIEWED = {
    "awaiting_review": _("A person looks at your own list before you see it. Until then this is the general one."),
    "rejected_by_review": _("A person has looked at your own list and decided against it. This is the general one."),
}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the public page. ``?list=general`` shows a signed-in person the list that uses nothing about them."""
    session = current_session(request)
    general = request.GET.get("list") == "general"
    context: dict[str, Any] = {
        "business_name": settings.BUSINESS_NAME,
        "parameters": parameters.in_force(),
        "objectives": parameters.objectives(),
        "changes": parameters.CHANGES,
        "not_used": parameters.NOT_USED,
        "deeds": weights.deeds(),
        "has_card": services.live_version(engine.MODEL_SLUG) is not None,
        "signed_in": session is not None,
        "general": general,
        "message": next((str(message) for message in messages.get_messages(request)), None),
    }
    if session is not None:
        context |= _own_list(session, request, general=general)
    response = render(request, "privacy/ranking.html", context)
    response.headers["Vary"] = "Sec-GPC, Cookie"
    return response


def _own_list(session: SubjectLink, request: HttpRequest, *, general: bool) -> dict[str, Any]:
    wanted = RecommendationRequest(
        subject_ref=session.subject_ref,
        count=_SHOWN,
        signals=read({"gpc": gpc.is_set_in_environ(request.META)}),
        non_profiled=general,
        processing_region=settings.PROCESSING_REGION,
    )
    try:
        answer = proxy.recommend(wanted, caller="subject")
    except SpoolFull:
        return {"items": [], "level": None}
    label = next(p.name for p in parameters.PARAMETERS if p.level == answer.level)
    note = _REVIEWED.get(answer.fallback or "", "")
    return {"items": answer.items, "level": label, "profiled": answer.level != "none", "note": note}


@require_POST
@for_session
def not_relevant(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    """Store "not relevant" as an event, as far as the person allows that events are kept."""
    event = events.NewEvent(
        event_id=uuid7_text(),
        sender="subject",
        subject_ref=session.subject_ref,
        purpose="recommendations",
        kind=Event.Kind.NOT_RELEVANT,
        item=request.POST.get("item", "")[:64],
        occurred_at=timezone.now(),
        signals=read({"gpc": gpc.is_set_in_environ(request.META)}),
        processing_region=settings.PROCESSING_REGION,
    )
    try:
        stored = take_in(event).stored
    except (Problem, SpoolFull):
        stored = False
    messages.success(
        request,
        gettext("Thank you. It will not be recommended to you again.")
        if stored
        else gettext("This could not be kept: you do not allow us to keep what you do here."),
    )
    return redirect("ranking")
