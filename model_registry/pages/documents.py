"""Page of one document of a version: what it lacks, its content to edit or upload, its revisions, its reviews."""

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from common import actors
from common.admin_pages.permissions import require
from common.http.problems import Problem
from model_registry import prefill
from model_registry.documents import archives, keeping
from model_registry.documents.kinds import KINDS
from model_registry.documents.models import Document
from model_registry.documents.reading import MAX_BYTES
from model_registry.gates import recording
from model_registry.gates.models import DocumentReview
from model_registry.models import ModelVersion

VIEW, CHANGE = "model_registry.view_modelversion", "model_registry.change_model"
APPROVE = "oversight.approve_changeset"
_PREFILLED = {"card": prefill.card, "dpia": prefill.assessment, "fria": prefill.assessment, "runbook": prefill.runbook}


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Show a document; a POST keeps a revision, or gives a verdict or comment on the one that was shown."""
    if not (request.user.has_perm(VIEW) or request.user.has_perm(CHANGE)):
        raise PermissionDenied(VIEW)
    version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk)
    if kind not in KINDS:
        raise Http404
    content = None
    if request.method == "POST":
        try:
            _act(request, version, kind)
        except Problem as problem:
            messages.error(request, problem.detail)
            content = request.POST.get("content")
        else:
            return redirect("model-document", pk=pk, kind=kind)
    return render(request, "admin/models/document.html", _context(request, version, kind, content))


def _act(request: HttpRequest, version: ModelVersion, kind: str) -> None:
    if "verdict" in request.POST:
        _review(request, version, kind)
        return
    require(request, CHANGE)
    upload, actor = request.FILES.get("file"), actors.officer(request)
    if upload:
        kept = archives.take_in(version, str(upload.name), upload.read(MAX_BYTES + 1), actor=actor, kind=kind)
    else:
        content = request.POST.get("content", "").encode()
        kept = archives.take_in(version, "", content, actor=actor, form=keeping.NATIVE, kind=kind)
    for row in kept:
        if row.kind != kind:
            messages.warning(request, f"The file is a {KINDS[row.kind].title.lower()}, and was kept as one.")
        messages.success(request, f"{KINDS[row.kind].title}: revision {row.revision} is kept.")


def _review(request: HttpRequest, version: ModelVersion, kind: str) -> None:
    verdict, role = request.POST["verdict"], request.POST.get("role", "")
    if verdict not in DocumentReview.Verdict.values or role not in DocumentReview.Role.values:
        raise Http404
    is_comment = verdict == DocumentReview.Verdict.COMMENT
    if not (request.user.has_perm(APPROVE) or (is_comment and request.user.has_perm(CHANGE))):
        raise PermissionDenied(APPROVE)
    row = get_object_or_404(Document, version=version, kind=kind, revision=request.POST.get("revision", "0"))
    recording.review(
        row, verdict=verdict, role=role, comment=request.POST.get("comment", ""), actor=actors.officer(request)
    )
    messages.success(request, "Your review is kept.")


def _context(request: HttpRequest, version: ModelVersion, kind: str, content: str | None) -> dict[str, Any]:
    rows = list(version.documents.filter(kind=kind).defer("source").order_by("-revision"))
    newest = rows[0] if rows else None
    described = KINDS[kind]
    document = keeping.document_of(newest) if newest else None
    return {
        **admin.site.each_context(request),
        "title": f"{described.title} of {version.model.name}, version {version.version}",
        "version": version,
        "kind": kind,
        "newest": newest,
        "is_out_of_date": newest is not None and keeping.is_out_of_date(newest),
        "missing": described.missing(document if document is not None else described.model()),
        "content": content or _content(version, kind, newest),
        "is_begun": newest is None and kind in _PREFILLED,
        "revisions": rows,
        "difference": _difference(rows, request.GET.get("before", "")),
        "reviews": DocumentReview.objects.filter(document__in=rows).select_related("document").order_by("-id"),
        "verdicts": DocumentReview.Verdict.choices,
        "roles": DocumentReview.Role.choices,
        "may_change": request.user.has_perm(CHANGE),
        "may_approve": request.user.has_perm(APPROVE),
    }


def _content(version: ModelVersion, kind: str, newest: Document | None) -> str:
    """Return the newest revision to edit; where there is none, what the registers know already."""
    if newest is not None:
        whole = newest.content
    else:
        begin = _PREFILLED.get(kind)
        whole = (begin(version) if begin else KINDS[kind].model()).model_dump(mode="json")
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _difference(rows: list[Document], before: str) -> list[str]:
    """Return what the newest revision changed since another, the one before unless it is named."""
    others = {str(row.revision): row for row in rows[1:]}
    chosen = others.get(before) or (rows[1] if len(rows) > 1 else None)
    return keeping.difference(chosen, rows[0]) if chosen else []
