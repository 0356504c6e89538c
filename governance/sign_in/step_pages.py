"""Second step of a sign-in: a code of the app, a recovery code, or a passkey. The first needs no JavaScript."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from governance.models import OfficerSession, SecondFactor
from governance.sign_in import factors, gate, passkeys, sessions
from governance.web.rate_limits import OFFICER_CODES

_WRONG = "This code is not right, or was used before. Wait for the next one, or use a recovery code."


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor; without one of the account's own, where every officer needs one, lead to adding it."""
    session = gate.awaiting(request)
    if session is None:
        return redirect("admin:index")
    if not factors.has_any(session.account):
        return redirect("officer-account")
    if request.method == "POST":
        return _code_typed(request, session)
    return _form(request, session)


@sensitive_variables("code")
def _code_typed(request: HttpRequest, session: OfficerSession) -> HttpResponse:
    code = request.POST.get("code", "")[:64]
    OFFICER_CODES.take(str(session.account_id))
    means = factors.use_code(session.account, code)
    if means is None:
        return _form(request, session, problem=_WRONG)
    OFFICER_CODES.give_back(str(session.account_id))
    sessions.prove(request, session, means)
    return HttpResponseRedirect(destination(request, request.POST.get("next", "")))


def _form(request: HttpRequest, session: OfficerSession, problem: str = "") -> HttpResponse:
    kinds = set(SecondFactor.objects.filter(account=session.account).values_list("kind", flat=True))
    context = {
        **admin.site.each_context(request),
        "title": "Second step",
        "problem": problem,
        "has_app": SecondFactor.Kind.APP in kinds,
        "has_passkey": SecondFactor.Kind.PASSKEY in kinds and passkeys.is_possible(),
        "next": request.POST.get("next", request.GET.get("next", "")),
    }
    return render(request, "admin/sign_in/step.html", context, status=400 if problem else 200)


@never_cache
@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Return a challenge for the account's passkeys."""
    session = gate.awaiting(request)
    if session is None or not passkeys.is_possible():
        return _refused("Sign in with your password first.")
    return JsonResponse(passkeys.begin_using(session.account, request.session))


@never_cache
@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    """Take the signed challenge; the answer says where to go on."""
    session = gate.awaiting(request)
    if session is None:
        return _refused("Sign in with your password first.")
    OFFICER_CODES.take(str(session.account_id))
    response = passkeys.answer_in(request)
    if response is None or not passkeys.use(session.account, request.session, response):
        return _refused("This passkey was not accepted. Try again, or use a code.")
    OFFICER_CODES.give_back(str(session.account_id))
    sessions.prove(request, session, OfficerSession.Means.PASSKEY)
    return JsonResponse({"next": destination(request, request.GET.get("next", ""))})


def _refused(problem: str) -> HttpResponse:
    return JsonResponse({"problem": problem}, status=403)


def destination(request: HttpRequest, wanted: str) -> str:
    """Return a page of this site: the one that was asked for, or the start page."""
    host = {request.get_host()}
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=host, require_https=request.is_secure()):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)
