"""Simulations for officers: request one, watch it, read what a candidate would change, download the figures."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from common import actors
from common.admin_pages.display import NOTHING, badge, document, moment, who
from common.admin_pages.display import words as spaced
from common.admin_pages.permissions import require, requires
from common.charts.counts import Bucket, Figure, Series, Tone, bars_figure, columns_figure, grouped
from common.spreadsheet import safe_cell
from consent.models import Level, Purpose
from consent.register import words
from policies.bundles import reasons
from policies.models import ActiveBundle, Bundle, Decision, Policy, SimulationReport
from policies.simulation import CandidateUnusable, Kind, service
from policies.simulation.report import DIMENSIONS

DAYS = (1, 7, 30)
_DEFAULT_DAYS = 7
_MOST_CANDIDATES = 30
_MOST_SHOWN = 20
_MOST_BARS = 10
_State = SimulationReport.State
_TONES = {_State.WAITING: "plain", _State.RUNNING: "info", _State.DONE: "good", _State.FAILED: "alarm"}


_VIEW = "policies.view_simulationreport"


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(_VIEW)


_for_viewers = requires(_VIEW)


@require_http_methods(["GET", "HEAD", "POST"])
@_for_viewers
def overview(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _start(request)
    rows = list(SimulationReport.objects.defer("document")[:_MOST_SHOWN])
    context = {
        **admin.site.each_context(request),
        "title": _("Simulations"),
        "may_start": request.user.has_perm("policies.add_simulationreport"),
        "candidates": _candidates(request.GET.get("candidate", "")),
        "windows": [(days, _window(days), days == _DEFAULT_DAYS) for days in DAYS],
        "reports": [
            {"row": row, "state": badge(str(row.get_state_display()), _TONES[_State(row.state)]), **_in_list(row)}
            for row in rows
        ],
    }
    return render(request, "admin/simulations.html", context)


def _start(request: HttpRequest) -> HttpResponse:
    require(request, "policies.add_simulationreport")
    asked = request.POST.get("days", "")
    days = next((days for days in DAYS if str(days) == asked), _DEFAULT_DAYS)
    now = timezone.now()
    try:
        row = service.request_simulation(
            candidate=request.POST.get("candidate", ""),
            since=now - timedelta(days=days),
            until=now,
            author=actors.officer(request),
        )
    except CandidateUnusable as unusable:
        messages.error(request, unusable.detail)
        return redirect("simulations")
    return redirect("simulation", pk=row.pk)


def _candidates(wanted: str) -> list[tuple[str, str, bool]]:
    """Return published policies first, over the registers as they are; then the revisions stored."""
    policies = Policy.objects.defer("modules", "tests", "overlay")[:_MOST_CANDIDATES]
    return [*((p.digest, _policy(p), p.digest == wanted) for p in policies), *_revisions(wanted)]


def _policy(policy: Policy) -> str:
    published = f"{timezone.localtime(policy.created_at):%-d %B %Y %H:%M}"
    return _("Policy %(policy)s, %(published)s, %(note)s") % {
        "policy": policy,
        "published": published,
        "note": policy.note or NOTHING,
    }


def _revisions(wanted: str) -> list[tuple[str, str, bool]]:
    in_force = ActiveBundle.objects.values_list("bundle_id", flat=True).first()
    bundles = Bundle.objects.order_by("-created_at").only("revision", "reason", "created_at")[:_MOST_CANDIDATES]
    return [(b.revision, _candidate(b, b.revision == in_force), b.revision == wanted) for b in bundles]


def _candidate(bundle: Bundle, is_in_force: bool) -> str:
    name = f"{_short(bundle.revision)}, {timezone.localtime(bundle.created_at):%-d %B %Y %H:%M}, {bundle.reason}"
    return _("%(name)s (in force)") % {"name": name} if is_in_force else name


def _short(revision: str) -> str:
    return revision.removeprefix("sha256:")[:12]


def _window(days: int) -> str:
    return ngettext("The last day", "The last %(days)d days", days) % {"days": days}


def _in_list(row: SimulationReport) -> dict[str, Any]:
    return {
        "candidate": _short(row.candidate),
        "asked": moment(row.requested_at),
        "by": who(row.author),
        "found": grouped(row.counts["different"]) if row.counts else NOTHING,
        "of": grouped(row.counts["compared"]) if row.counts else NOTHING,
    }


@require_safe
@_for_viewers
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = get_object_or_404(SimulationReport, pk=pk)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Simulation of %(candidate)s") % {"candidate": _short(row.candidate)},
        "row": row,
        "by": who(row.author),
        "candidate": Bundle.objects.filter(pk=row.candidate).only("revision", "reason").first(),
        "share": _share_read(row),
        "read": grouped(row.decisions_read),
        "expected": grouped(row.decisions_expected or 0),
    }
    if row.document and row.state == _State.DONE:
        context |= _findings(row, row.document)
    return render(request, "admin/simulation.html", context)


def _share_read(row: SimulationReport) -> int:
    return min(99, 100 * row.decisions_read // row.decisions_expected) if row.decisions_expected else 0


def _findings(row: SimulationReport, report: Mapping[str, Any]) -> dict[str, Any]:
    found, purposes = report["in_force"], dict(Purpose.objects.values_list("slug", "name"))
    return {
        "headline": _headline(row, found),
        "then": _then(report["as_answered"]["different"]),
        "tiles": [
            {"label": label, "value": grouped(found["kinds"].get(kind, 0)), "is_some": found["kinds"].get(kind, 0)}
            for kind, label in kinds().items()
        ],
        "unreadable": report["unreadable"]["decisions"],
        "unreadable_says": next((e.get("engine", "") for e in report["unreadable"]["examples"]), ""),
        "skipped": [(label, grouped(report["skipped"].get(key, 0))) for key, label in _skipped().items()],
        "figures": [_over_time(found["over_time"], row), _by_purpose(found, purposes), _by_reason(found["by_reason"])],
        "tables": [_breakdown(name, found["by"].get(name, {}), purposes) for name in DIMENSIONS],
        "examples": [
            {"label": label, "cards": [_example(example, purposes) for example in found["examples"].get(kind, [])]}
            for kind, label in kinds().items()
            if found["examples"].get(kind)
        ],
    }


def _headline(row: SimulationReport, found: Mapping[str, Any]) -> str:
    numbers = {"compared": grouped(found["compared"]), "different": grouped(found["different"])}
    days = max(1, round((row.until - row.since) / timedelta(days=1)))
    window = ngettext("of the last day", "of the last %(days)d days", days) % {"days": days}
    if not found["compared"]:
        return _("There were no decisions to replay.")
    if not found["different"]:
        return _("All %(compared)s decisions %(window)s would come out as they do now.") % {**numbers, "window": window}
    return _("Of %(compared)s decisions %(window)s %(different)s would come out differently.") % {
        **numbers,
        "window": window,
    }


def _then(different: int) -> str:
    return _("Compared with what was answered at the time, %(count)s differ.") % {"count": grouped(different)}


def kinds() -> dict[str, str]:
    return {
        Kind.PERMIT_TO_DENY.value: _("Permitted now, then not"),
        Kind.DENY_TO_PERMIT.value: _("Not permitted now, then permitted"),
        Kind.PERMIT_TO_UNKNOWN.value: _("Permitted now, then undecided"),
        Kind.UNKNOWN_TO_PERMIT.value: _("Undecided now, then permitted"),
        Kind.DENY_TO_UNKNOWN.value: _("Not permitted now, then undecided"),
        Kind.UNKNOWN_TO_DENY.value: _("Undecided now, then not permitted"),
        Kind.LEVEL_DOWN.value: _("Less personal"),
        Kind.LEVEL_UP.value: _("More personal"),
        Kind.OBLIGATIONS_ADDED.value: _("New conditions"),
        Kind.OBLIGATIONS_REMOVED.value: _("Conditions gone"),
        Kind.REASONS.value: _("Same answer, other reasons"),
    }


def _skipped() -> dict[str, str]:
    return {
        "without_facts": _("Answered without facts (the database or the rules were away)"),
        "other_packages": _("Decided by other packages than consent"),
        "not_an_entry": _("Entries that cannot be read"),
    }


def _over_time(columns: Sequence[Mapping[str, Any]], row: SimulationReport) -> Figure:
    pattern = "%-d %b" if row.until - row.since > timedelta(days=2) else "%H:%M"
    losing = (Kind.PERMIT_TO_DENY, Kind.PERMIT_TO_UNKNOWN)
    gaining = (Kind.DENY_TO_PERMIT, Kind.UNKNOWN_TO_PERMIT)
    buckets = []
    for column in columns:
        lost = sum(column.get(kind, 0) for kind in losing)
        won = sum(column.get(kind, 0) for kind in gaining)
        counts = {"lost": lost, "won": won, "rest": column.get("different", 0) - lost - won}
        label = timezone.localtime(datetime.fromisoformat(column["from"]))
        buckets.append(Bucket(f"{label:{pattern}}", counts))
    return columns_figure(
        buckets,
        [
            Series("lost", _("No longer permitted"), Tone.CAUTION),
            Series("won", _("Newly permitted"), Tone.ACCENT),
            Series("rest", _("Another level or other conditions"), Tone.QUIET),
        ],
        title=_("Differences over time"),
        description=_("Decisions that would come out differently, by when they were made."),
        bucket_heading=_("From"),
    )


def _by_purpose(found: Mapping[str, Any], purposes: Mapping[str, str]) -> Figure:
    rows = [
        (_value("purpose", slug, purposes), row.get("different", 0)) for slug, row in found["by"]["purpose"].items()
    ]
    rows = sorted((row for row in rows if row[1]), key=lambda row: -row[1])[:_MOST_BARS]
    return bars_figure(
        rows,
        title=_("Differences by purpose"),
        description=_("Decisions that would come out differently, the purposes with most of them first."),
        headings=(_("Purpose"), _("Decisions")),
    )


def _by_reason(counts: Mapping[str, int]) -> Figure:
    rows = sorted(counts.items(), key=lambda row: -row[1])[:_MOST_BARS]
    return bars_figure(
        [(reasons.for_officer(code) if code else _("No reason is given"), count) for code, count in rows],
        title=_("Differences by reason"),
        description=_("The reason that comes with the new answer or, where none does, the one that goes."),
        headings=(_("Reason"), _("Decisions")),
    )


def _headings() -> dict[str, str]:
    return {
        "purpose": _("Purpose"),
        "jurisdiction": _("Law"),
        "region": _("Region"),
        "model": _("Model"),
        "action": _("What was asked"),
    }


def _value(dimension: str, value: str, purposes: Mapping[str, str]) -> str:
    if value == "unknown":
        return _("Not known")
    if dimension == "purpose":
        return purposes.get(value, value or NOTHING)
    if dimension == "action":
        return str(words.action(value))
    if dimension == "jurisdiction":
        return value.upper() or NOTHING
    return value or (_("No model") if dimension == "model" else NOTHING)


def _breakdown(dimension: str, rows: Mapping[str, Mapping[str, int]], purposes: Mapping[str, str]) -> dict[str, Any]:
    ordered = sorted(rows.items(), key=lambda row: (-row[1].get("different", 0), row[0]))[:_MOST_SHOWN]
    columns = {
        "decisions": _("Decisions"),
        "different": _("Different"),
        Kind.PERMIT_TO_DENY: _("No longer permitted"),
        Kind.DENY_TO_PERMIT: _("Newly permitted"),
        Kind.LEVEL_DOWN: _("Less personal"),
        Kind.LEVEL_UP: _("More personal"),
    }
    return {
        "heading": _headings()[dimension],
        "columns": columns.values(),
        "rows": [
            (
                _value(dimension, value, purposes),
                [(label, grouped(row.get(name, 0))) for name, label in columns.items()],
            )
            for value, row in ordered
        ],
    }


def _example(example: Mapping[str, Any], purposes: Mapping[str, str]) -> dict[str, Any]:
    facts = example["facts"]
    asked = {
        "action": words.action(str(facts.get("action", ""))),
        "purpose": _value("purpose", str(facts.get("purpose", "")), purposes),
    }
    return {
        "asked": _("%(action)s for: %(purpose)s") % asked,
        "decision": example["decision_id"],
        "times": example["decisions"],
        "sides": [
            {"heading": _("Now"), **_side(example["before"])},
            {"heading": _("With the candidate"), **_side(example["after"])},
        ],
        "facts": document(facts),
    }


def _side(answer: Mapping[str, Any]) -> dict[str, Any]:
    level = answer["level"]
    return {
        "outcome": Decision.Outcome(answer["outcome"]).label,
        "level": Level(level).label if level in Level.values else "",
        "reasons": [reasons.for_officer(code) for code in answer["reasons"]],
        "obligations": [spaced(kind) for kind in answer["obligations"]],
    }


@require_safe
@_for_viewers
def download_json(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = get_object_or_404(SimulationReport, pk=pk, state=_State.DONE)
    body = json.dumps(row.document, indent=2, ensure_ascii=False) + "\n"
    return _file(HttpResponse(body, content_type="application/json"), row, "json")


@require_safe
@_for_viewers
def download_csv(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Return the breakdowns as CSV, a line for each group."""
    row = get_object_or_404(SimulationReport, pk=pk, state=_State.DONE)
    response = _file(HttpResponse(content_type="text/csv; charset=utf-8"), row, "csv")
    writer = csv.writer(response)
    writer.writerow(["compared_with", "group", "value", "decisions", "different", *Kind])
    writer.writerows(_csv_rows(row.document or {}))
    return response


def _file(response: HttpResponse, row: SimulationReport, kind: str) -> HttpResponse:
    name = f"simulation-{_short(row.candidate)}-{row.until:%Y-%m-%d}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _csv_rows(report: Mapping[str, Any]) -> Iterator[list[Any]]:
    for compared in ("in_force", "as_answered"):
        found = report[compared]
        kinds = found["kinds"]
        yield [compared, "all", "", found["compared"], found["different"], *(kinds.get(kind, 0) for kind in Kind)]
        for dimension in DIMENSIONS:
            for value, counts in found["by"].get(dimension, {}).items():
                numbers = [counts.get(name, 0) for name in ("decisions", "different", *Kind)]
                yield [compared, dimension, safe_cell(value), *numbers]
