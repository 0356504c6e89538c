"""Steps of a model rollout in the browser, each confirmed on a page that says what will happen."""

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
from model_registry.models import ModelVersion
from oversight.rollouts import pages as shared
from personalization.rollouts import service
from personalization.rollouts.guards import ModelGuards, read_guards
from personalization.rollouts.kind import ACT, KIND, of_rollout
from personalization.rollouts.models import ModelRollout
from personalization.rollouts.pages import limit_fields


def _actor(request: HttpRequest) -> actors.Officer:
    require(request, ACT)
    return actors.officer(request)


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    actor = _actor(request)
    number = request.POST.get("version", "")
    version = get_object_or_404(ModelVersion, pk=int(number) if number.isdecimal() and len(number) < 18 else 0)
    try:
        guards = read_guards(shared.read_limit_fields(request, limit_fields(ModelGuards())))
        rollout = service.start(version.pk, actor=actor, reason=answer(request), guards=guards)
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect("model-rollouts")
    messages.success(request, _("Its answers are compared with those of the live version. It serves no one."))
    return redirect("model-rollout", pk=rollout.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    actor = _actor(request)
    rollout = get_object_or_404(ModelRollout.objects.select_related("version__model", "live"), pk=pk)
    return shared.take_step(request, rollout, _STEPS.get(name), actor=actor, back=reverse("model-rollout", args=[pk]))


def _second_person(rollout: ModelRollout) -> str:
    return _("It was begun by %(officer)s. You answer for it as the second person.") % {
        "officer": who(rollout.started_by)
    }


def _share_step(rollout: ModelRollout) -> Step:
    return shared.share_step(
        _("Let version %(version)s serve more people, or fewer?") % {"version": rollout.version.version},
        _second_person(rollout),
        _("So many in a hundred people, chosen by a hash, are served by it from the very next request; at most 50."),
        _("0 serves no one: its answers are compared with those of the live version again."),
        seen=of_rollout(rollout).digest,
    )


def _finish_step(rollout: ModelRollout) -> Step:
    versions = {"version": rollout.version.version, "live": rollout.live.version}
    return Step(
        title=_("Make version %(version)s live?") % versions,
        effects=[
            _second_person(rollout),
            _("It serves everybody who allows it from the very next request on. Its release gates are asked again."),
            _("Version %(live)s steps back: it stays approved and can be made live again.") % versions,
        ],
        button=_("Make it live"),
        done=_("Version %(version)s is live.") % versions,
        seen=of_rollout(rollout).digest,
    )


def _stop_step(rollout: ModelRollout) -> Step:
    return shared.stop_step(
        _("Stop the rollout of version %(version)s?") % {"version": rollout.version.version},
        _("Everybody is served by the live version from the very next request on."),
        _("The version stays approved and can be rolled out again."),
    )


def _confirm_step(_rollout: ModelRollout) -> Step:
    return Step(
        title=_("Close the work on this roll-back?"),
        effects=[
            _("The guards took the version back by themselves. It is approved still: suspend or retire it if need be."),
            _("What you found is kept with the rollout."),
        ],
        button=_("Close the work"),
        done=_("The work is closed."),
        asks="because",
        label=_("What was found, and what happens to the version"),
    )


def _finish(rollout: ModelRollout, actor: str, request: HttpRequest) -> None:
    service.finish(rollout.pk, actor=actor, seen=shared.seen(request))


def _confirm(rollout: ModelRollout, actor: str, request: HttpRequest) -> None:
    service.acknowledge(rollout.pk, actor=actor, reason=answer(request))


_STEPS: dict[str, tuple[shared.Description[ModelRollout], shared.Action[ModelRollout]]] = {
    "share": (_share_step, partial(shared.set_share, KIND)),
    "finish": (_finish_step, _finish),
    "stop": (_stop_step, partial(shared.stop, KIND)),
    "confirm": (_confirm_step, _confirm),
}
