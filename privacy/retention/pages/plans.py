"""Officers' pages of deletion plans: what a plan deletes, its approval by another officer, and its run."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from common import actors
from common.admin_pages.confirm import Step, answer, confirm, confirm_at
from common.admin_pages.display import NOTHING, badge, code, exact_moment, grid, moment, sentence, who
from common.admin_pages.read_only import ReadOnlyAdmin
from oversight.admin import timeline
from oversight.work import items
from privacy.models import DeletionPlan, Disposal, RetentionSchedule
from privacy.retention import control, disposal, plans, progress, restoring
from privacy.retention.subjects import APPROVE, CONTROL, PLAN, UNDO, of_undo

_TONES = {"proposed": "caution", "approved": "good", "refused": "plain"}


@admin.register(DeletionPlan)
class DeletionPlanAdmin(ReadOnlyAdmin):
    list_display = ["made", "standing", "purpose", "rows", "made_by", "decided_by"]
    list_filter = ["state", "purpose"]
    list_select_related = ["purpose", "decision"]
    fields = [
        "standing", "why", "purpose", "schedule", "act", "older_than", "deletes", "samples", "undo", "fingerprint",
        "its_run", "history",
    ]  # fmt: skip
    readonly_fields = [
        "standing", "why", "act", "older_than", "deletes", "samples", "undo", "fingerprint", "its_run", "history",
    ]  # fmt: skip
    actions_list_hide_default = False
    actions_list = ["switch_off", "switch_on"]
    actions_detail_hide_default = False
    actions_detail = ["approve_this", "refuse_this"]

    @display(description="Made", ordering="made_at")
    def made(self, plan: DeletionPlan) -> str:
        return moment(plan.made_at)

    @display(description="State", ordering="state")
    def standing(self, plan: DeletionPlan) -> str:
        return badge(plan.get_state_display(), _TONES[plan.state])

    @display(description="Made by", ordering="author")
    def made_by(self, plan: DeletionPlan) -> str:
        return who(plan.author)

    @display(description="Decided by", ordering="decision__actor")
    def decided_by(self, plan: DeletionPlan) -> str:
        if plan.decision is not None:
            return who(plan.decision.actor)
        return "Its schedule" if plan.state == DeletionPlan.State.APPROVED else NOTHING

    @display(description="Needs an officer because")
    def why(self, plan: DeletionPlan) -> str:
        if plans.SHARE in plan.blockers:
            return f"It deletes more than {plan.document['largest_share_percent']} % of what the schedule is about."
        return NOTHING

    @display(description="What it does")
    def act(self, plan: DeletionPlan) -> str:
        said = plan.document.get("terms", plans.EARLIER)
        return f"{RetentionSchedule.Action(said['action']).label}: {RetentionSchedule.Trigger(said['trigger']).label}"

    @display(description="Entries")
    def rows(self, plan: DeletionPlan) -> str:
        return f"{plan.due:,}"

    @display(description="Deletes what was received before")
    def older_than(self, plan: DeletionPlan) -> str:
        return exact_moment(plan.before)

    @display(description="Deletes")
    def deletes(self, plan: DeletionPlan) -> str:
        headings = ["Kind", "Goes", "Kept by a hold", "Kept by a law", "Stored in all", "Share", "Oldest"]
        return grid(headings, (_row(name, found) for name, found in plan.document["data_sets"].items()))

    @display(description="SHA-256 of the oldest keys")
    def samples(self, plan: DeletionPlan) -> str:
        found = [digest for each in plan.document["data_sets"].values() for digest in each["sample_sha256"]]
        return grid(["Digest"], ([code(digest)] for digest in found)) if found else NOTHING

    @display(description="Can be undone for")
    def undo(self, plan: DeletionPlan) -> str:
        days = plan.document["undo_days"]
        return f"{days} days after its run" if days else "It cannot be undone."

    @display(description="SHA-256 of the plan, as it was signed")
    def fingerprint(self, plan: DeletionPlan) -> str:
        return code(plan.digest)

    @display(description="Its run")
    def its_run(self, plan: DeletionPlan) -> str:
        run = Disposal.objects.filter(plan=plan).first()
        if run is None:
            return NOTHING
        link = reverse("admin:privacy_disposal_change", args=[run.pk])
        return format_html('<a href="{}">{}, {}</a>', link, run.get_status_display(), share_done(run))

    @display(description="What happened")
    def history(self, plan: DeletionPlan) -> str:
        return timeline.drawn((PLAN.slug, str(plan.pk)))

    @action(
        description="Approve", permissions=["approve_this"], url_path="approve", icon="check_circle",
        variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    def approve_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        plan = _find(object_id)
        step = Step(
            title=f"Approve the deletion of {plan.due:,} entries of {plan.purpose or plan.schedule}?",
            effects=[
                f"Its run begins at once and deletes what was received before {plan.before:%Y-%m-%d %H:%M} UTC.",
                "It deletes no more than the plan says. Data under a hold stays.",
                "It can be paused and stopped at any time. " + self.undo(plan),
            ],
            button="Approve and delete",
            done="The plan is approved and its run is queued.",
            is_dangerous=True,
        )
        return confirm(request, plan, step, lambda: _approve(request, plan))

    @action(description="Refuse", permissions=["approve_this"], url_path="refuse", icon="block")
    def refuse_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        plan = _find(object_id)
        step = Step(
            title=f"Refuse the deletion of {plan.due:,} entries of {plan.purpose or plan.schedule}?",
            effects=["Nothing of it is deleted. The next night makes a new plan, unless the schedule is changed."],
            button="Refuse this plan",
            done="The plan is refused.",
            asks="because",
            label="Why",
        )
        actor = actors.officer(request)
        act = partial(plans.refuse, plan, actor=actor, seen=plan.digest)
        return confirm(request, plan, step, lambda: act(reason=answer(request)))

    @action(description="Switch deletion off", permissions=["switch_off"], url_path="switch-off", icon="stop_circle")
    def switch_off(self, request: HttpRequest) -> HttpResponse:
        step = Step(
            title="Switch deletion by retention schedules off?",
            effects=[
                "Every retention run rests before its next batch, and none begins until it is switched on again.",
                "What is past its retention period stays. Deletion after a withdrawal or a request goes on.",
            ],
            button="Switch it off",
            done="Deletion by retention schedules is switched off.",
            is_dangerous=True,
        )
        reason = "Switched off on the page of deletion plans."
        return self._switch(request, step, lambda actor: control.switch_off(actor=actor, reason=reason))

    @action(description="Switch deletion on", permissions=["switch_on"], url_path="switch-on", icon="play_circle")
    def switch_on(self, request: HttpRequest) -> HttpResponse:
        step = Step(
            title="Switch deletion by retention schedules on?",
            effects=["What was open goes on within a minute, and the next night deletes what is due."],
            button="Switch it on",
            done="Deletion by retention schedules is switched on.",
        )
        return self._switch(request, step, lambda actor: control.switch_on(actor=actor))

    def _switch(self, request: HttpRequest, step: Step, act: Callable[[actors.Officer], None]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": step.title, "opts": self.opts}
        back = reverse("admin:privacy_deletionplan_changelist")
        return confirm_at(request, step, lambda: act(actors.officer(request)), back=back, context=context)

    def has_switch_off_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CONTROL) and not control.is_switched_off()

    def has_switch_on_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CONTROL) and control.is_switched_off()

    def has_approve_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        may = request.user.has_perm(APPROVE)
        return may and _there_is(DeletionPlan, object_id, state=DeletionPlan.State.PROPOSED)


def _find(object_id: str) -> DeletionPlan:
    return get_object_or_404(DeletionPlan.objects.select_related("purpose"), pk=object_id)


def _approve(request: HttpRequest, plan: DeletionPlan) -> None:
    # The digest that the page showed is that of the row it read: a plan is never changed.
    disposal.queue_plan(plans.approve(plan, actor=actors.officer(request), seen=plan.digest))


def _run(object_id: str) -> Disposal:
    return get_object_or_404(Disposal.objects.select_related("purpose"), pk=object_id)


def _approve_undo(request: HttpRequest, run: Disposal) -> None:
    restoring.approve(run.pk, actor=actors.officer(request), seen=request.POST.get("seen", ""))
    restoring.hand_over(run.pk)


def _row(name: str, found: dict[str, Any]) -> list[str]:
    share = f"{100 * found['due'] / found['stored']:.0f} %" if found["stored"] else NOTHING
    oldest = moment(datetime.fromisoformat(found["oldest"])) if found["oldest"] else NOTHING
    by_law = f"{found.get('kept_by_law', 0):,}"  # plans of earlier releases knew of none
    return [sentence(name), f"{found['due']:,}", f"{found['held']:,}", by_law, f"{found['stored']:,}", share, oldest]


def share_done(run: Disposal) -> str:
    """Return a bar of how much of its plan a run has deleted, with the figure next to it."""
    done = progress.permille(run)
    return format_html(
        '<progress max="1000" value="{}" aria-label="Deleted of what was planned"></progress> {} %',
        done,
        f"{done / 10:.0f}",
    )


class RunSteps:
    """Pause, resume, stop and undo on the page of a deletion run."""

    @action(description="Pause", permissions=["pause_this"], url_path="pause", icon="pause_circle")
    def pause_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        effect = "The run rests before its next batch. Resume it to go on where it rested."
        return _control(request, object_id, "Pause", effect, control.pause)

    @action(description="Resume", permissions=["resume_this"], url_path="resume", icon="play_circle")
    def resume_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _control(request, object_id, "Resume", "The run goes on where it rested.", control.resume)

    @action(description="Propose to undo", permissions=["propose_undo"], url_path="propose-undo", icon="undo")
    def propose_undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = _run(object_id)
        step = Step(
            title=f"Propose to undo the deletion run of {run.purpose or run.schedule}?",
            effects=["Another officer is asked to approve it. Nothing comes back yet."],
            button="Propose",
            done="Proposed. Another officer finds it on the start page.",
            asks="because",
            label="Why",
        )
        actor = actors.officer(request)
        return confirm(request, run, step, lambda: restoring.propose(run.pk, actor=actor, reason=answer(request)))

    @action(
        description="Approve the undo", permissions=["decide_undo"], url_path="approve-undo", icon="check_circle",
        variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    def approve_undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = _run(object_id)
        subject = of_undo(run)
        step = Step(
            title=f"Put back {run.total_removed:,} entries of {run.purpose or run.schedule}?",
            effects=[
                f"It was proposed by {who(subject.author)}: “{subject.reason}”",
                "Entries of people who refused, withdrew or objected since stay deleted.",
                "The key of the run is destroyed afterwards.",
            ],
            button="Approve and put back",
            done="Approved. A worker puts the entries back.",
            seen=subject.digest,
        )
        return confirm(request, run, step, lambda: _approve_undo(request, run))

    @action(description="Refuse the undo", permissions=["decide_undo"], url_path="refuse-undo", icon="block")
    def refuse_undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = _run(object_id)
        step = Step(
            title=f"Refuse to undo the deletion run of {run.purpose or run.schedule}?",
            effects=["What it deleted stays deleted. It can be proposed again while its time lasts."],
            button="Refuse the undo",
            done="The undo is refused.",
            asks="because",
            label="Why",
        )
        actor, seen = actors.officer(request), of_undo(run).digest
        return confirm(
            request, run, step, lambda: restoring.refuse(run.pk, actor=actor, seen=seen, reason=answer(request))
        )

    def has_propose_undo_permission(self, request: HttpRequest, object_id: str) -> bool:
        may = request.user.has_perm(CONTROL)
        if not may or not _there_is(Disposal, object_id, undone_at=None, undo_until__gt=timezone.now()):
            return False
        return not items.find_open(UNDO.approval, object_id) and restoring.approval_of(_run(object_id)) is None

    def has_decide_undo_permission(self, request: HttpRequest, object_id: str) -> bool:
        return request.user.has_perm(APPROVE) and items.find_open(UNDO.approval, object_id) is not None

    @action(description="Stop", permissions=["stop_this"], url_path="stop", icon="stop_circle")
    def stop_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        effect = "The run ends for good. What it has deleted stays deleted; the rest waits for a new plan."
        reason = "Stopped by an officer."
        return _control(
            request, object_id, "Stop", effect, lambda run, *, actor: control.stop(run, actor=actor, reason=reason)
        )

    def has_pause_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return _may(request, object_id, Disposal.OPEN)

    def has_resume_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return _may(request, object_id, (Disposal.Status.PAUSED,))

    def has_stop_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return _may(request, object_id, (*Disposal.OPEN, Disposal.Status.PAUSED))


def _may(request: HttpRequest, object_id: str, states: tuple[str, ...]) -> bool:
    may = request.user.has_perm(CONTROL)
    return may and _there_is(Disposal, object_id, reason=Disposal.Reason.RETENTION, status__in=states)


def _there_is(kind: type[DeletionPlan] | type[Disposal], object_id: str, **wanted: Any) -> bool:
    """Return whether there is such a row; an address can name anything, also what is no number of a row."""
    try:
        return kind._default_manager.filter(pk=object_id, **wanted).exists()  # noqa: SLF001
    except ValidationError:
        return False


def _control(
    request: HttpRequest, object_id: str, verb: str, effect: str, act: Callable[..., Disposal]
) -> HttpResponse:
    run = _run(object_id)
    step = Step(
        title=f"{verb} the deletion run of {run.purpose or run.schedule}?",
        effects=[effect],
        button=f"{verb} this run",
        done=effect,
    )
    return confirm(request, run, step, lambda: act(run.pk, actor=actors.officer(request)))
