"""Officers' pages of requests: the inbox by deadline, and one page with everything to decide about one request."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from audit import looks, trail
from common import actors
from common.admin_pages.display import who
from common.admin_pages.permissions import require
from common.http.problems import Problem
from consent.models import DataSubject
from privacy.rights import statistics
from privacy.rights.clocks.laws import Right, laws
from privacy.rights.evidence import building
from privacy.rights.letters import letters
from privacy.rights.letters.wording import Kind
from privacy.rights.models import Blocker, RightsRequest
from privacy.rights.problems import ReasonNeeded
from privacy.rights.requesters import asking, requester
from privacy.rights.requesters.proof import Acting
from privacy.rights.requests import fulfilling, other_cells, recipients, requests, statements
from privacy.rights.requests.states import BY_VERIFICATION, NEEDS_REASON, OPEN, TRANSITIONS, Move, State

_MAY_SEE, _MAY_DECIDE = "rights.view_rightsrequest", "rights.change_rightsrequest"
_MOST_SHOWN = 200
_LABELS = {
    Move.ASK_IDENTITY: "Ask for proof of identity",
    Move.ACCEPT: "Identity is proven",
    Move.ASK_CLARIFICATION: "Ask what is meant",
    Move.CLARIFY: "The person has answered",
    Move.START: "Begin",
    Move.BLOCK: "Block",
    Move.UNBLOCK: "Lift the block",
    Move.VERIFY: "Verify the result",
    Move.REFUSE: "Refuse",
    Move.CANCEL: "Cancel for the person",
}


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Open requests, the one that is due first on top, and the figures of those that were answered."""
    require(request, _MAY_SEE)
    waiting = RightsRequest.objects.filter(~requester.UNPROVEN, state__in=OPEN)
    waiting = waiting.order_by(F("due_on").asc(nulls_last=True), "id")
    today = timezone.now().date()
    context = {
        "title": "Requests of people",
        "today": today,
        "waiting": [(each, _days_left(each, today)) for each in waiting[:_MOST_SHOWN]],
        "unproven": RightsRequest.objects.filter(requester.UNPROVEN).count(),
        "closed": RightsRequest.objects.exclude(state__in=OPEN).order_by("-closed_at")[:20],
        "figures": statistics.by_right(),
    }
    return render(request, "admin/rights/inbox.html", {**admin.site.each_context(request), **context})


@require_safe
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One request with everything to decide: dates, what was said, steps, blockers, and what can be done now."""
    require(request, _MAY_SEE)
    found = get_object_or_404(RightsRequest.objects.prefetch_related("steps", "blockers"), pk=pk)
    trail.record("request.looked_at", str(pk), actor=actors.officer(request))
    return _page(request, found)


@require_POST
def address(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the addresses of a request that is being matched to a person, once, as an event of the audit trail."""
    require(request, _MAY_DECIDE)
    found = get_object_or_404(RightsRequest.objects.prefetch_related("steps", "blockers"), pk=pk)
    addresses = asking.addresses(found)
    if addresses is None:
        messages.error(request, "An address is shown only while its request is matched to a person.")
        return redirect("rights-request", pk=pk)
    with transaction.atomic():
        known = DataSubject.objects.filter(pk=found.subject_ref).exists()
        looks.record(request, found.subject_ref, page="address of a request", known=known)
        trail.record("request.address_looked_at", str(pk), actor=actors.officer(request))
    response = _page(request, found, addresses=addresses)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, found: RightsRequest, **more: Any) -> HttpResponse:
    law = next((each for each in laws() if each.slug == found.law), None)
    context: dict[str, Any] = {
        "title": str(found),
        "request_row": found,
        "clock": law.clocks[Right(found.right)] if law else None,
        "law": law,
        "steps": [(step, who(step.actor)) for step in found.steps.all()],
        "erasure_steps": [step for step in found.erasure_steps.order_by("id") if step.rows],
        "days_left": _days_left(found, timezone.now().date()),
        "said": statements.unseal(found.statement, found.statement_salt),
        "choices": _choices(found) if request.user.has_perm(_MAY_DECIDE) else [],
        "may_extend": request.user.has_perm(_MAY_DECIDE) and _may_extend(found),
        "grounds": Blocker.Ground.choices,
        "can_run": found.state == State.IN_PROGRESS and fulfilling.may_act(found, actors.officer(request)),
        "answer": next((step.details for step in found.steps.all() if step.move == Move.COMPLETE), {}),
        **_requester(found),
        "recipients": recipients.named(_recipients(found)),
        "letters": [(each, letters.text_of(each)) for each in found.letters.all()],
        **more,
    }
    return render(request, "admin/rights/request.html", {**admin.site.each_context(request), **context})


