"""Sign-in of people through the business's OpenID Connect provider, as an option (docs/decisions/0012).

One claim of the ID token is the business's id of the person; it becomes a pseudonym at once. No account is made here:
no name, address or claim is kept in the clear. Every failure shows the same calm page.
"""

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from common.http.client_network import client_network
from common.http.problems import Problem
from consent import links, residence
from consent.pseudonyms import subject_ref
from consent.shown_ids import Shown
from governance.oidc import answers, provider, tokens
from governance.oidc.attempts import ATTEMPT_LASTS, attempt_of, begin
from governance.oidc.client import Client, ProviderUnavailable, SignInRefused
from governance.privacy_center.sessions import set_host_cookie, signed_in, way_in
from governance.web.rate_limits import SIGN_INS

logger = logging.getLogger(__name__)


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Redirect the browser to the provider. A link rather than a form: a form may not leave this site (form-action)."""
    client = _client()
    SIGN_INS.take(client_network(request.META))
    attempt, cookie = begin("subject")
    try:
        response: HttpResponse = HttpResponseRedirect(provider.authorization_url(client, attempt))
    except ProviderUnavailable as exc:
        return _unavailable(request, exc)
    set_host_cookie(response, settings.SIGN_IN_COOKIE_NAME, cookie, max_age=int(ATTEMPT_LASTS.total_seconds()))
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Start a session for the person the provider vouches for, in the browser that asked (the callback)."""
    client = _client()
    network = client_network(request.META)
    SIGN_INS.take(network)
    try:
        response = signed_in(request, _session(request, client))
        SIGN_INS.give_back(network)
    except SignInRefused as exc:
        logger.warning("A person's sign-in was refused: %s", exc)
        response = render(request, "privacy/sign_in_failed.html", way_in(), status=403)
    except ProviderUnavailable as exc:
        response = _unavailable(request, exc)
    # One attempt, one answer: what is tried again starts anew.
    set_host_cookie(response, settings.SIGN_IN_COOKIE_NAME, "", max_age=0)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _session(request: HttpRequest, client: Client) -> str:
    attempt = attempt_of(request.COOKIES.get(settings.SIGN_IN_COOKIE_NAME, ""), "subject")
    attempt, token = answers.id_token(request, client, attempt)
    person = tokens.person_of(token, client, nonce=attempt.nonce, now=timezone.now())
    ref = subject_ref(person)
    try:
        residence.check_person(ref)
    except Problem:
        # Where there are several cells: no row is made for a person another one may hold.
        raise SignInRefused("nobody is known in this cell by this name") from None
    secret = links.start_session(subject_ref=ref, proof=attempt.proof, issued_by="sign-in", shown=Shown(person))
    if secret is None:
        raise SignInRefused("this attempt has had its session")
    return secret


def _client() -> Client:
    client: Client | None = settings.SUBJECT_OIDC
    if client is None:
        raise Http404
    return client


def _unavailable(request: HttpRequest, exc: ProviderUnavailable) -> HttpResponse:
    logger.warning("Nobody can sign in: the provider cannot be used: %s", exc)
    return render(request, "privacy/sign_in_failed.html", way_in(), status=503)
