"""Erasure on the privacy dashboard: what would go and what stays, one confirmation, and the answer. No JavaScript."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from consent.models import SubjectLink
from governance.privacy_center.rights import PLACE, open_here
from governance.privacy_center.sessions import for_session, shown_id
from privacy.rights.clocks.laws import Right
from privacy.rights.erasure.answering import grouped, kept
from privacy.rights.models import RightsRequest
from privacy.rights.requests import blocking, fulfilling
from privacy.rights.requests.states import Move, State
from privacy.rights.stores import seam
from privacy.rights.stores.tables import count_all


@require_http_methods(["GET", "HEAD", "POST"])
@for_session
def erase(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    """Show what an erasure does; with the confirmation, erase and show the answer: the session ends with it."""
    if request.method == "POST" and request.POST.get("understood") == "1":
        return _erased(request, session)
    ref = session.subject_ref
    context = {
        "business_name": settings.BUSINESS_NAME,
        "goes": list(_going(ref)),
        "kept": grouped(_staying(ref)),
        "is_held": blocking.is_kept(ref),
        "is_unconfirmed": request.method == "POST",
    }
    return render(request, "privacy/erase.html", context, status=422 if context["is_unconfirmed"] else 200)


def _going(ref: UUID) -> Iterable[dict[str, Any]]:
    counts = count_all(seam.emptied(), ref)
    for store in seam.emptied():
        if counts[store.description.name]:
            yield {"title": store.description.title, "rows": counts[store.description.name]}


def _staying(ref: UUID) -> Iterator[tuple[str, str, date]]:
    counts, today = count_all(seam.kept(), ref), timezone.now().date()
    for store in seam.kept():
        after = store.description.after
        if after is not None and counts[store.description.name]:
            yield store.description.title, after.ground, after.until(today)


def _erased(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    opened = open_here(session.subject_ref, Right.ERASURE, shown=shown_id(request, session))
    found = fulfilling.run_or_leave(opened.pk)
    if found.state != State.DONE:
        text = _("We have received your request.")
        messages.success(request, text, extra_tags=PLACE)
        return redirect(f"{reverse('privacy')}#{PLACE}")
    context = {"business_name": settings.BUSINESS_NAME, "request_id": found.pk, **answer(found)}
    response = render(request, "privacy/erased.html", context)
    response.delete_cookie(settings.SUBJECT_COOKIE_NAME, path="/", samesite="Lax")
    response.headers["Cache-Control"] = "no-store"
    return response


def answer(request: RightsRequest) -> dict[str, Any]:
    """Return what an erasure that is done answered, for templates: what went and what is kept."""
    said: dict[str, Any] = next((step.details for step in request.steps.all() if step.move == Move.COMPLETE), {})
    erased = said.get("erased", {})
    return {
        "went": [{"title": seam.find(name).description.title, "rows": rows} for name, rows in erased.items()],
        "kept": kept(request),
        "models": said.get("models", []),
    }
