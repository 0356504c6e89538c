"""Pages of reviewers: what waits with the figures of all reviews, and one output with what can be decided about it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from audit import trail
from common import actors
from common.admin_pages.display import who
from common.admin_pages.permissions import require
from common.http.problems import Problem
from model_registry.reviews import kinds, panel, work
from model_registry.reviews.models import Output, Review, Verdict
from model_registry.reviews.outputs import sealing
from model_registry.reviews.problems import ReviewNotOpen, VerdictRefused
from model_registry.reviews.verdicts import figures, giving, reviewers
from oversight.models import WorkItem
from oversight.work import items

VIEW = "reviews.view_review"
UNMASK = "reviews.view_masked_fields"
_MOST_SHOWN = 200
_TWO = 2  # verdicts of which a third reviewer reads both


def may_view(request: HttpRequest) -> bool:
    """Return whether an officer may see which outputs wait, and the figures: never an output itself."""
    return request.user.has_perm(VIEW)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Outputs that wait, the first due on top, and volume, time and agreement of all reviews."""
    require(request, VIEW)
    waiting = WorkItem.objects.filter(kind=work.REVIEW.slug, state__in=WorkItem.OPEN_STATES).select_related("owner")
    rows = {
        str(each.pk): each
        for each in Review.objects.filter(state=Review.State.WAITING).select_related("version__model")
    }
    context = {
        "title": "Reviews of outputs",
        "waiting": [(item, rows[item.object]) for item in waiting[:_MOST_SHOWN] if item.object in rows],
        "decided": Review.objects.exclude(state=Review.State.WAITING).select_related("version__model")[:20],
        "kinds": [_figures(kind) for kind in kinds.all_kinds()],
        "may_judge": request.user.has_perm(work.RIGHT),
    }
    return render(request, "admin/reviews/overview.html", {**admin.site.each_context(request), **context})


def _figures(kind: kinds.Kind) -> dict[str, Any]:
    found = figures.of(Review.objects.filter(kind=kind.slug))
    return {"title": kind.title, "found": found, "agreement": panel.in_words(found.agreement)}


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One output with its reasons and the facts of its decision; a POST claims, escalates or judges it.

    Fields that a rule of masking takes from the person's answer are masked here too. ``?unmasked`` shows them to an
    officer with the right to see them, and the trail says so.
    """
    require(request, work.RIGHT)
    review = get_object_or_404(Review.objects.select_related("version__model", "request"), pk=pk)
    if request.method == "POST":
        try:
            said = _act(request, review)
        except Problem as problem:
            messages.error(request, problem.detail)
        else:
            messages.success(request, said)
        return redirect("review", pk=pk)
    is_unmasked = "unmasked" in request.GET
    if is_unmasked:
        require(request, UNMASK)
    seen = "review.unmasked" if is_unmasked else "review.looked_at"
    trail.record(seen, f"review {pk}", actor=actors.officer(request))
    context = _context(request, review, is_unmasked=is_unmasked)
    return render(request, "admin/reviews/review.html", {**admin.site.each_context(request), **context})


def _act(request: HttpRequest, review: Review) -> str:
    """Do what a button says; return what to tell the reviewer."""
    name, actor, reason = request.POST.get("act", ""), actors.officer(request), request.POST.get("reason", "")
    if name == "claim":
        giving.claim(review.pk, actor=actor)
        return "This output is yours to judge."
    if name == "escalate":
        giving.escalate(review.pk, reason=reason, actor=actor)
        return "Another officer decides now."
    if name not in Verdict.Kind.values:
        raise VerdictRefused("Approve, change, reject or escalate.")
    kind = kinds.find(review.kind)
    given = giving.give(
        review.pk, name, seen=request.POST.get("seen", ""), actor=actor, reason=reason,
        edit=lambda content: kind.edit(content, request.POST),
    )  # fmt: skip
    if given.state == Review.State.WAITING:
        return "Your verdict is kept. Another reviewer judges too."
    return f"{given.get_state_display()}."


def _context(request: HttpRequest, review: Review, *, is_unmasked: bool) -> dict[str, Any]:
    output = Output.objects.select_related("review").filter(review=review).first()
    content = sealing.intact(output) if output else None
    item = items.find_open(work.REVIEW.slug, str(review.pk))
    verdicts = list(review.verdicts.select_related("text", "account"))
    why_not = _why_not(request, review, item, verdicts)
    kind = kinds.find(review.kind) if content else None
    mask = (lambda shown: shown) if is_unmasked else kinds.find(review.kind).masked
    return {
        "title": f"{kind.title if kind else 'Output'}: {review.get_state_display().lower()}",
        "review": review,
        "output": output,
        "content": mask(content) if content else None,
        "is_unmasked": is_unmasked,
        "may_unmask": request.user.has_perm(UNMASK),
        "part": kind.template if kind else "",
        "facts": kind.facts(content["facts"]) if kind and content else "",
        "item": item,
        "steps": [(step, who(step.actor)) for step in _steps(review)],
        "given": len(verdicts),
        "verdicts": [_shown(each, mask) for each in verdicts] if _may_see(request, review, verdicts) else [],
        "why_not": why_not,
        "may_judge": review.state == Review.State.WAITING and not why_not and content is not None,
        "needs_two": reviewers.needs_two(review),
        "must_say": review.request_id is not None,
    }


def _why_not(request: HttpRequest, review: Review, item: WorkItem | None, verdicts: list[Verdict]) -> str:
    """Return why this officer cannot judge; empty where nothing is in the way."""
    if review.state != Review.State.WAITING:
        return ""
    try:
        reviewers.refuse_unfit(review, verdicts, actor=actors.officer(request))
        if item is not None and item.owner_id not in (None, request.user.pk):
            raise ReviewNotOpen("Another reviewer has this output.")
    except Problem as problem:
        return problem.detail
    return ""


def _may_see(request: HttpRequest, review: Review, verdicts: list[Verdict]) -> bool:
    """Return whether verdicts are shown: never to a reviewer who has yet to give the second."""
    return review.state != Review.State.WAITING or len(verdicts) >= _TWO


def _shown(verdict: Verdict, mask: Callable[[kinds.Content], kinds.Content]) -> dict[str, Any]:
    text = getattr(verdict, "text", None)
    written = sealing.unseal(text.sealed, verdict.review) if text else None
    return {
        "verdict": verdict,
        "by": who(verdict.actor),
        "reason": written["reason"] if written else "",
        "content": mask(written["content"]) if written and written["content"] else None,
    }


def _steps(review: Review) -> Any:
    work_item = WorkItem.objects.filter(kind=work.REVIEW.slug, object=str(review.pk)).order_by("-pk").first()
    return work_item.steps.all() if work_item else []
