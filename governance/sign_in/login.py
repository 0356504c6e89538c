"""Admin login under a rate limit: passwords are not guessed one after the other."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache

from common.http.client_network import client_network
from governance.sign_in import gate
from governance.web.rate_limits import OFFICER_LOGINS, OFFICER_LOGINS_FROM_NETWORK


@never_cache
def login(request: HttpRequest) -> HttpResponseBase:
    """Answer as the admin does; a failed attempt uses up one try of the account and of the network.

    The try is taken before the password is looked at, so that many requests at once get no more tries than one. Whoever
    waits for the second step of a sign-in is led to it.
    """
    if request.method != "POST":
        if gate.awaiting(request) is not None:
            wanted = urlencode({"next": request.GET.get("next", "")})
            return HttpResponseRedirect(f"{reverse('officer-step')}?{wanted}")
        return _admin_login(request)
    network = client_network(request.META)
    account = request.POST.get("username", "").strip().casefold()[:150]
    OFFICER_LOGINS_FROM_NETWORK.take(network)
    OFFICER_LOGINS.take(account, network)
    response = _admin_login(request)
    if response.status_code == 302:
        OFFICER_LOGINS.give_back(account, network)
        OFFICER_LOGINS_FROM_NETWORK.give_back(network)
    return response


def _admin_login(request: HttpRequest) -> HttpResponseBase:
    return admin.site.login(request, extra_context={"has_provider": settings.OFFICER_OIDC is not None})
