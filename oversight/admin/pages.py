"""Pages of change sets: the list, one set with its effect, and the steps an officer may take. No scripts needed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common import actors
from common.admin_pages.permissions import require
from common.http.problems import Problem
from oversight import relaxing
from oversight.admin import panels, presenting, remedies, timeline
from oversight.approvals import verdicts
from oversight.approvals.verdicts import EMERGENCY
from oversight.changes import applying, approval, drafting, preview, undoing
from oversight.changes.states import Step, allows
from oversight.changes.subject import CHANGES, subject_of
from oversight.models import ChangeSet
from oversight.officers import single

PROPOSE, APPROVE = "oversight.propose_changeset", CHANGES.right
_VIEW = ("oversight.view_changeset", PROPOSE, APPROVE, EMERGENCY)
_ON_A_PAGE = 50
_FILTERS = {"": "All", **dict(ChangeSet.State.choices)}


def may_view(request: HttpRequest) -> bool:
    """Return whether an officer sees change sets of others."""
    return any(request.user.has_perm(right) for right in _VIEW)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List change sets, newest first, by state where asked."""
    if not may_view(request):
        raise PermissionDenied(_VIEW[0])
    wanted = request.GET.get("state", "")
    sets = ChangeSet.objects.defer("preview", "findings")
    if wanted in ChangeSet.State.values:
        sets = sets.filter(state=wanted)
    page = Paginator(sets, _ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **admin.site.each_context(request),
        "title": _("Change sets"),
        "sets": [presenting.in_list(each) for each in page],
        "page": page,
        "filters": [(value, label, value == wanted) for value, label in _FILTERS.items()],
        "wanted": wanted,
    }
    return render(request, "admin/changes/list.html", context)


@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one set: before and after, findings, effect, what may be done, timeline."""
    change_set = _visible(request, pk)
    context = {
        **admin.site.each_context(request),
        "title": change_set.title,
        "set": change_set,
        "state": presenting.state(change_set),
        "by": presenting.in_list(change_set)["by"],
        "changes": presenting.changes(change_set, request.user),
        "figures": presenting.figures(change_set),
        "approvals": change_set.approvals.all(),
        "panels": panels.of(change_set),
        "steps": timeline.of((ChangeSet.SUBJECT, str(pk))),
        "undone_by": change_set.undone_by.exclude(state=ChangeSet.State.WITHDRAWN),
        **_choices(request, change_set),
    }
    return render(request, "admin/changes/set.html", context)


def _visible(request: HttpRequest, pk: int) -> ChangeSet:
    change_set = get_object_or_404(ChangeSet, pk=pk)
    if not may_view(request) and change_set.author_id != request.user.pk:
        raise PermissionDenied(_VIEW[0])
    return change_set


@dataclass(frozen=True)
class Choice:
    """A step on a set's page: its button, what it does, and whether it asks why."""

    name: str
    button: str
    explains: str
    right: str
    act: Callable[..., object]
    done: str
    asks_why: bool = False
    needs_why: bool = False
    tone: str = ""
    confirms: bool = False


_CHOICES = [
    Choice(
        "propose", "Propose", "Another officer is asked to approve it.", PROPOSE,
        lambda s, who, why, _seen: drafting.propose(s, actor=who, reason=why),
        "Proposed. Another officer finds it on the start page.", asks_why=True, tone="strong",
    ),
    Choice(
        "check", "Check again", "Lint and preview over the registers as they are now.", PROPOSE,
        lambda s, _who, _why, _seen: preview.check(s), "Checked.",
    ),
    Choice(
        "rebase", "Bring up to date", "Takes over what has changed in the registers since; your values stand.", PROPOSE,
        lambda s, who, _why, _seen: _rebase(s, who), "Up to date, and checked again.",
    ),
    Choice(
        "protective", "Apply now", "It only takes permission away: one officer is enough, and another looks at it "
        "afterwards.", PROPOSE,
        lambda s, who, why, _seen: applying.apply_protectively(s, actor=who, reason=why),
        "In force. Another officer is asked to look at it.", asks_why=True,
    ),
    Choice(
        "relaxed", "Apply now", "This installation lets one officer change these registers: it is in force at once, "
        "and another officer looks at it afterwards.", PROPOSE,
        lambda s, who, why, _seen: applying.apply_relaxed(s, actor=who, reason=why),
        "In force. Another officer is asked to look at it.", asks_why=True,
    ),
    Choice(
        "alone", "Apply", "This installation has a single officer, so it is in force at once.", PROPOSE,
        lambda s, who, why, seen, confirmed: approval.approve(
            s, actor=who, seen=seen, reason=why, confirmed=confirmed
        ), "In force.",
        asks_why=True, tone="strong", confirms=True,
    ),
    Choice(
        "emergency", "Apply alone, in an emergency", "In force at once, without a second officer. It stays on the "
        "start page until another officer has reviewed it.", EMERGENCY,
        lambda s, who, why, _seen: applying.apply_in_emergency(s, actor=who, reason=why),
        "In force. It stays on the start page until another officer has reviewed it.",
        asks_why=True, needs_why=True, tone="alarm",
    ),
    Choice(
        "reopen", "Take back to draft", "It can be edited again, and needs to be proposed again.", PROPOSE,
        lambda s, who, _why, _seen: drafting.reopen(s, actor=who), "A draft again.",
    ),
    Choice(
        "withdraw", "Withdraw", "It is given up; nothing changes.", PROPOSE,
        lambda s, who, _why, _seen: drafting.withdraw(s, actor=who), "Withdrawn.",
    ),
    Choice(
        "approve", "Approve", "It is in force at the next decision, as shown above.", APPROVE,
        lambda s, who, why, seen, confirmed: approval.approve(
            s, actor=who, seen=seen, reason=why, confirmed=confirmed
        ), "In force.",
        asks_why=True, tone="strong", confirms=True,
    ),
    Choice(
        "refuse", "Refuse", "It does not come into force. Its author reads why.", APPROVE,
        lambda s, who, why, seen: approval.refuse(s, actor=who, seen=seen, reason=why), "Refused.",
        asks_why=True, needs_why=True,
    ),
    Choice(
        "review", "Confirm", "You have looked at what was brought into force alone, and it may stay.", APPROVE,
        lambda s, who, why, _seen: approval.review(s, actor=who, reason=why), "Reviewed.",
        asks_why=True, tone="strong",
    ),
    Choice(
        "undo", "Undo", "Drafts the inverse. Nothing changes yet.", PROPOSE,
        lambda s, who, why, _seen: preview.check(undoing.undo(s, actor=who, reason=why)), "The inverse is drafted.",
        asks_why=True,
    ),
]  # fmt: skip
_BY_NAME = {choice.name: choice for choice in _CHOICES}
_STEPS = {
    "propose": Step.PROPOSED,
    "protective": Step.APPLIED_PROTECTIVELY,
    "relaxed": Step.APPLIED_AS_RELAXED,
    "alone": Step.APPLIED_ALONE,
    "emergency": Step.APPLIED_IN_EMERGENCY,
    "reopen": Step.REOPENED,
    "withdraw": Step.WITHDRAWN,
    "approve": Step.APPLIED,
    "refuse": Step.REFUSED,
    "undo": Step.UNDONE,
}
# What one officer may do: by what the set does, by the installation's setting, by the operator's word.
_MAY_ALONE: dict[str, Callable[[ChangeSet], bool]] = {
    "protective": lambda s: applying.only_narrows(preview.compared(s)),
    "relaxed": lambda s: (
        relaxing.is_relaxed(c.register for c in s.changes.all()) and not applying.only_narrows(preview.compared(s))
    ),
    "alone": lambda _set: single.is_single(),
}
_OF_DRAFTS = ("check", "rebase")
_OF_SECONDS = ("approve", "refuse", "review")
_OF_ALL = ("undo",)