@require_POST
def evidence(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Give the evidence of a request as a signed zip; ``building.build`` writes it to the audit trail."""
    require(request, _MAY_SEE)
    get_object_or_404(RightsRequest, pk=pk)
    response = HttpResponse(building.build(pk, actor=actors.officer(request)), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="request-evidence-{pk}.zip"'
    return response


@require_POST
def step(request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
    """Make a move on a request. A refusal is shown, and changes nothing."""
    require(request, _MAY_DECIDE)
    act = _ACTS.get(name) or (_move if name in set(Move) - BY_VERIFICATION else None)
    if act is None:
        raise Http404
    try:
        act(request, pk, name)
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, "Done.")
    return redirect("rights-request", pk=pk)


def _recipients(found: RightsRequest) -> list[str]:
    """Return whom the step that began the work names."""
    return next((step.details["recipients"] for step in found.steps.all() if "recipients" in step.details), [])


def _requester(found: RightsRequest) -> dict[str, Any]:
    asks = requester.of(found)
    acting = requester.acting_of(asks)
    return {
        "requester": asks,
        "may_match": asking.is_matched_now(found),
        "has_address": asks is not None and asks.address is not None,
        "lacks_id": other_cells.lacks_id(found),
        "may_end_mandate": acting is not Acting.SELF and asks is not None and asks.mandate_withdrawn_at is None,
    }


def _move(request: HttpRequest, pk: UUID, name: str) -> None:
    requests.move(pk, Move(name), actor=actors.officer(request), reason=request.POST.get("reason", ""))
    if name == Move.CLARIFY:
        fulfilling.run_or_leave(pk)


def _accept(request: HttpRequest, pk: UUID, _name: str) -> None:
    with transaction.atomic():
        accepted = asking.accept(requests.locked(pk), actor=actors.officer(request), now=timezone.now())
    # Who asks is proven, and no more is decided by it: what needs an officer's decision waits for that.
    fulfilling.run_or_leave(accepted.pk)


def _match(request: HttpRequest, pk: UUID, _name: str) -> None:
    _with_id(asking.match, request, pk)


def _name_person(request: HttpRequest, pk: UUID, _name: str) -> None:
    _with_id(asking.name_person, request, pk)
    fulfilling.run_or_leave(pk)


def _with_id(act: Callable[..., RightsRequest], request: HttpRequest, pk: UUID) -> None:
    try:
        act(pk, request.POST.get("person", "")[:256], actor=actors.officer(request))
    except ValueError as exc:
        raise ReasonNeeded(f"The id {exc}.") from None


@transaction.atomic
def _letter(request: HttpRequest, pk: UUID, _name: str) -> None:
    words = request.POST.get("words", "").strip()
    if not words:
        raise ReasonNeeded("Write what the person is to be told.")
    found = requests.locked(pk)
    address = requester.address_of(requester.of(found))
    letters.write(
        found, Kind.MESSAGE, words=words, actor=actors.officer(request), moment=timezone.now(), address=address
    )


def _end_mandate(request: HttpRequest, pk: UUID, _name: str) -> None:
    asking.withdraw_mandate(pk, actor=actors.officer(request))


def _verify(request: HttpRequest, pk: UUID, _name: str) -> None:
    fulfilling.verify_by_officer(pk, actor=actors.officer(request), decision=request.POST.get("reason", ""))


def _run(request: HttpRequest, pk: UUID, _name: str) -> None:
    fulfilling.run(pk, actor=actors.officer(request))


def _block(request: HttpRequest, pk: UUID, _name: str) -> None:
    requests.block(
        pk,
        ground=_one_of(request.POST.get("ground", ""), Blocker.Ground.values),
        what=request.POST.get("what", ""),
        reason=request.POST.get("reason", ""),
        expires_on=_day(request.POST.get("expires_on", "")),
        actor=actors.officer(request),
    )


def _unblock(request: HttpRequest, pk: UUID, _name: str) -> None:
    requests.unblock(pk, actor=actors.officer(request), reason=request.POST.get("reason", ""))


def _extend(request: HttpRequest, pk: UUID, _name: str) -> None:
    until = request.POST.get("until", "")
    requests.extend(
        pk,
        actor=actors.officer(request),
        reason=request.POST.get("reason", ""),
        until=_day(until) if until else None,
    )


_ACTS: dict[str, Callable[[HttpRequest, UUID, str], None]] = {
    Move.VERIFY: _verify,
    Move.BLOCK: _block,
    Move.UNBLOCK: _unblock,
    Move.ACCEPT: _accept,
    "extend": _extend,
    "match": _match,
    "name": _name_person,
    "letter": _letter,
    "end_mandate": _end_mandate,
    "run": _run,
}


def _choices(found: RightsRequest) -> list[dict[str, Any]]:
    allowed = [move for move in TRANSITIONS[State(found.state)] if move not in BY_VERIFICATION]
    return [
        {
            "name": move.value,
            "label": _LABELS[move],
            "needs_reason": move in NEEDS_REASON or move is Move.VERIFY,
            "blocks": move is Move.BLOCK,
        }
        for move in allowed
    ]


def _may_extend(found: RightsRequest) -> bool:
    law = next((each for each in laws() if each.slug == found.law), None)
    clock = law.clocks[Right(found.right)] if law else None
    return found.is_open and found.extended_on is None and clock is not None and clock.can_be_extended


def _days_left(found: RightsRequest, today: date) -> int | None:
    return (found.due_on - today).days if found.due_on else None


def _one_of(text: str, known: list[str]) -> str:
    if text not in known:
        raise ReasonNeeded("Name the ground of the block.")
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ReasonNeeded("Name the day, such as 2026-12-31.") from None
