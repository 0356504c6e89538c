"""Rollout steps in the browser: start, widen, promote and stop, each confirmed on a page that says what will happen."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from common import actors
from common.admin_pages.confirm import Step, answer
from common.admin_pages.display import who
from common.admin_pages.permissions import require
from common.http.problems import Problem
from oversight.rollouts import pages as shared
from policies.bundles.candidates import KIND
from policies.bundles.subjects import of_rollout
from policies.models import Policy, Rollout
from policies.rollout import service
from policies.rollout.guards import Guards, read_guards
from policies.rollout.pages import ACT, limits


def _actor(request: HttpRequest) -> str:
    require(request, ACT)
    return actors.officer(request)


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    actor = _actor(request)
    policy = get_object_or_404(Policy, pk=request.POST.get("policy", ""))
    try:
        reason = answer(request) or policy.note
        rollout = service.start(policy, actor=actor, reason=reason, guards=_guards(request))
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect("rollouts")
    messages.success(request, _("Policy %(policy)s is evaluated in parallel with the active one.") % {"policy": policy})
    return redirect("rollout", pk=rollout.pk)


def _guards(request: HttpRequest) -> Guards:
    """Read the guards of the form. Raises InvalidRequest."""
    return read_guards(shared.read_limit_fields(request, limits(Guards())))


@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    actor = _actor(request)
    rollout = get_object_or_404(Rollout.objects.select_related("policy"), pk=pk)
    return shared.take_step(request, rollout, _STEPS.get(name), actor=actor, back=reverse("rollout", args=[pk]))


def _second_person(rollout: Rollout) -> str:
    author = {"author": who(rollout.policy.author)}
    return _("It was published by %(author)s. You answer for it as the second person.") % author


def _share_step(rollout: Rollout) -> Step:
    return shared.share_step(
        _("Let policy %(policy)s answer more people, or fewer?") % {"policy": rollout.policy},
        _second_person(rollout),
        _("So many in a hundred people, chosen by a hash, are answered by it from the very next question."),
        _("0 answers no one: it is evaluated in parallel with the active policy again."),
        seen=of_rollout(rollout).digest,
    )


def _promote_step(rollout: Rollout) -> Step:
    return Step(
        title=_("Bring policy %(policy)s into force for everybody?") % {"policy": rollout.policy},
        effects=[
            _second_person(rollout),
            _("It decides from the very next question on, over the registers as they are."),
            _("The rollout ends, and the guards no longer look. Going back is possible at any time."),
        ],
        button=_("Bring it into force"),
        done=_("Policy %(policy)s is in force.") % {"policy": rollout.policy},
        seen=of_rollout(rollout).digest,
    )


def _stop_step(rollout: Rollout) -> Step:
    return shared.stop_step(
        _("Stop the rollout of policy %(policy)s?") % {"policy": rollout.policy},
        _("Everybody is answered by the active policy from the very next question on."),
        _("The policy stays published and can be rolled out again."),
    )


def _confirm_step(rollout: Rollout) -> Step:
    return Step(
        title=_("Confirm that this rollout was begun in an emergency?"),
        effects=[
            _("It was begun by %(officer)s, without a simulation. You have looked at it as another officer.")
            % {"officer": who(rollout.started_by)},
            _("It goes on as it is, and leaves the start page."),
        ],
        button=_("Confirm"),
        done=_("Confirmed."),
        asks="because",
        label=_("Why (optional)"),
        needs_answer=False,
    )


def _promote(rollout: Rollout, actor: str, request: HttpRequest) -> None:
    service.promote(rollout.pk, actor=actor, seen=shared.seen(request))


def _confirm(rollout: Rollout, actor: str, request: HttpRequest) -> None:
    service.confirm(rollout.pk, actor=actor, reason=answer(request))


_STEPS: dict[str, tuple[shared.Description[Rollout], shared.Action[Rollout]]] = {
    "share": (_share_step, partial(shared.set_share, KIND)),
    "promote": (_promote_step, _promote),
    "stop": (_stop_step, partial(shared.stop, KIND)),
    "confirm": (_confirm_step, _confirm),
}