def _rebase(change_set: ChangeSet, actor: actors.Officer) -> list[str]:
    """Bring a draft up to date and check it; return the members that both sides changed."""
    clashes = drafting.rebase(change_set, actor=actor)
    preview.check(change_set)
    return clashes


def _choices(request: HttpRequest, change_set: ChangeSet) -> dict[str, Any]:
    """Return what this officer may do now, and why not what another one could."""
    actor = actors.officer(request)
    is_author = subject_of(change_set).is_author(actor)
    open_now = [choice for choice in _CHOICES if _is_open(choice, change_set)]
    offered = [
        choice
        for choice in open_now
        if request.user.has_perm(choice.right) and (choice.name in _OF_ALL or (choice.name in _OF_SECONDS) != is_author)
    ]
    why_not = _why_no_second(change_set, actor) if any(choice.name in _OF_SECONDS for choice in open_now) else ""
    if why_not:
        offered = [choice for choice in offered if choice.name not in _OF_SECONDS]
    return {
        "choices": offered,
        "why_not": why_not,
        "is_author": is_author,
        "claims": applying.to_confirm(preview.compared(change_set)) if any(c.confirms for c in offered) else [],
        "remedies": remedies.of(change_set) if is_author and request.user.has_perm(PROPOSE) else [],
    }


def _is_open(choice: Choice, change_set: ChangeSet) -> bool:
    if choice.name == "review":
        return change_set.is_unreviewed
    if choice.name in _OF_DRAFTS:
        return change_set.state == ChangeSet.State.DRAFT
    if choice.name == "propose" and change_set.has_errors:
        return False
    if choice.name in _MAY_ALONE and not _MAY_ALONE[choice.name](change_set):
        return False
    return allows(change_set.state, _STEPS[choice.name])


def _why_no_second(change_set: ChangeSet, actor: actors.Officer) -> str:
    try:
        verdicts.require_second(subject_of(change_set), actor)
    except Problem as problem:
        return problem.detail
    return ""


@require_POST
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take a step; a refusal is shown on the set's page and changes nothing."""
    change_set = _visible(request, pk)
    choice = _BY_NAME.get(name)
    if choice is None:
        raise Http404
    require(request, choice.right)
    why, seen = request.POST.get("because", "").strip()[:500], request.POST.get("seen", "")
    confirmed = request.POST.get("confirmed", "") if request.POST.get("confirms") else ""
    more = {"confirmed": confirmed[:500]} if choice.confirms else {}
    try:
        made = choice.act(change_set, actors.officer(request), why, seen, **more)
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect("change-set", pk=pk)
    messages.success(request, choice.done)
    for clash in made if isinstance(made, list) else ():
        messages.warning(request, _("Both changed, your value stands: %(member)s") % {"member": clash})
    return redirect("change-set", pk=made.pk if isinstance(made, ChangeSet) else pk)


@require_POST
def remedy(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Put what mends a finding into its author's draft, and check it again."""
    change_set = _visible(request, pk)
    require(request, PROPOSE)
    try:
        remedies.apply(change_set, code, actor=actors.officer(request))
    except Problem as problem:
        messages.error(request, problem.detail)
    return redirect("change-set", pk=pk)
