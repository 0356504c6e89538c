"""Middleware: a session that was ended, or lacks its second factor, is nobody's, on whatever page.

The officer is taken off the request, so no view can forget to ask. The pages of the sign-in itself find them in
``request.awaiting``.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from governance.models import OfficerSession
from governance.sign_in import sessions


class SecondFactorGate:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = request.user
        request.user = SimpleLazyObject(lambda: _let_through(request, before))  # type: ignore[assignment]
        return self.get_response(request)


def _let_through(request: HttpRequest, user: Any) -> Any:
    if not user.is_authenticated:
        return user
    session = sessions.current(request)
    if session is None or session.account_id != user.pk:
        request.session.flush()
        return AnonymousUser()
    session.account = user
    if lacks_factor(session):
        request.awaiting = session  # type: ignore[attr-defined]
        return AnonymousUser()
    request.officer_session = session  # type: ignore[attr-defined]
    sessions.touch(session)
    return user


def lacks_factor(session: OfficerSession) -> bool:
    """Return whether a sign-in by password needs its second step."""
    if session.means != OfficerSession.Means.PASSWORD:
        return False
    return settings.OFFICER_MFA == "required" or bool(getattr(session, "has_factor", True))


def awaiting(request: HttpRequest) -> OfficerSession | None:
    """Return the session that waits for its second step, or None."""
    _asked = request.user.is_authenticated  # the user is looked up when first asked for
    return getattr(request, "awaiting", None)


def session_of(request: HttpRequest) -> OfficerSession | None:
    """Return the session of an officer who has signed in."""
    return getattr(request, "officer_session", None) if request.user.is_authenticated else None
