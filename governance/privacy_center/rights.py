"""Requests on the privacy dashboard: ask, cancel, download. Plain forms; nothing needs JavaScript."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from common.http.client_network import client_network
from common.http.problems import Problem
from consent.models import DataSubject, SubjectLink
from consent.shown_ids import Shown
from governance.privacy_center.sessions import for_session, refused, way_in
from governance.web.rate_limits import FILES_OPENED
from policies.models import Region
from privacy.rights.answers import packages
from privacy.rights.clocks.laws import Right
from privacy.rights.erasure.answering import kept
from privacy.rights.letters import letters
from privacy.rights.models import Letter, RightsRequest
from privacy.rights.requests import fulfilling, requests
from privacy.rights.requests.statements import NOTHING, Said
from privacy.rights.requests.states import TRANSITIONS, Move, State

PLACE = "rights"
_MOST_SHOWN = 10
# Rights that a person's session may ask for by name; correction and erasure have forms of their own.
ASKED_HERE = {
    Right.ACCESS: _("Download my data"),
    Right.PORTABILITY: _("Take my data elsewhere"),
    Right.RESTRICTION: _("Stop the use, but keep it"),
    Right.HUMAN_REVIEW: _("Let a person look at a decision"),
    Right.COMPLAINT: _("Complain"),
}
RIGHTS = {
    **ASKED_HERE,
    Right.RECTIFICATION: _("Correct something"),
    Right.ERASURE: _("Erase my data"),
    Right.OBJECTION: _("Object"),
    Right.OPT_OUT: _("No sale, no sharing"),
    Right.MAJORITY: _("Take back a guardian's permission"),
    Right.APPEAL: _("Appeal"),
}
STATES = {
    State.RECEIVED: _("Received"),
    State.IDENTITY_ASKED: _("We asked who you are"),
    State.ACCEPTED: _("Accepted"),
    State.CLARIFICATION_ASKED: _("We asked what you mean"),
    State.IN_PROGRESS: _("In progress"),
    State.BLOCKED: _("On hold"),
    State.VERIFYING: _("Being checked"),
    State.DONE: _("Answered"),
    State.REFUSED: _("Refused"),
    State.CANCELLED: _("Cancelled"),
}


_AGES = {"adult": _("Of age"), "minor": _("Under age, a teenager"), "child": _("A child")}


def card(ref: UUID, person: DataSubject | None) -> dict[str, Any]:
    """Return the context of ``partials/rights.html``: what can be asked, and where each request stands."""
    now = timezone.now()
    found = RightsRequest.objects.filter(subject_ref=ref).select_related("package").prefetch_related("steps", "letters")
    return {
        "regions": list(Region.objects.order_by("name").values_list("code", "name")),
        "region": person.region if person else "",
        "ages": list(_AGES.items()),
        "age": _AGES.get(person.age_band if person else "", _("not known")),
        "asked_here": [(right.value, label) for right, label in ASKED_HERE.items()],
        "requests": [_shown(each, now) for each in found.order_by("-id")[:_MOST_SHOWN]],
    }


def _in_language(reason: str) -> str:
    """Return a reason in the reader's language where it is one of ours; an officer's own words stay as they are."""
    return gettext(reason) if reason else ""


def _shown(each: RightsRequest, now: Any) -> dict[str, Any]:
    package = getattr(each, "package", None)
    return {
        "pk": each.pk,
        "label": RIGHTS[Right(each.right)],
        "state": STATES[State(each.state)],
        "received_at": each.received_at,
        "due_on": each.due_on if each.is_open else None,
        "reason": _in_language(next((step.reason for step in reversed(list(each.steps.all())) if step.reason), "")),
        "kept": kept(each),
        "files_until": package.expires_at if package and package.expires_at > now else None,
        "letters": list(filter(None, map(letters.text_of, _unsent(each)))),
        "can_cancel": Move.CANCEL in TRANSITIONS[State(each.state)],
    }


def _unsent(each: RightsRequest) -> list[Letter]:
    """Return the letters that no e-mail brings: this page does."""
    return [letter for letter in each.letters.all() if letter.address is None and letter.sending_at is None]


@require_POST
@for_session
def ask(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    """Open a request; what answers itself is answered before the page is shown again."""
    wanted = request.POST.get("right", "")
    if wanted not in ASKED_HERE:
        return _back()
    said = Said(request.POST.get("statement", "")[:4_000])
    done = fulfilling.run_or_leave(open_here(session.subject_ref, Right(wanted), said).pk)
    text = _("Your files are ready.") if done.state == State.DONE else _("We have received your request.")
    messages.success(request, text, extra_tags=PLACE)
    return _back()


@require_POST
@for_session
def correct(request: HttpRequest, session: SubjectLink) -> HttpResponse:
    """Open a rectification of what the form names; what protects the person more is corrected at once."""
    asked = {"region": request.POST.get("region", ""), "age_band": request.POST.get("age_band", "")}
    known = {"region": Region.objects.filter(code=asked["region"]).exists(), "age_band": asked["age_band"] in _AGES}
    said = Said(
        request.POST.get("statement", "")[:4_000], {item: value for item, value in asked.items() if known[item]}
    )
    if not said:
        messages.error(request, _("Say what is to be corrected."), extra_tags=PLACE)
        return _back()
    done = fulfilling.run_or_leave(open_here(session.subject_ref, Right.RECTIFICATION, said).pk)
    text = _("It is corrected.") if done.state == State.DONE else _("We have received your request.")
    messages.success(request, text, extra_tags=PLACE)
    return _back()


def open_here(ref: UUID, right: Right, said: Said = NOTHING, *, shown: Shown | None = None) -> RightsRequest:
    """Open a request of the person whose session it is, or return the one that is open."""
    opening = requests.Opening(
        right=right,
        subject_ref=ref,
        region=DataSubject.objects.filter(pk=ref).values_list("region", flat=True).first() or "",
        door="dashboard",
        actor="subject",
        is_identified=True,
        said=said,
        shown=shown,
    )
    return requests.open_request(opening).request


@require_POST
@for_session
def cancel(request: HttpRequest, session: SubjectLink, pk: UUID) -> HttpResponse:
    """Cancel a request of this person whose work has not begun."""
    if RightsRequest.objects.filter(pk=pk, subject_ref=session.subject_ref).exists():
        try:
            requests.move(pk, Move.CANCEL, actor="subject")
        except Problem:
            messages.error(request, _("It is too late to cancel this request."), extra_tags=PLACE)
    return _back()


@require_POST
@for_session
def download(request: HttpRequest, session: SubjectLink, pk: UUID) -> HttpResponse:
    """Give this person the files of their answered request."""
    found = RightsRequest.objects.filter(pk=pk, subject_ref=session.subject_ref).select_related("package").first()
    package = getattr(found, "package", None)
    if package is None or package.expires_at <= timezone.now():
        messages.error(request, _("These files have expired. Ask again for new ones."), extra_tags=PLACE)
        return _back()
    token = packages.issue_link(package, actor="subject")
    return _files(packages.open_link(token, subject_ref=session.subject_ref) or b"")


@require_http_methods(["GET", "POST"])
def open_files(request: HttpRequest, token: str) -> HttpResponse:
    """Ask before a link is used up, as scanners of mail follow links; then give the files, once."""
    if request.method == "GET":
        response = render(request, "privacy/open_files.html", {**way_in(), "token": token})
        response.headers["Referrer-Policy"] = "no-referrer"
        return response
    network = client_network(request.META)
    FILES_OPENED.take(network)
    content = packages.open_link(token) if len(token) <= 128 else None
    if content is None:
        return refused(request, status=410)
    FILES_OPENED.give_back(network)
    return _files(content)


def _files(content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="your-data.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _back() -> HttpResponse:
    return redirect(f"{reverse('privacy')}#{PLACE}")
