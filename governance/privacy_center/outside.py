"""Requests of people without an account: a form, and the request's own page where a code proves the address.

Plain forms; nothing needs JavaScript. The answer to the form is the same for people who are known and who are not.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.http.client_network import client_network
from common.http.problems import Problem
from governance.privacy_center.rights import RIGHTS, STATES
from governance.privacy_center.sessions import signed_in, way_in
from governance.web.rate_limits import CODES_TRIED, REQUESTS_FROM_NETWORK
from policies.models import Region
from privacy.rights.answers import packages
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.requesters import asking, codes, pages
from privacy.rights.requesters.asking import Asking
from privacy.rights.requesters.codes import Outcome
from privacy.rights.requesters.proof import Acting
from privacy.rights.requests.states import State

_ACTING = {
    Acting.SELF: _("Me"),
    Acting.GUARDIAN: _("My child, or a person I am the guardian of"),
    Acting.AGENT: _("Another person, who gave me a mandate"),
}
_SAYS = {
    Outcome.WRONG: _("This code is not right. You can try again."),
    Outcome.ENDED: _("This code has ended. Ask for a new one."),
    Outcome.USED_UP: _("No further code can be sent. We will look at your request and find another way."),
}


class AskForm(forms.Form):
    """Request by e-mail address; the region decides which law counts."""

    right = forms.ChoiceField(
        label=_("What would you like?"), choices=[(right.value, RIGHTS[right]) for right in Right]
    )
    acting = forms.ChoiceField(label=_("Who is it about?"), choices=[(each.value, _ACTING[each]) for each in Acting])
    address = forms.EmailField(
        label=_("Your e-mail address; if it is about you, the one that the business knows"), max_length=254
    )
    person = forms.EmailField(
        label=_("If it is about your child or another person: their e-mail address that the business knows, if any"),
        required=False,
        max_length=254,
    )
    region = forms.ChoiceField(label=_("Where do you live?"), required=False)
    words = forms.CharField(
        label=_("In your words, if there is something to say"),
        required=False,
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        regions = [(region.code, region.name) for region in Region.objects.order_by("name")]
        self.fields["region"].choices = [("", _("Elsewhere")), *regions]  # type: ignore[attr-defined]
        self.fields["person"].widget.attrs["autocomplete"] = "off"
        self.fields["address"].widget.attrs["autocomplete"] = "email"

    def clean(self) -> dict[str, Any]:
        """Refuse an address of another person in a request about oneself: one of the two is a mistake."""
        said = super().clean() or {}
        if said.get("person") and said.get("acting") == Acting.SELF:
            self.add_error("person", _("You ask for yourself: leave this empty, or say whom it is about."))
        return said


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Show the form; what is sent opens a request that waits for its address to be proven."""
    form = AskForm(request.POST or None)
    if request.method == "POST" and settings.MAIL_IS_ON and form.is_valid():
        try:
            REQUESTS_FROM_NETWORK.take(client_network(request.META))
            return redirect("outside-request", token=pages.token(asking.ask(_asked(form))))
        except Problem as problem:
            form.add_error(None, problem.detail)
        except ValueError:
            form.add_error("address", _("This address cannot be used."))
    context = {**way_in(), "form": form, "is_open": settings.MAIL_IS_ON}
    return render(request, "privacy/ask.html", context, status=400 if form.errors else 200)


def _asked(form: AskForm) -> Asking:
    said = form.cleaned_data
    return Asking(
        right=Right(said["right"]),
        address=said["address"],
        region=said["region"],
        locale=get_language() or settings.LANGUAGE_CODE,
        acting=Acting(said["acting"]),
        person=said["person"],
        words=said["words"],
    )


@require_safe
def show(request: HttpRequest, token: str) -> HttpResponse:
    """Show where a request stands, and the field for its code. No personal data is on this page."""
    return _page(request, token, _of(token))


def _page(request: HttpRequest, token: str, found: RightsRequest, *, says: Any = "", status: int = 200) -> HttpResponse:
    context = {
        **way_in(),
        "token": token,
        "label": RIGHTS[Right(found.right)],
        "state": STATES[State(found.state)],
        "row": found,
        "waits_for_code": found.state == State.IDENTITY_ASKED and found.requester.proven_at is None,
        "says": says,
    }
    response = render(request, "privacy/outside_request.html", context, status=status)
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


@require_POST
def try_code(request: HttpRequest, token: str) -> HttpResponse:
    """Try a code: a right one opens the person's privacy page, or gives an agent the files that are ready."""
    found = _of(token)
    network = client_network(request.META)
    CODES_TRIED.take(network)
    proven = asking.prove(found, request.POST.get("code", "")[:32])
    if proven.tried.outcome is not Outcome.RIGHT:
        return _page(request, token, found, says=_SAYS[proven.tried.outcome], status=400)
    CODES_TRIED.give_back(network)
    if proven.session is not None:
        return signed_in(request, proven.session)
    package = packages.in_force(found.pk) if proven.gives_files else None
    if package is None:
        return _page(request, token, _of(token), says=_("Your address is proven. We will look at your request."))
    return redirect("rights-download", token=packages.issue_link(package, actor="subject"))


@require_POST
def send_code(request: HttpRequest, token: str) -> HttpResponse:
    """Send a further code; says the same, whether the address that was typed is the right one or not."""
    found = _of(token)
    try:
        REQUESTS_FROM_NETWORK.take(client_network(request.META))
        asking.send_code(found, request.POST.get("address", "")[:254].strip())
    except Problem as problem:
        return _page(request, token, found, says=problem.detail, status=problem.status)
    minutes = int(codes.LASTS.total_seconds() // 60)
    says = _("If this is the address of the request, a new code is on its way. It works for %(minutes)d minutes.")
    return _page(request, token, found, says=says % {"minutes": minutes})


def _of(token: str) -> RightsRequest:
    pk: UUID | None = pages.request_of(token)
    if pk is None:
        raise Http404
    return get_object_or_404(RightsRequest.objects.select_related("requester").filter(requester__isnull=False), pk=pk)
