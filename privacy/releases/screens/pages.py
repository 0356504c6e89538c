"""Officers' pages of releases: upload, roles of the columns, preview with pictures, proposal, approval, revocation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common import actors
from common.admin_pages.confirm import answer
from common.admin_pages.display import NOTHING, badge, moment, who
from common.admin_pages.permissions import require, requires
from common.charts.counts import Figure
from common.http.problems import InvalidRequest, Problem
from consent.models import Party, Purpose
from oversight.admin import timeline
from privacy.anonymisation.actions import wanted
from privacy.models import TableRelease, UploadedTable
from privacy.releases import asking, limits, places, publishing, uploads
from privacy.releases.asking import Asked
from privacy.releases.inputs import sources, trees
from privacy.releases.problems import NoSuchRelease
from privacy.releases.profiling import LABELS, Profile, beginning
from privacy.releases.running import STEPS
from privacy.releases.screens import noisy_tables, plots
from privacy.releases.screens.fields import refused_fields, share, whole
from privacy.releases.subjects import APPROVE, PREPARE, RELEASE, VIEW, of_release

_Stage, _State = TableRelease.Stage, TableRelease.State
_TONES = {
    _Stage.DRAFT: "plain", _Stage.PROPOSED: "caution", _Stage.PUBLISHED: "good", _Stage.REFUSED: "plain",
    _Stage.REVOKED: "alarm",
}  # fmt: skip
_MOST = 50
_FORM_BYTES = 64 * 2**20  # what the front takes (``governance.front.limits``), with the form's other fields


@require_http_methods(["GET", "HEAD", "POST"])
@requires(VIEW)
def overview(request: HttpRequest) -> HttpResponse:
    """List releases and tables; a POST uploads a table, or takes the rows of a registered data set."""
    typed = {"days": str(uploads.KEPT_DAYS)}
    if request.method == "POST":
        require(request, PREPARE)
        try:
            table = _taken(request)
        except Problem as refused:
            messages.error(request, refused.detail)
            typed |= request.POST.dict()
        else:
            how = "is taken in" if table.source else "is uploaded"
            messages.success(request, f"{table.name} {how}: {table.rows:,} rows, {len(table.columns)} columns.")
            return redirect("release-table", pk=table.pk)
    releases, tables = TableRelease.objects.select_related("table"), UploadedTable.objects.filter(removed_at=None)
    context = {
        **admin.site.each_context(request),
        "title": "Releases of tables",
        "may_prepare": request.user.has_perm(PREPARE),
        "typed": typed,
        "refused": request.method == "POST" and ("data_set" if "data_set" in typed else "file"),
        "most_bytes": _FORM_BYTES,
        "data_sets": sources.known(),
        "rows": [(row, state_of(row), who(row.author), moment(row.requested_at)) for row in releases[:_MOST]],
        "tables": tables[:_MOST],
        "older": {"releases": max(0, releases.count() - _MOST), "tables": max(0, tables.count() - _MOST)},
    }
    return render(request, "admin/releases/overview.html", context)


def _taken(request: HttpRequest) -> UploadedTable:
    days = request.POST.get("days", "")
    length = int(days) if days.isdecimal() and len(days) < 5 else 0
    if data_set := request.POST.get("data_set"):
        return sources.take(data_set, actor=actors.officer(request), days=length)
    upload = request.FILES.get("file")
    if upload is None:
        raise InvalidRequest("Choose a CSV or Parquet file.")
    name = _named(request.POST.get("name", ""), str(upload.name))
    return uploads.take(name, upload.chunks(), actor=actors.officer(request), days=length)


def _named(typed: str, file: str) -> str:
    """Return the name a table is shown by; its ending is the file's, as that says how it is read."""
    ending = Path(file).suffix
    return typed.strip().removesuffix(ending) + ending if typed.strip() else file


