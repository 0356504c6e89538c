"""Page of one document of a version: what it lacks, its form, its content to upload, its revisions, its reviews."""

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from common import actors
from common.admin_pages.permissions import require
from common.http.problems import Conflict, Problem
from model_registry import prefill
from model_registry.documents import keeping
from model_registry.documents.files import archives
from model_registry.documents.kinds import KINDS
from model_registry.documents.models import Document
from model_registry.documents.printing import writing
from model_registry.documents.reading import MAX_BYTES
from model_registry.gates import recording
from model_registry.gates.models import DocumentReview, GateExemption
from model_registry.models import ModelVersion
from model_registry.pages import document_form

VIEW, CHANGE = "model_registry.view_modelversion", "model_registry.change_model"
APPROVE = "oversight.approve_changeset"
_FORM = "over"  # of the form: the revision that it was begun over
_FORM_NAMES = {
    "html": "HTML", "pdf": "PDF", "huggingface": "Hugging Face README", "model-card-toolkit": "Model Card Toolkit",
    "cyclonedx": "CycloneDX", "croissant": "Croissant", "json": "JSON",
}  # fmt: skip
_PREFILLED = {
    "card": prefill.card, "datasheet": prefill.datasheet, "dpia": prefill.dpia, "fria": prefill.fria,
    "runbook": prefill.runbook,
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Show a document; a POST keeps a revision, or gives a verdict or comment on the one that was shown."""
    if not (request.user.has_perm(VIEW) or request.user.has_perm(CHANGE)):
        raise PermissionDenied(VIEW)
    version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk)
    if kind not in KINDS:
        raise Http404
    if request.method == "POST":
        try:
            _act(request, version, kind)
        except Problem as problem:
            messages.error(request, problem.detail)
        else:
            return redirect("model-document", pk=pk, kind=kind)
    return render(request, "admin/models/document.html", _context(request, version, kind))


@require_safe
def download(request: HttpRequest, pk: int, kind: str, form: str) -> HttpResponse:
    """Send the newest revision of a document, or the one that is named, as a file of a form."""
    if not (request.user.has_perm(VIEW) or request.user.has_perm(CHANGE)):
        raise PermissionDenied(VIEW)
    rows = Document.objects.filter(version_id=pk, kind=kind).select_related("version__model").order_by("-revision")
    revision = request.GET.get("revision", "")
    row = (rows.filter(revision=revision) if revision.isdecimal() and len(revision) < 9 else rows).first()
    if row is None or form not in writing.fitting(kind):
        raise Http404
    try:
        data = writing.written(row, form)
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect("model-document", pk=pk, kind=kind)
    name, media_type = writing.file_of(row, form)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type=media_type, headers=headers)


def _act(request: HttpRequest, version: ModelVersion, kind: str) -> None:
    if "verdict" in request.POST:
        _review(request, version, kind)
        return
    require(request, CHANGE)
    if _FORM in request.POST:
        _refuse_stale(request, version, kind)
        content = document_form.typed(kind, _content(version, kind, keeping.current(version, kind)), request.POST)
        row = keeping.keep(version, kind, document_form.document(kind, content), actor=actors.officer(request))
        messages.success(request, f"{KINDS[kind].title}: revision {row.revision} is kept.")
        return
    for row in _taken_in(request, version, kind):
        if row.kind != kind:
            messages.warning(request, f"The file is a {KINDS[row.kind].title.lower()}, and was kept as one.")
        messages.success(request, f"{KINDS[row.kind].title}: revision {row.revision} is kept.")


def _taken_in(request: HttpRequest, version: ModelVersion, kind: str) -> list[Document]:
    upload, actor = request.FILES.get("file"), actors.officer(request)
    if upload:
        return archives.take_in(version, str(upload.name), upload.read(MAX_BYTES + 1), actor=actor, kind=kind)
    content = request.POST.get("content", "").encode()
    return archives.take_in(version, "", content, actor=actor, form=keeping.NATIVE, kind=kind)


def _refuse_stale(request: HttpRequest, version: ModelVersion, kind: str) -> None:
    """Refuse a form that was begun over an older revision: what it does not show would be another one's."""
    newest = keeping.current(version, kind)
    if str(newest.revision if newest else 0) != request.POST[_FORM]:
        raise Conflict("Another revision was kept meanwhile. Your text is still here; compare, and keep it again.")


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


def _context(request: HttpRequest, version: ModelVersion, kind: str) -> dict[str, Any]:
    rows = list(version.documents.filter(kind=kind).defer("source").order_by("-revision"))
    newest = rows[0] if rows else None
    described = KINDS[kind]
    document = keeping.document_of(newest) if newest else None
    content = _content(version, kind, newest)
    filled = document_form.typed(kind, content, request.POST) if _FORM in request.POST else content
    return {
        **admin.site.each_context(request),
        "title": f"{described.title} of {version.title}",
        "version": version,
        "kind": kind,
        "newest": newest,
        "is_out_of_date": newest is not None and keeping.is_out_of_date(newest),
        "missing": described.missing(document if document is not None else described.model.model_validate(content)),
        "sections": document_form.shown(kind, filled),
        "content": request.POST.get("content") or json.dumps(content, indent=2, ensure_ascii=False),
        "is_json_open": "content" in request.POST,
        "is_begun": newest is None and kind in _PREFILLED,
        "revisions": rows,
        "forms": [(form, _FORM_NAMES[form]) for form in writing.fitting(kind)],
        "exemptions": _exemptions(version) if kind == "card" else [],
        "difference": _difference(rows, request.GET.get("before", "")),
        "is_compared": "before" in request.GET,
        "reviews": DocumentReview.objects.filter(document__in=rows).select_related("document").order_by("-id"),
        "verdicts": DocumentReview.Verdict.choices,
        "roles": DocumentReview.Role.choices,
        "may_change": request.user.has_perm(CHANGE),
        "may_approve": request.user.has_perm(APPROVE),
    }


def _exemptions(version: ModelVersion) -> list[GateExemption]:
    """Return the gates that do not apply to a version: they stand on its card."""
    return list(GateExemption.objects.filter(model=version.model_id, version=version.version))


def _content(version: ModelVersion, kind: str, newest: Document | None) -> dict[str, Any]:
    """Return the newest revision to edit; where there is none, what the registers know already."""
    if newest is not None:
        return dict(newest.content)
    begin = _PREFILLED.get(kind)
    return (begin(version) if begin else KINDS[kind].model()).model_dump(mode="json")


def _difference(rows: list[Document], before: str) -> list[str]:
    """Return what the newest revision changed since another, the one before unless it is named."""
    others = {str(row.revision): row for row in rows[1:]}
    chosen = others.get(before) or (rows[1] if len(rows) > 1 else None)
    return keeping.difference(chosen, rows[0]) if chosen else []
