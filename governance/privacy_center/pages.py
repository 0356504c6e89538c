"""Pages of the privacy dashboard: open a link, look, choose, leave. Plain forms; nothing needs JavaScript."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.http.client_network import client_network
from common.http.problems import Problem
from common.levels import LEVELS
from consent import counts, links
from consent.ledger import ledger, opt_outs, scopes, selectors
from consent.ledger.proof import Asked
from consent.models import SubjectLink
from consent.register import part_words
from consent.signals import gpc
from governance.privacy_center import cards, rights
from governance.privacy_center import dashboard as content
from governance.privacy_center.sessions import (
    for_session,
    refused,
    set_host_cookie,
    signed_in,
    way_in,
)
from governance.web import demonstration
from governance.web.rate_limits import LINKS_OPENED
from policies.decisions.facts import HIGHEST

View = Callable[..., HttpResponse]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html", {**way_in(), "has_shop": demonstration.is_open()})


@require_safe
def confirm_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask before a link is used up: mail scanners and browsers that load ahead follow links, but press no buttons.

    Nothing is looked up, so this page is the same for every link, and for what never was one.
    """
    response = render(request, "privacy/open_link.html", {"business_name": settings.BUSINESS_NAME, "token": token})
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
def open_link(request: HttpRequest) -> HttpResponse:
    """Consume a single-use link and start a short session. Used, expired, revoked and unknown links look the same."""
    network = client_network(request.META)
    LINKS_OPENED.take(network)
    token = request.POST.get("token", "")
    secret = links.open_link(token) if len(token) <= 128 else None
    if secret is None:
        return refused(request, status=410)
    counts.count(counts.What.DASHBOARD_OPENED)
    LINKS_OPENED.give_back(network)
    return signed_in(request, secret)


@require_http_methods(["GET", "HEAD"])
@for_session
def dashboard(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    opts_out = gpc.is_set_in_environ(request.META)
    if opts_out:
        opt_outs.remember(session.subject_ref)
    context = content.context(session.subject_ref, session_ends=session.session_expires_at, gpc=opts_out)
    context["rights"] = rights.card(session.subject_ref, context["person"])
    response = render(request, "privacy/dashboard.html", {**context, "message": _message(request, context)})
    response.headers["Vary"] = "Sec-GPC, Cookie"
    return response


def _message(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the last choice led to, and the place it belongs to: the top of the page, unless it has its own."""
    last = list(messages.get_messages(request))[-1:]
    if not last:
        return None
    places = {"levels", rights.PLACE, *(f"purpose-{purpose['slug']}" for purpose in context["purposes"])}
    place = last[0].extra_tags if last[0].extra_tags in places else ""
    return {"text": str(last[0]), "kind": last[0].level_tag, "place": place}


@require_POST
@for_session
def choose(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    """Save one choice, bound to the record the person saw."""
    choice = request.POST.get("choice", "")
    if choice == "keep":
        return _keep(request, session)
    if choice not in ("give", "refuse", "withdraw", "object"):
        return redirect("privacy")
    wanted = ledger.Choice(
        purpose=request.POST.get("purpose", "")[:64],
        choice=choice,
        supersedes=_uuid(request.POST.get("supersedes", "")),
        channel=request.POST.get("channel", "")[:64] or None,
        recipient=request.POST.get("recipient", "")[:64] or None,
        data_category=request.POST.get("data_category", "")[:64] or None,
        notice_version=_version(request.POST.get("notice_version", "")),
        told_of_conflict=choice == "give" and request.POST.get("told_of_conflict") == "1",
        explicit=choice == "give" and request.POST.get("explicit") == "1",
    )
    return _saved(request, session.subject_ref, [wanted], place=f"purpose-{wanted.purpose}")


def _keep(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    """Say no to all that is new since a consent, and keep the consent: each new part, and what goes with the whole."""
    slug = request.POST.get("purpose", "")[:64]
    _person, states = selectors.states(session.subject_ref, now=timezone.now())
    state = next((each for each in states if each.purpose.slug == slug and each.beyond), None)
    if state is None or state.beyond is None:
        return redirect("privacy")
    version = _version(request.POST.get("notice_version", ""))
    whole = ledger.Choice(
        purpose=slug, choice="keep", notice_version=version, supersedes=_uuid(request.POST.get("supersedes", ""))
    )
    alone: list[dict[str, Any]] = [
        dict(scopes.parts(part))
        for part in state.beyond.parts(state.purpose.max_level)
        if part_words.is_separable(part)
    ]
    parts = [ledger.Choice(purpose=slug, choice="refuse", notice_version=version, **part) for part in alone]
    return _saved(request, session.subject_ref, [*parts, whole], place=f"purpose-{slug}")


@require_POST
@for_session
def set_level(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    """Limit how personal the use of what is allowed may be; nothing that is not allowed comes on by it."""
    level = request.POST.get("level", "")
    _person, states = selectors.states(session.subject_ref, now=timezone.now())
    limit = None if level == HIGHEST else level
    choices = [
        ledger.Choice(
            purpose=state.purpose.slug, choice="adjust", max_level=limit, supersedes=_uuid(state.record or "")
        )
        for state in cards.adjustable(states)
        if state.max_level != limit
    ]
    if level not in LEVELS or not choices:
        return redirect("privacy")
    return _saved(request, session.subject_ref, choices, place="levels")


@require_POST
@for_session
def all_off(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    """Withdraw everything that rests on consent and object to everything that may be objected to, in one step."""
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
    return _back("everything")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    links.end_session(request.COOKIES.get(settings.SUBJECT_COOKIE_NAME, ""))
    return _left()


@require_POST
@for_session
def end_all_sessions(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    """Sign the person out everywhere, and take back links that were not opened yet."""
    links.revoke_access(subject_ref=session.subject_ref, actor="subject")
    return _left()


def _left() -> HttpResponse:
    response = redirect("home")
    # Not delete_cookie(): browsers ignore an unmarked answer to a ``__Host-`` cookie, so it goes as it came.
    set_host_cookie(response, settings.SUBJECT_COOKIE_NAME, "", max_age=0)
    return response


def _back(place: str) -> HttpResponse:
    """Redirect to the place on the page that was used: the browser scrolls there and gives it the keyboard's focus."""
    return redirect(f"{reverse('privacy')}#{quote(place)}")


def _saved(request: HttpRequest, ref: UUID, choices: list[ledger.Choice], *, place: str) -> HttpResponse:
    """Save, and redirect to the page that says whether it worked."""
    try:
        _save(request, ref, choices)
    except Problem as problem:
        messages.error(request, _problem_in_words(problem), extra_tags=place)
    else:
        messages.success(request, _("Saved. It applies from now on."), extra_tags=place)
    return _back(place)


def _save(request: HttpRequest, ref: UUID, choices: list[ledger.Choice]) -> None:
    asked = Asked(
        interface="dashboard@1",
        locale=get_language() or "en",
        falls_back=True,
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


def _version(text: str) -> int | None:
    """Return the version of the notice that the page showed; None where it showed none."""
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) <= 9 else None


def _problem_in_words(problem: Problem) -> str:
    if problem.code in ("superseded", "nothing_to_withdraw"):
        return _("This was changed in another window. Here is how it stands now.")
    if problem.code == "explicit_consent_needed":
        return _("This concerns sensitive data: tick its box first if you agree. Nothing was changed.")
    return _("That could not be saved. Nothing was changed.")