@require_http_methods(["GET", "HEAD", "POST"])
@requires(VIEW)
def table(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the columns of an uploaded table with suggested roles; a POST asks for a copy."""
    row = get_object_or_404(UploadedTable, pk=pk)
    typed: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    if request.method == "POST":
        require(request, PREPARE)
        typed = request.POST.dict()
        try:
            made = asking.ask(row, _asked(request, row), actor=actors.officer(request))
        except Problem as refused:
            wrong = refused_fields(request, refused)
        else:
            messages.success(request, "The copy is being made. It begins within a minute.")
            return redirect("release", pk=made.pk)
    return render(
        request, "admin/releases/table.html", {**admin.site.each_context(request), **_form(row, typed, wrong)}
    )


def _form(row: UploadedTable, typed: dict[str, Any], wrong: dict[str, str]) -> dict[str, Any]:
    begun = beginning(Profile(**column) for column in row.columns)
    columns = [
        {
            **column,
            "number": number,
            "role": typed.get(f"role-{number}", begun[column["name"]]),
            "suggested": column.get("action", ""),
            "action": typed.get(f"action-{number}", ""),
            "wrong": wrong.get(f"column {column['name']}", ""),
        }
        for number, column in enumerate(row.columns)
    ]
    known = limits.in_force()
    defaults = {"k": str(known.k_at_least), "l": str(known.l_at_least), "t": "", "suppress": "0", "days": "90"}
    return {
        "title": f"Make {row.name} safe",
        "table": row,
        "columns": columns,
        "roles": list(LABELS.items()),
        "actions": wanted.LABELS.items(),
        "typed": {**defaults, **typed},
        "wrong": wrong,
        "purposes": Purpose.objects.filter(is_active=True),
        "parties": Party.objects.all(),
        "chosen": typed.get("receivers", ""),
        "groups": places.groups(),
        "regions": places.regions(),
    }


def _asked(request: HttpRequest, row: UploadedTable) -> Asked:
    said = request.POST
    return Asked(
        roles={column["name"]: said.get(f"role-{number}", "") for number, column in enumerate(row.columns)},
        k=whole(said, "k", "k"),
        l=whole(said, "l", "l"),
        t=share(said, "t", "t") if said.get("t", "").strip() else None,
        suppress=share(said, "suppress", "the share of rows left out") if said.get("suppress", "").strip() else 0.0,
        fast="fast" in said,
        hierarchies=trees.take(dict(_hierarchies(request, row))),
        purpose=said.get("purpose", ""),
        receivers=tuple(said.getlist("receivers")),
        people=said.get("people", ""),
        region=said.get("region", ""),
        days=whole(said, "days", "days"),
        actions=tuple(
            f"{column['name']}={action}"
            for number, column in enumerate(row.columns)
            if (action := said.get(f"action-{number}", "").strip())
        ),
    )


def _hierarchies(request: HttpRequest, row: UploadedTable) -> Iterator[tuple[str, bytes]]:
    """Yield the files that were chosen for columns; one that is too large is read far enough to be refused."""
    for number, column in enumerate(row.columns):
        file = request.FILES.get(f"hierarchy-{number}")
        if isinstance(file, UploadedFile):
            yield column["name"], file.read(trees.MOST_BYTES + 1)


@require_safe
@requires(VIEW)
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a release: how far its job is, what was measured, what the policy says, and the steps that are possible."""
    row = get_object_or_404(TableRelease.objects.select_related("table", "decision"), pk=pk)
    is_done = row.state == _State.DONE
    verdict = publishing.verdict_of(row) if is_done and row.stage in (_Stage.DRAFT, _Stage.PROPOSED) else None
    context = {
        **admin.site.each_context(request),
        "title": f"Release of {row.table.name}",
        "release": row,
        "state": state_of(row),
        "is_in_force": row.is_in_force(timezone.now()),
        "author": who(row.author),
        "steps": len(STEPS),
        "verdict": verdict,
        "figures": _figures(row),
        "tables": list(noisy_tables.measured(row)) if row.is_noisy else [],
        "measured": list(_measured(row)),
        "facts": list(_asked_for(row)),
        "history": timeline.drawn((RELEASE.slug, str(row.pk))),
        **_may(request, row, verdict),
    }
    return render(request, "admin/releases/release.html", context)


def _figures(row: TableRelease) -> list[Figure]:
    if not row.report or not row.figures:
        return []
    return noisy_tables.figures(row) if row.is_noisy else plots.figures(row.report, row.figures)


def _may(request: HttpRequest, row: TableRelease, verdict: Any) -> dict[str, bool]:
    user, is_proposed = request.user, row.stage == _Stage.PROPOSED
    is_author = of_release(row).is_author(actors.officer(request))
    passes = verdict is not None and verdict.is_permitted
    return {
        "may_propose": row.stage == _Stage.DRAFT and passes and user.has_perm(PREPARE),
        "may_approve": is_proposed and passes and not is_author and user.has_perm(APPROVE),
        "may_refuse": is_proposed and (is_author or user.has_perm(APPROVE)),
        "may_revoke": row.stage == _Stage.PUBLISHED and (user.has_perm(PREPARE) or user.has_perm(APPROVE)),
        "waits": is_proposed and is_author,
    }


def state_of(row: TableRelease) -> str:
    """Return how far a release is, as a badge."""
    if row.state != _State.DONE:
        tone = {_State.RUNNING: "info", _State.FAILED: "alarm"}.get(_State(row.state), "plain")
        return badge(row.get_state_display(), tone)
    if row.stage == _Stage.PUBLISHED and not row.is_in_force(timezone.now()):
        return badge("Ended", "plain")
    return badge(row.get_stage_display(), _TONES[_Stage(row.stage)])


def _measured(row: TableRelease) -> Iterator[tuple[str, str, str]]:
    """Yield measures before and after."""
    if not row.report or not row.figures or row.is_noisy:
        return
    result, before = row.report["result"], row.figures
    risk, smallest = result["risk"], before["smallest_before"]
    yield "Rows in the smallest class", f"{smallest:,}", f"{result['smallest_class']:,}"
    yield "Classes", f"{before['classes_before']:,}", f"{result['classes']:,}"
    yield "Prosecutor risk (a known person)", _percent(1 / smallest), _percent(risk["prosecutor"])
    yield "Journalist risk (any person)", _percent(1 / smallest), _percent(risk["journalist"])
    marketer = before["classes_before"] / row.table.rows
    yield "Marketer risk (mean of all rows)", _percent(marketer), _percent(risk["marketer"])
    yield "Rows of their own", _percent(risk["unique_before"]), _percent(risk["unique_after"])
    yield "Information lost (NCP)", "0 %", _percent(result["ncp"])
    yield "Rows left out", "0", f"{result['suppressed']:,}"
    if result["fewest_sensitive"] is not None:
        yield "Fewest sensitive values in a class (l)", NOTHING, f"{result['fewest_sensitive']:,}"
        yield "Farthest from the table's shares (t)", NOTHING, f"{result['furthest']:.3f}"
    if linked := row.report.get("linked"):
        yield "People who share all classes of a person (through pseudonyms)", NOTHING, f"{linked['smallest']:,}"
        yield "Prosecutor risk through pseudonyms", NOTHING, _percent(1 / max(linked["smallest"], 1))
        yield "People alone in their classes (through pseudonyms)", NOTHING, _percent(linked["alone"])
    for each in before.get("attacks", ()):
        found = "too few rows" if each["excess"] is None else f"{_percent(each['excess'])} more"
        others, these = f"{_percent(each['control'])} of others", f"{_percent(each['rate'])} of people in it ({found})"
        yield each["name"].capitalize(), others, these
    for each in before["overlaps"]:
        yield f"Left of a class with release {each['release'][:8]}", NOTHING, f"{each['smallest']:,}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _asked_for(row: TableRelease) -> Iterator[tuple[str, Any]]:
    yield from noisy_tables.asked_for(row) if row.is_noisy else _classes_asked_for(row, Asked.of(row))
    asked = row.asked
    if row.table.source:
        yield "Data set", f"{row.table.source}, rows of {moment(row.table.uploaded_at)}"
    yield "Purpose", asked["purpose"]
    yield "Receivers", ", ".join(asked["receivers"])
    yield "People of, kept in", f"{asked['people']}, {asked['region']}"
    yield "In force for", f"{asked['days']:,} days"
    if row.expires_at is not None:
        yield "Ends", moment(row.expires_at)
    if row.decision is not None:
        yield "Decided by", who(row.decision.actor)
    if row.document is not None:
        yield "Policy revision", row.document["policy"]["revision"]
    if row.target_sha256:
        yield "SHA-256 of the copy", row.target_sha256


def _classes_asked_for(row: TableRelease, asked: Asked) -> Iterator[tuple[str, Any]]:
    for role, label in LABELS.items():
        if names := asked.columns(role):
            yield label, ", ".join(names)
    for said in (row.report or {}).get("actions", asked.actions):
        yield "Action", said if isinstance(said, str) else wanted.line(said)
    limit = f", t = {asked.t:g}" if asked.t is not None else ""
    yield "Asked for", f"k = {asked.k}, l = {asked.l} ({asked.diversity}){limit}{', quicker' if asked.fast else ''}"
    if asked.hierarchies:
        yield "Hierarchies", ", ".join(asked.hierarchies)


@require_POST
def step(request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
    """Take a step: propose, approve, refuse or revoke."""
    row = get_object_or_404(TableRelease.objects.select_related("table"), pk=pk)
    if name not in _STEPS:
        raise Http404
    try:
        said = _STEPS[name](request, row)
    except Problem as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, said)
    return redirect("release", pk=pk)


def _propose(request: HttpRequest, row: TableRelease) -> str:
    require(request, PREPARE)
    publishing.propose(row, actor=actors.officer(request), reason=answer(request))
    return "Proposed. Another officer finds it on the start page."


def _approve(request: HttpRequest, row: TableRelease) -> str:
    require(request, APPROVE)
    seen = request.POST.get("seen", "")
    publishing.approve(row, actor=actors.officer(request), seen=seen, reason=answer(request))
    return "Published. Its receivers can fetch it from now on."


def _refuse(request: HttpRequest, row: TableRelease) -> str:
    if not of_release(row).is_author(actors.officer(request)):
        require(request, APPROVE)
    publishing.refuse(row, actor=actors.officer(request), seen=request.POST.get("seen", ""), reason=answer(request))
    return "Nothing of it leaves."


def _revoke(request: HttpRequest, row: TableRelease) -> str:
    if not request.user.has_perm(APPROVE):
        require(request, PREPARE)
    publishing.revoke(row, actor=actors.officer(request), reason=answer(request))
    return "Revoked. From now on it is handed to no one."


_STEPS = {"propose": _propose, "approve": _approve, "refuse": _refuse, "revoke": _revoke}


@require_safe
@requires(VIEW)
def manifest(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Return the signed manifest of a release that was published."""
    row = get_object_or_404(TableRelease.objects.select_related("table"), pk=pk)
    if not row.manifest:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="{row.manifest_name}"'}
    return HttpResponse(row.manifest, content_type="application/jose", headers=headers)


@require_safe
def download(request: HttpRequest, pk: UUID) -> FileResponse:
    """Return the copy to an officer who decides about it, or prepared it. It stands in the audit trail."""
    if not request.user.has_perm(APPROVE):
        require(request, PREPARE)
    row = get_object_or_404(TableRelease.objects.select_related("table"), pk=pk, state=_State.DONE)
    try:
        file = publishing.hand_out(row, actor=actors.officer(request), party="officer")
    except NoSuchRelease:
        raise Http404 from None
    return FileResponse(file, as_attachment=True, filename=row.file_name)
