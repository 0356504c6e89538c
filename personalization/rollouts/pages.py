"""Rollouts of model versions for officers: progress, figures of both sides with their intervals, what was compared."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common import actors
from common.admin_pages.display import NOTHING, moment, who
from common.admin_pages.permissions import require
from common.charts.counts import Figure, Tone, grouped
from common.charts.rates import Part, lines_figure
from common.rollouts import limits
from common.rollouts.limits import Rate, Spread
from model_registry.models import ModelVersion
from oversight.admin import timeline
from oversight.rollouts import pages as shared
from oversight.rollouts import watch
from personalization import engine
from personalization.rollouts import figures, service
from personalization.rollouts.guards import MEASURES, Figures, ModelGuards, Side, read_guards
from personalization.rollouts.kind import ACT, ROLLOUT, VIEW, of_rollout, running
from personalization.rollouts.models import ModelRollout

_MOST_SHOWN = 20
STEPS = ("share", "finish", "stop", "confirm")


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(VIEW)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    require(request, VIEW)
    open_one = next(iter(running()), None)
    wanted = request.GET.get("version", "")
    context = {
        **admin.site.each_context(request),
        "title": _("Rollouts of models"),
        "running": open_one,
        "running_url": _url(open_one) if open_one else "",
        "start_url": reverse("model-rollout-start"),
        "headline": headline(open_one) if open_one else "",
        "may_start": request.user.has_perm(ACT) and open_one is None,
        "candidates": [(each.pk, _named(each), str(each.pk) == wanted) for each in _approved()],
        "limits": limit_fields(ModelGuards()),
        "rollouts": [
            shared.row_of(row, name=_named(row.version), url=_url(row))
            for row in ModelRollout.objects.select_related("version__model")[:_MOST_SHOWN]
        ],
    }
    return render(request, "admin/models/rollouts.html", context)


def _url(rollout: ModelRollout) -> str:
    return reverse("model-rollout", args=[rollout.pk])


def _approved() -> list[ModelVersion]:
    """Return the versions that can be rolled out, newest first."""
    found = ModelVersion.objects.filter(model__slug=engine.MODEL_SLUG, status=ModelVersion.Status.APPROVED)
    return list(found.select_related("model").order_by("-version")[:_MOST_SHOWN])


def _named(version: ModelVersion) -> str:
    return _("%(model)s, version %(number)s") % {"model": version.model.name, "number": version.version}


def limit_fields(guards: ModelGuards) -> list[dict[str, Any]]:
    """Return the limits in the officers' words."""
    texts = {
        "window_minutes": _("Minutes the guards look back"),
        "at_least": _("Answers of each side before they are judged"),
        "at_least_people": _("People of each side before what they say is judged"),
        "unwanted_points": _("Percentage points more people who said “not relevant”"),
        "left_points": _("Percentage points more people who withdrew or objected"),
        "fallback_points": _("Percentage points more answers that are the general list"),
        "error_points": _("Percentage points the engine may fail at more"),
        "level_steps": _("Levels less on average"),
        "latency_ratio": _("Times as long the slowest one in a hundred may take"),
    }
    return shared.limit_fields(guards, texts)


@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    require(request, VIEW)
    rollout = get_object_or_404(ModelRollout.objects.select_related("version__model", "live"), pk=pk)
    may_act = request.user.has_perm(ACT)
    context = {
        **admin.site.each_context(request),
        "title": _("Rollout of %(version)s") % {"version": _named(rollout.version)},
        "rollout": rollout,
        "headline": headline(rollout),
        "state": shared.state_of(rollout),
        "by": who(rollout.started_by),
        "live": rollout.live.version,
        "may_act": may_act and rollout.is_open,
        "why_not": shared.why_not(of_rollout(rollout), actors.officer(request)),
        "may_confirm": may_act and service.waits_for_look(rollout),
        "urls": {name: reverse("model-rollout-step", args=[pk, name]) for name in STEPS},
        "comparison": _comparison(rollout),
        "steps": timeline.of((ROLLOUT.slug, str(pk))),
        **_counted(rollout),
    }
    return render(request, "admin/models/rollout.html", context)


def headline(rollout: ModelRollout) -> str:
    named = {"version": rollout.version.version, "share": f"{rollout.share / 100:g}"}
    if not rollout.is_open:
        return _("Version %(version)s: %(end)s.") % {**named, "end": str(rollout.get_state_display()).lower()}
    if not rollout.share:
        return _("Version %(version)s is compared with the live one. It serves no one.") % named
    return _("Version %(version)s serves %(share)s %% of the people.") % named


