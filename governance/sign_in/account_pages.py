"""An officer's own page: second factors, recovery codes and sessions. Each change needs a sign-in of just now."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from governance.models import OfficerSession, SecondFactor
from governance.sign_in import factors, gate, passkeys, sealing, sessions
from governance.web.rate_limits import OFFICER_CODES

_P = ParamSpec("_P")
_View = Callable[Concatenate[HttpRequest, OfficerSession, _P], HttpResponse]
_NEW_SECRET = "new_app_secret"  # noqa: S105 (the name of a place in the session)
_SIGN_IN_AGAIN = "Sign out and in again to change this: your sign-in is older than 15 minutes."


def _for_account(view: _View[_P]) -> Callable[Concatenate[HttpRequest, _P], HttpResponse]:
    """Give a view the session of an officer: signed in, or about to add the first factor that all officers need."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        session = gate.session_of(request) or _adding_the_first(request)
        if session is None or not session.account.is_staff:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return view(request, session, *args, **kwargs)

    return never_cache(checked)


def _adding_the_first(request: HttpRequest) -> OfficerSession | None:
    session = gate.awaiting(request)
    return None if session is None or factors.has_any(session.account) else session


def _fresh(view: _View[_P]) -> _View[_P]:
    @wraps(view)
    def checked(request: HttpRequest, session: OfficerSession, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        if sessions.is_fresh(session):
            return view(request, session, *args, **kwargs)
        messages.error(request, _SIGN_IN_AGAIN)
        return redirect("officer-account")

    return checked


@_for_account
@require_http_methods(["GET", "HEAD"])
def page(request: HttpRequest, session: OfficerSession) -> HttpResponse:
    return _page(request, session)


def _page(request: HttpRequest, session: OfficerSession, **more: Any) -> HttpResponse:
    user, inside = session.account, gate.session_of(request) is not None
    context = {
        **admin.site.each_context(request),
        "title": "Sign-in and sessions" if inside else "Add a second factor",
        "layout": "admin/base_site.html" if inside else "unfold/layouts/unauthenticated.html",
        "inside": inside,
        "is_required": settings.OFFICER_MFA == "required",
        "factors": SecondFactor.objects.filter(account=user),
        "has_app": SecondFactor.objects.filter(account=user, kind=SecondFactor.Kind.APP).exists(),
        "codes_left": factors.recovery_codes_left(user),
        "has_passkeys": passkeys.is_possible(),
        "is_fresh": sessions.is_fresh(session),
        "sessions": sessions.in_force().filter(account=user) if inside else (),
        "current": session.pk,
        **more,
    }
    return render(request, "admin/sign_in/account.html", context, status=400 if "problem" in more else 200)


@_for_account
@_fresh
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def add_app(request: HttpRequest, session: OfficerSession) -> HttpResponse:
    """Show a new secret, and take it once the app has made a code of it."""
    secret = _secret_in(request)
    if request.method != "POST" or secret is None:
        secret = factors.new_secret()
        request.session[_NEW_SECRET] = b64encode(sealing.seal(secret)).decode()
        return _page(request, session, enrolment=factors.enrolment(session.account, secret))
    OFFICER_CODES.take(str(session.account_id))
    if not factors.add_app(session.account, secret, request.POST.get("code", "")[:16]):
        problem = "This code does not fit. Is the clock of your phone right?"
        return _page(request, session, enrolment=factors.enrolment(session.account, secret), problem=problem)
    OFFICER_CODES.give_back(str(session.account_id))
    del request.session[_NEW_SECRET]
    return _added(request, session, OfficerSession.Means.APP)


def _secret_in(request: HttpRequest) -> bytes | None:
    kept = request.session.get(_NEW_SECRET)
    return sealing.unseal(b64decode(kept)) if kept else None


def _added(request: HttpRequest, session: OfficerSession, means: str) -> HttpResponse:
    """Answer for a new factor: with the first come recovery codes, and a sign-in that waited for it goes on."""
    if gate.session_of(request) is None or session.means == OfficerSession.Means.PASSWORD:
        sessions.prove(request, session, means)
    if factors.recovery_codes_left(session.account):
        messages.success(request, "The second factor is added.")
        return redirect("officer-account")
    return _show_codes(request, session)


def _show_codes(request: HttpRequest, session: OfficerSession) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": "Recovery codes",
        "layout": "admin/base_site.html" if gate.session_of(request) else "unfold/layouts/unauthenticated.html",
        "codes": factors.new_recovery_codes(session.account),
    }
    return render(request, "admin/sign_in/recovery_codes.html", context)


@_for_account
@_fresh
@require_POST
def recovery_codes(request: HttpRequest, session: OfficerSession) -> HttpResponse:
    """Make new recovery codes, shown in this answer only."""
    if not factors.has_any(session.account):
        messages.error(request, "Add an authenticator app or a passkey first.")
        return redirect("officer-account")
    return _show_codes(request, session)


@_for_account
@require_POST
def passkey_options(request: HttpRequest, session: OfficerSession) -> HttpResponse:
    if not sessions.is_fresh(session) or not passkeys.is_possible() or _is_full(session):
        return JsonResponse({"problem": _SIGN_IN_AGAIN}, status=403)
    return JsonResponse(passkeys.begin_adding(session.account, request.session))


def _is_full(session: OfficerSession) -> bool:
    return SecondFactor.objects.filter(account=session.account).count() >= factors.MAX_FACTORS


@_for_account
@require_POST
def add_passkey(request: HttpRequest, session: OfficerSession) -> HttpResponse:
    """Take the passkey that the browser made for the challenge; the answer says where to go on."""
    response, name = passkeys.answer_in(request), request.GET.get("name", "")
    is_read = response is not None and sessions.is_fresh(session)
    if not is_read or not passkeys.add(session.account, request.session, response or {}, name):
        return JsonResponse({"problem": "This passkey was not accepted. Try again."}, status=403)
    if session.means == OfficerSession.Means.PASSWORD:
        sessions.prove(request, session, OfficerSession.Means.PASSKEY)
    return JsonResponse({"next": reverse("officer-after-passkey")})


@_for_account
@_fresh
@require_http_methods(["GET", "HEAD"])
def after_passkey(request: HttpRequest, session: OfficerSession) -> HttpResponse:
    """Go on after a new passkey: with the first factor come recovery codes."""
    needs_codes = factors.has_any(session.account) and not factors.recovery_codes_left(session.account)
    return _show_codes(request, session) if needs_codes else redirect("officer-account")


@_for_account
@_fresh
@require_POST
def remove(request: HttpRequest, session: OfficerSession, number: int) -> HttpResponse:
    try:
        if factors.remove(session.account, number):
            messages.success(request, "The second factor is removed.")
    except factors.LastFactor:
        messages.error(request, "Every officer needs a second factor here. Add another one first.")
    return redirect("officer-account")


@_for_account
@require_POST
def end_session(request: HttpRequest, session: OfficerSession, number: UUID) -> HttpResponse:
    """End one of the officer's own sessions."""
    if sessions.end(OfficerSession.objects.filter(account=session.account, pk=number)):
        messages.success(request, "The session is ended.")
    return redirect("officer-account")


@_for_account
@require_POST
def end_others(request: HttpRequest, session: OfficerSession) -> HttpResponse:
    ended = sessions.end_others(session.account, but=request)
    messages.success(request, f"{ended} other {'session is' if ended == 1 else 'sessions are'} ended.")
    return redirect("officer-account")
