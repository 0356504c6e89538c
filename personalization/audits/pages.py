"""Page of a version's audits: ask for them, see how far they are, read and download what was found."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from common import actors
from common.admin_pages.display import badge, moment, who
from common.admin_pages.permissions import require, requires
from common.http.problems import Problem
from model_registry.models import ModelVersion
from personalization.audits import panel, running
from personalization.audits.models import AuditRun
from personalization.audits.suite import AUDITS

VIEW, ADD = "personalization.view_auditrun", "personalization.add_auditrun"
_MOST_RUNS = 20
_RUNS = ("Audits", "State", "Asked by", "Asked", "Ended")
_PROMOTED = ("Little known item", "Fake profiles", "Shown to before", "Shown to after", "Rank before", "Rank after")
_State = AuditRun.State
_TONES = {_State.WAITING: "plain", _State.RUNNING: "info", _State.DONE: "good", _State.FAILED: "alarm"}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(VIEW)
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the audits of a version; a POST asks for those that are ticked."""
    version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk)
    if request.method == "POST":
        return _ask(request, version)
    newest = panel.newest_results(version)
    runs = list(AuditRun.objects.filter(version=version).defer("document", "signature")[:_MOST_RUNS])
    context = {
        **admin.site.each_context(request),
        "title": f"Audits of {version.title}",
        "version": version,
        "may_ask": request.user.has_perm(ADD),
        "audits": [(name, audit.title) for name, audit in AUDITS.items()],
        "open": [run for run in runs if not run.has_ended],
        "latest": next((run for run in runs if run.state == _State.DONE), None),
        "figures": panel.figures(newest),
        "tables": _tables(version, newest),
        "runs": _Table("runs", "Runs", _RUNS, _runs(runs)),
    }
    return render(request, "admin/models/audits.html", context)


def _ask(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    require(request, ADD)
    try:
        running.request(version, author=actors.officer(request), only=request.POST.getlist("audits"))
    except Problem as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, "The audits are asked for. They begin within a minute.")
    return redirect("model-audits", pk=version.pk)


@dataclass(frozen=True)
class _Table:
    """A table of the page under its heading, with a sentence about it."""

    slug: str
    heading: str
    headings: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    note: str = ""

    def lines(self) -> Iterator[list[tuple[str, Any]]]:
        """Yield the cells of each row, each with its heading."""
        return (list(zip(self.headings, row, strict=True)) for row in self.rows)


def _tables(version: ModelVersion, newest: panel.Newest) -> list[_Table]:
    found = panel.summary(version, newest) if newest else []
    note = "" if found else "Its file has not been audited yet."
    fakes = "One fake profile to a hundred people; each holds the item and twenty popular ones."
    tables = [
        _Table("found", "What was found", panel.SUMMARY, found, note),
        _Table("promoted", "Items that fake profiles promote", _PROMOTED, panel.promoted(newest), fakes),
        _Table("cases", "Recorded cases", ("Case", "Answer", "Difference"), panel.cases(newest)),
    ]
    return [table for table in tables if table.rows or table.slug == "found"]


def _runs(runs: list[AuditRun]) -> list[tuple[Any, ...]]:
    return [
        (
            ", ".join(AUDITS[name].title for name in run.audits if name in AUDITS),
            badge(run.get_state_display(), _TONES[_State(run.state)]),
            who(run.author),
            moment(run.requested_at),
            run.error or moment(run.finished_at),
        )
        for run in runs
    ]


@require_safe
@requires(VIEW)
def download(request: HttpRequest, run: UUID) -> HttpResponse:
    """Return the document of a run with its signature."""
    row = get_object_or_404(AuditRun, pk=run, state=_State.DONE)
    document = json.dumps({**(row.document or {}), "signature": row.signature}, indent=2, ensure_ascii=False)
    response = HttpResponse(document, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="audit-{row.pk}.json"'
    return response