def _counted(rollout: ModelRollout) -> dict[str, Any]:
    """Return what the guards see now, next to what they allow; of a rollout that ended, what it ended with.

    Nothing is shown of a rollout whose counts are older than they are kept.
    """
    if not rollout.is_open and not rollout.counts.exists():
        return {}
    guards = read_guards(rollout.guards)
    until = rollout.ended_at or timezone.now()
    counted = figures.figures_of(rollout, guards, now=until)
    found = {
        "figures": [_over_time(rollout)],
        "window": guards.window_minutes,
        "sides": (_("Candidate") if rollout.share else _("Candidate, not shown"), _("Live version")),
        "rows": _rows(counted, guards),
        "looked": moment(rollout.watched_at),
    }
    if not rollout.is_open:
        return found
    missing = max(guards.at_least - min(counted.candidate.answers, counted.live.answers), 0)
    people = max(guards.at_least_people - min(counted.candidate.people, counted.live.people), 0)
    return {
        **found,
        "missing": grouped(missing) if missing else "",
        "missing_people": grouped(people) if people and rollout.share else "",
        "is_late": watch.is_late(rollout),
    }


_Row = tuple[str, str, str, str]


def _rows(counted: Figures, guards: ModelGuards) -> list[_Row]:
    """Return rows of what is counted: the candidate's, the live version's, and what is allowed."""
    candidate, live = counted.candidate, counted.live
    names = {
        "error_points": _("The engine failed"),
        "fallback_points": _("General list instead"),
        "unwanted_points": _("People who said “not relevant”"),
        "left_points": _("People who withdrew or objected"),
    }
    rows: list[_Row] = [(_("Answers"), grouped(candidate.answers), grouped(live.answers), NOTHING)]
    if not counted.is_shadow:
        rows.append((_("People who did something here"), grouped(candidate.people), grouped(live.people), NOTHING))
    rows += [
        (
            names[measure.limit],
            _rate(measure.rate(candidate)),
            _rate(measure.rate(live)),
            _("%(points)s more") % {"points": shared.points(getattr(guards, measure.limit))},
        )
        for measure in MEASURES
        if not (measure.is_of_people and counted.is_shadow)
    ]
    return [
        *rows,
        (
            _("Level served, 0 to 4"),
            _level(candidate),
            _level(live),
            _("%(steps)s less") % {"steps": f"{guards.level_steps:g}"},
        ),
        (
            _("Slowest one in a hundred, from"),
            shared.milliseconds(candidate.p99_us),
            shared.milliseconds(live.p99_us),
            _("%(times)s times as long") % {"times": f"{guards.latency_ratio:g}"},
        ),
    ]


def _rate(rate: Rate) -> str:
    bounds = limits.interval(rate)
    if bounds is None:
        return NOTHING
    return f"{limits.percent(rate.value)} [{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]"


def _level(side: Side) -> str:
    spread = Spread(side.levels)
    bounds = limits.interval_of_mean(spread)
    return NOTHING if bounds is None else f"{spread.mean:.2f} [{bounds[0]:.2f}, {bounds[1]:.2f}]"


def _over_time(rollout: ModelRollout) -> Figure:
    moments = figures.over_time(rollout, until=rollout.ended_at or timezone.now())
    return lines_figure(
        [f"{timezone.localtime(piece.began):%-d %b %H:%M}" for piece in moments],
        [
            (Part(_("Candidate"), Tone.CAUTION), [piece.candidate for piece in moments]),
            (Part(_("Live version"), Tone.ACCENT), [piece.live for piece in moments]),
        ],
        title=_("Share of answers that are the general list"),
        description=_("Of all answers for which a model was to be used; what the candidate would have given included."),
        heading=_("From"),
    )


def _comparison(rollout: ModelRollout) -> list[tuple[str, str]]:
    found = figures.comparison_of(rollout, until=rollout.ended_at or timezone.now())
    if found is None:
        return []
    return [
        (_("Requests compared"), grouped(found.compared)),
        (_("Left out under load"), grouped(found.dropped)),
        (_("Of the first ten items, the same"), _number(found.overlap, 10)),
        (_("Order of what both list (1: the same, 0: unrelated, -1: reversed)"), _number(found.agreement)),
        (_("Distance of the scores (0: none, 1: as far as can be)"), _number(found.score)),
    ]


def _number(value: float | None, times: int = 1) -> str:
    return NOTHING if value is None else f"{value * times:.2f}"


def panel(version: ModelVersion) -> str:
    """Return the deployments of a version, and where the next begins; empty for a model that is not served here."""
    if version.model.slug != engine.MODEL_SLUG:
        return ""
    rows = format_html_join(
        "",
        '<li><a href="{}">{}</a> {} {}</li>',
        (
            (_url(row), headline(row), shared.state_of(row), moment(row.started_at))
            for row in ModelRollout.objects.filter(version=version).select_related("version")[:_MOST_SHOWN]
        ),
    )
    listed = format_html("<ul>{}</ul>", rows) if rows else ""
    if version.status != ModelVersion.Status.APPROVED:
        return listed
    address = f"{reverse('model-rollouts')}?version={version.pk}"
    return format_html(
        '{}<p><a class="start-button" href="{}">{}</a></p>', listed, address, _("Roll it out next to the live version")
    )
