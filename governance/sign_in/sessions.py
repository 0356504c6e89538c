"""Sessions of officers: one row a sign-in, which every request looks up, so that ending it counts at the next one."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.utils import timezone

from common.http.client_network import client_network
from governance.models import OfficerSession, SecondFactor
from governance.officers import account_events

_KEY = "officer_session"
_KEPT = timedelta(days=1)  # after its end, so that the answer of a provider which began it cannot begin it again
_SEEN_EVERY = timedelta(minutes=1)
_FRESH = timedelta(minutes=15)


def connect() -> None:
    """Listen to sign-ins, sign-outs and new passwords, whichever page makes them."""
    user_logged_in.connect(_begin, dispatch_uid="officer_sessions")
    user_logged_out.connect(_left, dispatch_uid="officer_sessions")
    post_save.connect(_password_set, sender=User, dispatch_uid="officer_sessions")


def _begin(sender: Any, request: HttpRequest, user: User, **_more: Any) -> None:
    now = timezone.now()
    OfficerSession.objects.filter(expires_at__lt=now - _KEPT).delete()
    end(_rows_of(request))  # signed in again over it
    session = OfficerSession.objects.create(
        id=getattr(request, "officer_session_id", None) or uuid4(),
        account=user,
        means=getattr(request, "officer_session_means", OfficerSession.Means.PASSWORD),
        began_at=now,
        seen_at=now,
        expires_at=now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
        network=client_network(request.META),
        browser=request.META.get("HTTP_USER_AGENT", "")[:200],
    )
    request.session[_KEY] = str(session.pk)


def _left(sender: Any, request: HttpRequest, **_more: Any) -> None:
    end(_rows_of(request))


def _password_set(sender: Any, instance: User, created: bool, **_more: Any) -> None:
    if not created and getattr(instance, "password_is_new", False):
        end_others(instance, but=account_events.current_request())


def current(request: HttpRequest) -> OfficerSession | None:
    """Return the session of a request if it is in force, with whether its account has a second factor."""
    has_factor = Exists(SecondFactor.objects.filter(account=OuterRef("account")))
    return _in_force(_rows_of(request)).annotate(has_factor=has_factor).first()


def _rows_of(request: HttpRequest) -> QuerySet[OfficerSession]:
    """Return the one row of a request's session, or no row."""
    given = request.session.get(_KEY)
    return OfficerSession.objects.filter(pk=UUID(given)) if given else OfficerSession.objects.none()


def in_force() -> QuerySet[OfficerSession]:
    return _in_force(OfficerSession.objects.all())


def _in_force(sessions: QuerySet[OfficerSession]) -> QuerySet[OfficerSession]:
    return sessions.filter(expires_at__gt=timezone.now())


def touch(session: OfficerSession) -> None:
    """Note that a session is in use, at most once a minute."""
    if session.seen_at < timezone.now() - _SEEN_EVERY:
        OfficerSession.objects.filter(pk=session.pk).update(seen_at=timezone.now())


def prove(request: HttpRequest, session: OfficerSession, means: str) -> None:
    """Note the second factor; the browser's key of the session is another one from now on."""
    OfficerSession.objects.filter(pk=session.pk).update(means=means)
    request.session.cycle_key()


def is_fresh(session: OfficerSession) -> bool:
    """Return whether the sign-in was just now: long enough ago, somebody else may sit there."""
    return session.began_at > timezone.now() - _FRESH


def end(sessions: QuerySet[OfficerSession]) -> int:
    """End sessions with their next request; return how many were in force."""
    return _in_force(sessions).update(expires_at=timezone.now())


def end_others(user: User, *, but: HttpRequest | None = None) -> int:
    """End the sessions of an account, except that of a request."""
    own = _rows_of(but) if but is not None else OfficerSession.objects.none()
    return end(OfficerSession.objects.filter(account=user).exclude(pk__in=own.values("pk")))
