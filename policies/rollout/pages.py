"""Rollouts for officers: progress of a candidate, decisions of both sides, the reason of a rollback."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common import actors
from common.admin_pages.display import NOTHING, moment, who
from common.admin_pages.permissions import require
from common.charts.counts import Figure, Tone, bars_figure, grouped
from common.charts.rates import Part, lines_figure
from common.rollouts.limits import Rate, percent
from consent.models import Purpose
from consent.register import words
from oversight.admin import timeline
from oversight.approvals import subjects
from oversight.rollouts import pages as shared
from oversight.rollouts import watch
from policies.bundles import candidates, publishing
from policies.bundles.subjects import ACTIVATE, ROLLOUT, of_rollout
from policies.models import Decision, Policy, Rollout
from policies.rollout import figures, guards
from policies.rollout.guards import Figures, Guards
from policies.simulation import pages

_MOST_SHOWN = 20
_MOST_EXAMPLES = 5
VIEW, ACT = "policies.view_rollout", ACTIVATE


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(VIEW)


def may_act(request: HttpRequest) -> bool:
    """Return whether the officer may activate a policy, and so also roll it out."""
    return request.user.has_perm(ACT)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    require(request, VIEW)
    running, wanted = candidates.open_rollout(), request.GET.get("policy", "")
    context = {
        **admin.site.each_context(request),
        "title": _("Rollouts"),
        "running": running,
        "running_url": reverse("rollout", args=[running.pk]) if running else "",
        "start_url": reverse("rollout-start"),
        "headline": headline(running) if running else "",
        "may_start": may_act(request) and running is None,
        "candidates": [(p.digest, named(p), p.digest == wanted) for p in _published()],
        "limits": limits(Guards()),
        "rollouts": [
            shared.row_of(row, name=str(row.policy), url=reverse("rollout", args=[row.pk]))
            for row in Rollout.objects.select_related("policy")[:_MOST_SHOWN]
        ],
    }
    return render(request, "admin/rollouts.html", context)


def _published() -> list[Policy]:
    """Return the policies that can be rolled out, newest first."""
    last = publishing.last_activation()
    rows = Policy.objects.defer("modules", "tests", "overlay").exclude(pk=last.policy_id if last else "")
    return list(rows[:_MOST_SHOWN])


def named(policy: Policy) -> str:
    return f"{policy}, {timezone.localtime(policy.created_at):%-d %B %Y %H:%M}, {policy.note or NOTHING}"


def limits(guards_set: Guards) -> list[dict[str, Any]]:
    """Return the fields of the form, in the officers' words."""
    texts = {
        "window_minutes": _("Minutes the guards look back"),
        "at_least": _("Decisions of the candidate before it is judged"),
        "deny_points": _("Percentage points its denials may differ"),
        "error_points": _("Percentage points the engine may fail at more"),
        "latency_ratio": _("Times as long the slowest one in a hundred may take"),
    }
    return shared.limit_fields(guards_set, texts)


@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    require(request, VIEW)
    rollout = get_object_or_404(Rollout.objects.select_related("policy"), pk=pk)
    context = {
        **admin.site.each_context(request),
        "title": _("Rollout of policy %(policy)s") % {"policy": rollout.policy},
        "rollout": rollout,
        "headline": headline(rollout),
        "state": shared.state_of(rollout),
        "author": who(rollout.policy.author),
        "by": who(rollout.started_by),
        "may_act": may_act(request) and rollout.is_open,
        "why_not": shared.why_not(of_rollout(rollout), actors.officer(request)),
        "may_confirm": may_act(request) and subjects.waits_for_review(of_rollout(rollout)),
        "figures": [_denials(rollout), _kinds(rollout)],
        "urls": {
            "finish" if name == "promote" else name: reverse("rollout-step", args=[pk, name])
            for name in ("share", "promote", "stop", "confirm")
        },
        "steps": timeline.of((ROLLOUT.slug, str(pk))),
        "examples": _examples(rollout),
    }
    if rollout.is_open:
        context |= _watched(rollout)
    return render(request, "admin/rollout.html", context)


