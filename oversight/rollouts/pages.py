"""Parts of the pages of rollouts that are the same for every kind: state, limits of the guards, the steps' forms."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from common import actors
from common.admin_pages.confirm import Step, answer, confirm_at
from common.admin_pages.display import NOTHING, badge, moment, who
from common.http.problems import InvalidRequest, Problem
from common.rollouts import limits
from oversight.approvals import verdicts
from oversight.approvals.subjects import Subject
from oversight.models import RolloutBase
from oversight.rollouts import service
from oversight.rollouts.kinds import Kind

R = TypeVar("R", bound=RolloutBase)
State = RolloutBase.State
Description = Callable[[R], Step]
Action = Callable[[R, str, HttpRequest], Any]
_TONES = {
    State.OPEN: "info",
    State.COMPLETED: "good",
    State.STOPPED: "plain",
    State.ROLLED_BACK: "alarm",
    State.OVERTAKEN: "caution",
}


def state_of(rollout: RolloutBase) -> str:
    return badge(str(rollout.get_state_display()), _TONES[State(rollout.state)])


def row_of(rollout: RolloutBase, *, name: str, url: str) -> dict[str, Any]:
    """Return a rollout as a row of the list."""
    began, by = moment(rollout.started_at), who(rollout.started_by)
    return {"row": rollout, "name": name, "url": url, "state": state_of(rollout), "began": began, "by": by}


def why_not(subject: Subject, actor: actors.Officer) -> str:
    """Return why an officer cannot let a rollout answer more people; empty for one who can."""
    try:
        verdicts.require_second(subject, actor)
    except Problem as problem:
        return problem.detail
    return ""


def points(number: float) -> str:
    """Return percentage points in words."""
    return f"{number:g} {_('point') if number == 1 else _('points')}"


def milliseconds(microseconds: int | None) -> str:
    return NOTHING if microseconds is None else limits.milliseconds(microseconds)


def limit_fields(guards: Any, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the fields of the form that begins a rollout, in the officers' words."""
    return [{"name": name, "label": text, "value": f"{getattr(guards, name):g}"} for name, text in labels.items()]


def read_limit_fields(request: HttpRequest, fields: Iterable[Mapping[str, Any]]) -> dict[str, int | float]:
    """Read what the form holds; a field that is missing keeps its value. Raises InvalidRequest."""
    try:
        numbers = {field["name"]: float(request.POST.get(field["name"], field["value"])) for field in fields}
    except ValueError:
        raise InvalidRequest(_("The guards are numbers.")) from None
    return {name: int(number) if number.is_integer() else number for name, number in numbers.items()}


def take_step(
    request: HttpRequest, rollout: R, step: tuple[Description[R], Action[R]] | None, *, actor: str, back: str
) -> HttpResponse:
    """Say what a step of a rollout will do, and take it once it is confirmed. Raises Http404 where there is no step."""
    if step is None:
        raise Http404
    describe, act = step
    shown = describe(rollout)
    context = {**admin.site.each_context(request), "title": shown.title}
    return confirm_at(request, shown, partial(act, rollout, actor, request), back=back, context=context)


def share_step(title: str, *effects: str, seen: str) -> Step:
    """Return the step that widens or narrows, in words."""
    return Step(
        title=title,
        effects=[
            *effects,
            _("A person who is answered by it stays with it while the share grows. The guards go on looking."),
        ],
        button=_("Set the share"),
        done=_("The share is set."),
        asks="percent",
        label=_("Per cent of the people"),
        seen=seen,
    )


def stop_step(title: str, *effects: str) -> Step:
    """Return the step that ends a rollout, in words."""
    return Step(
        title=title,
        effects=effects,
        button=_("Stop the rollout"),
        done=_("The rollout is stopped."),
        asks="because",
        label=_("Why"),
        is_dangerous=True,
    )


def set_share(kind: Kind[R], rollout: R, actor: str, request: HttpRequest) -> None:
    """Set the share that the form holds. Raises InvalidRequest, and as ``service.set_share``."""
    try:
        share = round(100 * float(request.POST.get("percent", "")))
    except (ValueError, OverflowError):
        raise InvalidRequest(_("The share is a number between 0 and 100.")) from None
    service.set_share(kind, rollout.pk, share, actor=actor, seen=seen(request))


def stop(kind: Kind[R], rollout: R, actor: str, request: HttpRequest) -> None:
    service.stop(kind, rollout.pk, actor=actor, reason=answer(request))


def seen(request: HttpRequest) -> str:
    """Return the digest of the page that the officer saw; one that names none has seen nothing."""
    return request.POST.get("seen", "") or "-"
