"""Short session of a person, opened by a link or a sign-in: one cookie, no account."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from consent import links, shown_ids
from consent.models import SubjectLink
from consent.shown_ids import Shown

_P = ParamSpec("_P")


def for_session(
    view: Callable[Concatenate[HttpRequest, SubjectLink, _P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, _P], HttpResponse]:
    """Give a view the session of the person who asks; without one they get the page of the signed-out."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        session = current_session(request)
        return signed_out(request) if session is None else view(request, session, *args, **kwargs)

    return checked


def current_session(request: HttpRequest) -> SubjectLink | None:
    secret = request.COOKIES.get(settings.SUBJECT_COOKIE_NAME, "")
    return links.open_session(secret) if 0 < len(secret) <= 128 else None


def shown_id(request: HttpRequest, session: SubjectLink) -> Shown | None:
    """Return the id that this browser's session was opened with, where other cells may have to be asked by it."""
    return shown_ids.opened(session.shown_id, request.COOKIES.get(settings.SUBJECT_COOKIE_NAME, ""))


def signed_in(request: HttpRequest, secret: str) -> HttpResponse:
    """Redirect to the dashboard under a new session; the one this browser had before ends with it.

    The secret is always a new one of ours: what a browser brings along never becomes a session.
    """
    before = request.COOKIES.get(settings.SUBJECT_COOKIE_NAME, "")
    if 0 < len(before) <= 128:
        links.end_session(before)
    response = redirect("privacy")
    set_host_cookie(response, settings.SUBJECT_COOKIE_NAME, secret, max_age=int(links.SESSION_LASTS.total_seconds()))
    return response


def set_host_cookie(response: HttpResponse, name: str, value: str, *, max_age: int) -> None:
    """Set a cookie as the ``__Host-`` prefix demands: the whole site, this host only, and https where the site is."""
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def signed_out(request: HttpRequest) -> HttpResponse:
    return refused(request, status=403)


def refused(request: HttpRequest, *, status: int) -> HttpResponse:
    """Return the one page for a refused person, the same for every reason."""
    return render(request, "privacy/link_invalid.html", way_in(), status=status)


def way_in() -> dict[str, object]:
    """Return what signed-out pages need: whose privacy it is, and whether people may sign in without a link."""
    return {"business_name": settings.BUSINESS_NAME, "may_sign_in": settings.SUBJECT_OIDC is not None}