def headline(rollout: Rollout) -> str:
    named = {"policy": rollout.policy, "share": f"{rollout.share / 100:g}"}
    if not rollout.is_open:
        return _("Policy %(policy)s: %(end)s.") % {**named, "end": str(rollout.get_state_display()).lower()}
    if not rollout.share:
        return _("Policy %(policy)s is evaluated in parallel with the active one. It answers no one.") % named
    return _("Policy %(policy)s answers %(share)s %% of the people.") % named


def _watched(rollout: Rollout) -> dict[str, Any]:
    """Return what the guards see now, next to what they allow."""
    limits_set = guards.read_guards(rollout.guards)
    counted = figures.figures_of(rollout, limits_set, now=timezone.now())
    missing = max(limits_set.at_least - counted.candidate.decisions, 0)
    return {
        "window": limits_set.window_minutes,
        "missing": grouped(missing) if missing else "",
        "sides": (_("Candidate") if rollout.share else _("Candidate would have said"), _("Active policy")),
        "rows": _rows(counted, limits_set),
        "looked": moment(rollout.watched_at),
        "is_late": watch.is_late(rollout),
    }


def _rows(counted: Figures, limits_set: Guards) -> list[tuple[str, str, str, str]]:
    """Return rows of what is counted: the candidate's, the active policy's, and what is allowed."""
    candidate, active = counted.candidate, guards.yardstick(limits_set, counted) or counted.active
    slowest = counted.active if counted.is_shadow else candidate
    usual = counted.before if counted.is_shadow else active
    return [
        (_("Decisions"), grouped(candidate.decisions), grouped(active.decisions), NOTHING),
        (
            _("Not permitted"),
            _rate(candidate.denials),
            _rate(active.denials),
            _("%(points)s apart") % {"points": shared.points(limits_set.deny_points)},
        ),
        (
            _("The engine failed"),
            _rate(candidate.failures),
            _rate(active.failures),
            _("%(points)s more") % {"points": shared.points(limits_set.error_points)},
        ),
        (
            _("Slowest one in a hundred, with it in parallel and before that, from")
            if counted.is_shadow
            else _("Slowest one in a hundred, from"),
            shared.milliseconds(slowest.p99_us),
            shared.milliseconds(usual.p99_us),
            _("%(times)s times as long") % {"times": f"{limits_set.latency_ratio:g}"},
        ),
    ]


def _rate(rate: Rate) -> str:
    return percent(rate.value) if rate.of else NOTHING


def _denials(rollout: Rollout) -> Figure:
    moments = figures.over_time(rollout)
    return lines_figure(
        [f"{timezone.localtime(piece.began):%-d %b %H:%M}" for piece in moments],
        [
            (Part(_("Candidate"), Tone.CAUTION), [piece.candidate for piece in moments]),
            (Part(_("Active policy"), Tone.ACCENT), [piece.active for piece in moments]),
        ],
        title=_("Share of denials"),
        description=_(
            "Of all decisions in the log, batches too. Beside the active policy: what the candidate would say."
        ),
        heading=_("From"),
    )


def _kinds(rollout: Rollout) -> Figure:
    counts = figures.differences_by_kind(since=rollout.started_at, until=rollout.ended_at or timezone.now())
    labels = pages.kinds()
    rows = [(labels.get(kind, kind), count) for kind, count in sorted(counts.items(), key=lambda row: -row[1])]
    return bars_figure(
        rows,
        title=_("Differences while it was evaluated in parallel"),
        description=_("Decisions the candidate would have answered differently. One can differ in several ways."),
        headings=(_("Difference"), _("Decisions")),
    )


def _examples(rollout: Rollout) -> list[dict[str, Any]]:
    purposes = dict(Purpose.objects.values_list("slug", "name"))
    rows = figures.differing(since=rollout.started_at, until=rollout.ended_at or timezone.now())[:_MOST_EXAMPLES]
    return [_example(decision, purposes) for decision in rows]


def _example(decision: Decision, purposes: Mapping[str, str]) -> dict[str, Any]:
    asked = {"action": words.action(decision.action), "purpose": purposes.get(decision.purpose, decision.purpose)}
    labels, shadow = pages.kinds(), decision.shadow or {}
    return {
        "asked": _("%(action)s for: %(purpose)s") % asked,
        "how": ", ".join(labels.get(kind, kind) for kind in shadow.get("kinds", ())),
        "at": moment(decision.decided_at),
        "pk": decision.pk,
    }
