"""Pages of policies for officers: publication, checks, differences, activation, rollback."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from common import actors
from common.admin_pages.confirm import Step, answer, confirm
from common.admin_pages.display import NOTHING, badge, code, document, exact_moment, folded, grid, moment, who
from common.admin_pages.read_only import ReadOnlyAdmin
from oversight.admin import timeline
from oversight.approvals import subjects
from oversight.approvals.verdicts import EMERGENCY
from oversight.work import items
from policies.admin import editor
from policies.authoring import comparison, lifecycle
from policies.authoring import simulated as gate
from policies.authoring.lint import lint
from policies.bundles import candidates, publishing
from policies.bundles.subjects import ACTIVATE, POLICY, ROLLOUT, of_policy
from policies.models import Policy
from policies.rollout import service

_MAY = ACTIVATE
_ALONE = "Activated by one officer in an emergency, without a simulation. Another officer has to confirm it."


def _is_in_force(policy: Policy) -> bool:
    last = publishing.last_activation()
    return last is not None and last.policy_id == policy.digest


@admin.register(Policy)
class PolicyAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "standing", "note", "by", "made"]
    fields = [
        "standing", "note", "by", "made_exactly", "digest_in_full", "passed", "findings", "simulated", "history",
        "changes",
    ]  # fmt: skip
    readonly_fields = fields
    actions_detail = [
        "edit",
        "simulate",
        "roll_out",
        "activate",
        "activate_alone",
        "confirm_this",
        "refuse_this",
        "roll_back",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        return super().get_queryset(request).defer("modules", "tests", "sample")  # type: ignore[no-any-return]

    @display(description="State")
    def standing(self, policy: Policy) -> str:
        if not _is_in_force(policy):
            return badge("Rolling out", "info") if _is_rolling_out(policy) else badge("Published")
        alone = subjects.waits_for_review(of_policy(policy))
        return badge("In force, by one person in an emergency", "alarm") if alone else badge("In force", "good")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **more: Any) -> HttpResponse:
        """Show the policy; above it, what one officer did in an emergency, until another one has confirmed it."""
        policy = Policy.objects.filter(pk=unquote(object_id)).first()
        last = publishing.last_activation()
        if policy is not None and subjects.waits_for_review(of_policy(policy)):
            why = last.reason if last is not None and last.policy_id == policy.digest else "it was taken back"
            messages.warning(request, f"{_ALONE} Why: {why}")
        return super().change_view(request, object_id, *args, **more)  # type: ignore[no-any-return]

    @display(description="Author", ordering="author")
    def by(self, policy: Policy) -> str:
        return who(policy.author)

    @display(description="Published", ordering="created_at")
    def made(self, policy: Policy) -> str:
        return moment(policy.created_at)

    @display(description="Published")
    def made_exactly(self, policy: Policy) -> str:
        return exact_moment(policy.created_at)

    @display(description="Digest")
    def digest_in_full(self, policy: Policy) -> str:
        return code(policy.digest)

    @display(description="Checks passed")
    def passed(self, policy: Policy) -> str:
        return document(policy.checks)

    @display(description="Lint findings today")
    def findings(self, policy: Policy) -> str:
        if not policy.tests:
            return NOTHING  # a release ships none of its tests
        found = lint(policy.modules, policy.tests, {**policy.sample, **policy.overlay})
        rows = [(f"{finding.path}:{finding.line}", finding.rule, finding.text) for finding in found]
        return grid(["Where", "Rule", "What"], rows) if rows else "No findings"

    @display(description="Simulated against the rules in force")
    def simulated(self, policy: Policy) -> str:
        if _is_in_force(policy):
            return NOTHING
        report = gate.recent_report(policy)
        if report is None:
            return f"Not in the last {gate.RECENT.days} days. Choose it on the page Simulations."
        counted = (
            f"{report.counts['different']:,} of {report.counts['compared']:,} decisions would come out differently"
        )
        return format_html("{}: {}.", moment(report.finished_at), counted)

    @display(description="What happened")
    def history(self, policy: Policy) -> str:
        rollouts = [(ROLLOUT.slug, str(pk)) for pk in policy.rollouts.values_list("pk", flat=True)]
        return timeline.drawn((POLICY.slug, policy.digest), *rollouts)

    @display(description="Changes against the policy in force")
    def changes(self, policy: Policy) -> str:
        last = publishing.last_activation()
        if last is None or last.policy_id == policy.digest:
            return NOTHING
        lines = [
            *comparison.rego_differences(last.policy.modules, policy.modules),
            *comparison.data_differences(last.policy.overlay, policy.overlay),
        ]
        return folded(f"Show {len(lines)} lines", format_html("<pre>{}</pre>", "\n".join(lines)))

    action_rights = {
        "edit": "policies.add_policy",
        "simulate": "policies.add_simulationreport",
        "roll_out": _MAY,
        "activate": _MAY,
        "activate_alone": EMERGENCY,
        "confirm_this": _MAY,
        "refuse_this": _MAY,
        "roll_back": _MAY,
    }

    def has_edit_permission(self, request: HttpRequest, _object_id: str) -> bool:
        return request.user.has_perm("policies.add_policy")

    def has_simulate_permission(self, request: HttpRequest, object_id: str) -> bool:
        last = publishing.last_activation()
        is_here = last is not None and last.policy_id == unquote(object_id)
        return request.user.has_perm("policies.add_simulationreport") and not is_here

    def has_activate_permission(self, request: HttpRequest, object_id: str) -> bool:
        last = publishing.last_activation()
        is_here = last is not None and last.policy_id == unquote(object_id)
        return request.user.has_perm(_MAY) and not is_here

    def has_activate_alone_permission(self, request: HttpRequest, object_id: str) -> bool:
        return request.user.has_perm(EMERGENCY) and not _is_in_force(get_object_or_404(Policy, pk=unquote(object_id)))

    def has_confirm_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        waits = items.find_open(POLICY.review, unquote(object_id)) is not None
        return request.user.has_perm(_MAY) and waits

    def has_refuse_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        waits = items.find_open(POLICY.approval, unquote(object_id)) is not None
        return request.user.has_perm(_MAY) and waits

    def has_roll_out_permission(self, request: HttpRequest, object_id: str) -> bool:
        last = publishing.last_activation()
        is_here = last is not None and last.policy_id == unquote(object_id)
        return request.user.has_perm(_MAY) and not is_here and candidates.open_rollout() is None

    def has_roll_back_permission(self, request: HttpRequest, object_id: str) -> bool:
        last = publishing.last_activation()
        is_here = last is not None and last.policy_id == unquote(object_id)
        return request.user.has_perm(_MAY) and is_here and lifecycle.previous_policy() is not None

    @action(description="Edit", permissions=["edit"], url_path="edit", icon="edit")
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return editor.edit(request, get_object_or_404(Policy, pk=unquote(object_id)))

    @action(description="Simulate", permissions=["simulate"], url_path="simulate", icon="experiment")
    def simulate(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(f"{reverse('simulations')}?{urlencode({'candidate': unquote(object_id)})}")

    @action(description="Roll out", permissions=["roll_out"], url_path="roll-out", icon="moving")
    def roll_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = get_object_or_404(Policy, pk=unquote(object_id))
        step = Step(
            title=f"Evaluate policy {policy} beside the active one?",
            effects=[
                "From the very next question on the log says where it would have answered differently.",
                "Nobody is answered by it. Letting it answer people takes another officer than its author.",
                "Guards look every 30 seconds and take it back where it goes too far.",
            ],
            button="Begin the rollout",
            done=f"Policy {policy} is evaluated beside the active one. Follow it on the page Rollouts.",
        )
        return confirm(request, policy, step, lambda: _roll_out(policy, request))

    @action(description="Activate", permissions=["activate"], url_path="activate", icon="published_with_changes")
    def activate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = get_object_or_404(Policy, pk=unquote(object_id))
        step = Step(
            title=f"Activate policy {policy}?",
            effects=[
                f"It was published by {who(policy.author)}. You approve it as the second officer.",
                "It decides from the very next question on, over the registers as they are.",
                "Going back to the policy now in force is possible at any time.",
            ],
            button="Activate this policy",
            done=f"Policy {policy} is in force.",
        )
        return confirm(request, policy, step, lambda: _activate(policy, request))

    @action(
        description="Activate alone, in an emergency",
        permissions=["activate_alone"],
        url_path="activate-in-emergency",
        icon="emergency_home",
        variant=ActionVariant.DANGER,
    )
    def activate_alone(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = get_object_or_404(Policy, pk=unquote(object_id))
        step = Step(
            title=f"Activate policy {policy} alone, without a simulation?",
            effects=[
                "This is for emergencies: nobody approves it, and nobody has seen what it would change.",
                "It decides about every person from the very next question on, over the registers as they are.",
                "The audit trail keeps that you did it alone, and why.",
                "Start pages of other officers show it until one of them has confirmed it, also if it is taken back.",
            ],
            button="Activate it alone",
            done=f"Policy {policy} is in force, by you alone. Another officer has to confirm it.",
            is_dangerous=True,
            asks="because",
            label="Why this cannot wait for another officer",
        )
        return confirm(request, policy, step, lambda: _activate_alone(policy, request))

    @action(description="Confirm", permissions=["confirm_this"], url_path="confirm", icon="check_circle")
    def confirm_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = get_object_or_404(Policy, pk=unquote(object_id))
        step = Step(
            title=f"Confirm that policy {policy} was activated in an emergency?",
            effects=["You have looked at it as another officer.", "It stays as it is, and leaves the start page."],
            button="Confirm",
            done="Confirmed.",
            asks="because",
            label="Why (optional)",
            needs_answer=False,
        )
        actor = actors.officer(request)
        return confirm(request, policy, step, lambda: lifecycle.confirm(policy, actor=actor, reason=answer(request)))

    @action(description="Refuse", permissions=["refuse_this"], url_path="refuse", icon="block")
    def refuse_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = get_object_or_404(Policy, pk=unquote(object_id))
        step = Step(
            title=f"Refuse policy {policy}?",
            effects=["It does not come into force, unless it is published again.", "Its author reads why."],
            button="Refuse this policy",
            done=f"Policy {policy} is refused.",
            asks="because",
            label="Why",
        )
        actor = actors.officer(request)
        return confirm(request, policy, step, lambda: lifecycle.refuse(policy, actor=actor, reason=answer(request)))

    @action(
        description="Roll back",
        permissions=["roll_back"],
        url_path="roll-back",
        icon="undo",
        variant=ActionVariant.DANGER,
    )
    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy, before = get_object_or_404(Policy, pk=unquote(object_id)), lifecycle.previous_policy()
        step = Step(
            title=f"Go back from policy {policy}?",
            effects=[
                f"Policy {before} decides from the very next question on, over the registers as they are.",
                f"Policy {policy} stays published.",
            ],
            button="Go back",
            done=f"Policy {before} is in force again.",
            is_dangerous=True,
        )
        return confirm(request, policy, step, lambda: _roll_back(policy, request))


def _is_rolling_out(policy: Policy) -> bool:
    rollout = candidates.open_rollout()
    return rollout is not None and rollout.policy_id == policy.digest


def _roll_out(policy: Policy, request: HttpRequest) -> Any:
    return service.start(policy, actor=actors.officer(request), reason=policy.note)


def _activate(policy: Policy, request: HttpRequest) -> Any:
    return lifecycle.activate_policy(policy, actor=actors.officer(request), reason=policy.note)


def _activate_alone(policy: Policy, request: HttpRequest) -> Any:
    return lifecycle.activate_policy(policy, actor=actors.officer(request), reason=answer(request), emergency=True)


def _roll_back(policy: Policy, request: HttpRequest) -> Any:
    return lifecycle.roll_back(actor=actors.officer(request), reason=f"taken back: {policy}", instead_of=policy)
