"""The privacy dashboard's pages: open a link, look, choose, leave. Plain forms; nothing needs JavaScript."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.problems import Problem
from consent import counts, ledger, links, selectors
from consent.proof import Asked
from consent.signals import gpc
from governance import dashboard as content
from governance.subject_session import current_session, signed_out
from policies.bundles import LEVELS
from policies.facts import HIGHEST

View = Callable[..., HttpResponse]


@require_GET
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Use up a single-use link and start a short session. Used, expired and unknown links look the same."""
    secret = links.open_link(token) if len(token) <= 128 else None
    if secret is None:
        return render(request, "privacy/link_invalid.html", {"business_name": settings.BUSINESS_NAME}, status=410)
    counts.count(counts.What.DASHBOARD_OPENED)
    response = redirect("privacy")
    response.set_cookie(
        settings.SUBJECT_COOKIE_NAME,
        secret,
        max_age=int(links.SESSION_LASTS.total_seconds()),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


@require_http_methods(["GET", "HEAD"])
def dashboard(request: HttpRequest) -> HttpResponse:
    session = current_session(request)
    if session is None:
        return signed_out(request)
    context = content.context(
        session.subject_ref,
        session_ends=session.session_expires_at,
        gpc=gpc.is_set_in_environ(request.META),
    )
    response = render(request, "privacy/dashboard.html", {**context, "message": _message(request)})
    response.headers["Vary"] = "Sec-GPC, Cookie"
    return response


def _message(request: HttpRequest) -> dict[str, Any] | None:
    last = list(messages.get_messages(request))[-1:]
    return {"text": str(last[0]), "kind": last[0].tags} if last else None


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Save one choice, bound to the record the person saw."""
    session = current_session(request)
    if session is None:
        return signed_out(request)
    choice = request.POST.get("choice", "")
    if choice not in ("give", "refuse", "withdraw", "object"):
        return redirect("privacy")
    wanted = ledger.Choice(
        purpose=request.POST.get("purpose", "")[:64],
        choice=choice,
        supersedes=_uuid(request.POST.get("supersedes", "")),
        channel=request.POST.get("channel", "")[:64] or None,
        told_of_conflict=choice == "give" and request.POST.get("told_of_conflict") == "1",
    )
    try:
        _save(request, session.subject_ref, [wanted])
    except Problem as problem:
        messages.error(request, _problem_in_words(problem))
    else:
        messages.success(request, _("Saved. It applies from now on."))
    return redirect("privacy")


@require_POST
def set_level(request: HttpRequest) -> HttpResponse:
    """Limit how personal the use of what is allowed may be; nothing that is not allowed comes on by it."""
    session = current_session(request)
    if session is None:
        return signed_out(request)
    level = request.POST.get("level", "")
    _person, states = selectors.states(session.subject_ref, now=timezone.now())
    limit = None if level == HIGHEST else level
    choices = [
        ledger.Choice(
            purpose=state.purpose.slug, choice="adjust", max_level=limit, supersedes=_uuid(state.record or "")
        )
        for state in content.adjustable(states)
        if state.max_level != limit
    ]
    if level not in LEVELS or not choices:
        return redirect("privacy")
    try:
        _save(request, session.subject_ref, choices)
    except Problem as problem:
        messages.error(request, _problem_in_words(problem))
    else:
        messages.success(request, _("Saved. It applies from now on."))
    return redirect("privacy")


@require_POST
def all_off(request: HttpRequest) -> HttpResponse:
    """Withdraw everything that rests on consent and object to everything that may be objected to, in one step."""
    session = current_session(request)
    if session is None:
        return signed_out(request)
    _person, states = selectors.states(session.subject_ref, now=timezone.now())
    choices = [
        ledger.Choice(purpose=state.purpose.slug, choice="object" if state.purpose.may_be_objected else "refuse")
        for state in states
        if state.state not in ("refused", "withdrawn", "objected")
        and (state.purpose.needs_consent or state.purpose.may_be_objected)
    ]
    if choices:
        _save(request, session.subject_ref, choices)
    messages.success(request, _("Everything is off. What we kept for it is being deleted."))
    return redirect("privacy")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    links.end_session(request.COOKIES.get(settings.SUBJECT_COOKIE_NAME, ""))
    response = redirect("home")
    response.delete_cookie(settings.SUBJECT_COOKIE_NAME, path="/")
    return response


def _save(request: HttpRequest, ref: UUID, choices: list[ledger.Choice]) -> None:
    asked = Asked(
        interface="dashboard@1",
        locale=get_language() or "en",
        order=("give", "refuse"),
        signals={"gpc": True} if gpc.is_set_in_environ(request.META) else None,
    )
    ledger.save_choices(
        ledger.Request(subject_ref=ref, choices=choices, source="dashboard", actor="subject", asked=asked)
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _problem_in_words(problem: Problem) -> str:
    if problem.code in ("superseded", "nothing_to_withdraw"):
        return _("This was changed in another window. Here is how it stands now.")
    return _("That could not be saved. Nothing was changed.")
