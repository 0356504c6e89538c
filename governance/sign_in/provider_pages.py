"""Sign-in of officers through an OpenID Connect provider: there and back, with the machinery of ``governance.oidc``."""

import hashlib
import logging
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from common.http.client_network import client_network
from governance.models import OfficerSession
from governance.oidc import answers, provider, tokens
from governance.oidc.attempts import ATTEMPT_LASTS, attempt_of, begin
from governance.oidc.client import Client, ProviderUnavailable, SignInRefused
from governance.privacy_center.sessions import set_host_cookie
from governance.sign_in import provider_accounts
from governance.web.rate_limits import OFFICER_PROVIDER_SIGN_INS

logger = logging.getLogger(__name__)
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Redirect the officer's browser to the provider."""
    client = _client()
    OFFICER_PROVIDER_SIGN_INS.take(client_network(request.META))
    attempt, cookie = begin("officer")
    try:
        response: HttpResponse = HttpResponseRedirect(provider.authorization_url(client, attempt))
    except ProviderUnavailable as exc:
        return _failed(request, exc, status=503)
    lasts = int(ATTEMPT_LASTS.total_seconds())
    set_host_cookie(response, settings.OFFICER_SIGN_IN_COOKIE_NAME, cookie, max_age=lasts)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Sign in the officer the provider vouches for, with the roles of their groups there."""
    client = _client()
    network = client_network(request.META)
    OFFICER_PROVIDER_SIGN_INS.take(network)
    try:
        _sign_in(request, client)
        OFFICER_PROVIDER_SIGN_INS.give_back(network)
        response: HttpResponse = redirect("admin:index")
    except SignInRefused as exc:
        response = _failed(request, exc, status=403)
    except ProviderUnavailable as exc:
        response = _failed(request, exc, status=503)
    set_host_cookie(response, settings.OFFICER_SIGN_IN_COOKIE_NAME, "", max_age=0)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _sign_in(request: HttpRequest, client: Client) -> None:
    cookie = request.COOKIES.get(settings.OFFICER_SIGN_IN_COOKIE_NAME, "")
    attempt, token = answers.id_token(request, client, attempt_of(cookie, "officer"))
    claims = tokens.claims_of(token, client, nonce=attempt.nonce, now=timezone.now())
    user = provider_accounts.account_of(claims, client)
    # The session's number comes of the attempt, so an attempt begins one session only.
    request.officer_session_id = UUID(bytes=hashlib.sha256(attempt.proof).digest()[:16])  # type: ignore[attr-defined]
    request.officer_session_means = OfficerSession.Means.PROVIDER  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            login(request, user, backend=_BACKEND)
    except IntegrityError:
        request.session.flush()  # what was rolled back must not be saved again
        request.user = AnonymousUser()
        raise SignInRefused("this attempt has had its session") from None


def _client() -> Client:
    client: Client | None = settings.OFFICER_OIDC
    if client is None:
        raise Http404
    return client


def _failed(request: HttpRequest, exc: Exception, *, status: int) -> HttpResponse:
    logger.warning("An officer's sign-in through the provider failed: %s", exc)
    return render(request, "admin/sign_in/provider_failed.html", {"is_refused": status == 403}, status=status)
