"""Policy editor: the page "Edit" of a policy, with its files, the findings of the checks, and publishing.

Every button keeps what was typed before it does anything else, so moving from file to file loses nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from common import actors
from common.admin_pages.confirm import Step, confirm_at
from common.http.problems import Problem
from policies.authoring import checks, comparison, drafts
from policies.authoring.folder import DATA, SAMPLE
from policies.authoring.lint import Finding
from policies.authoring.locations import quoted
from policies.models import Policy, PolicyDraft

_MOST_LINES = 5000  # of one file or one comparison on a page
_KINDS = {DATA: "Data of its own, beside the registers", SAMPLE: "Stands in for the registers in the tests"}


@dataclass(frozen=True)
class _Typed:
    """One file as the browser sent it."""

    name: str
    text: str
    seen: str


def edit(request: HttpRequest, policy: Policy) -> HttpResponse:
    """Show the draft and do what its buttons say. The caller checks the permission."""
    step = _STEPS.get(request.GET.get("step", ""))
    if step is not None:
        return step(request, policy)
    return _kept(request, policy) if request.method == "POST" else _page(request, policy)


def _kept(request: HttpRequest, policy: Policy) -> HttpResponse:
    text = request.POST.get("text", "").replace("\r\n", "\n").replace("\r", "\n")
    typed = _Typed(request.POST.get("file", ""), text, request.POST.get("seen", ""))
    try:
        before = drafts.keep(policy, actors.officer(request), name=typed.name, text=typed.text, seen=typed.seen)
        if before is not None:
            return _page(request, policy, here=typed.name, overwritten=before)
        return _do(request, policy, typed.name)
    except Problem as problem:
        messages.error(request, problem.detail)
        return _page(request, policy, here=typed.name, typed=typed.text, status=422)


def _do(request: HttpRequest, policy: Policy, name: str) -> HttpResponse:
    wanted, new = request.POST.get("do", ""), request.POST.get("new_name", "").strip()
    opened, _, line = request.POST.get("open", "").partition(":")
    if opened:
        return _back(request, anchor="text", file=opened, line=line)
    if wanted == "check":
        drafts.check(policy, actors.officer(request))
        return _back(request, anchor="findings", file=name)
    if wanted == "publish":
        return _back(request, step="publish")
    if wanted in ("remove", "discard"):
        return _back(request, step=wanted, file=name)
    if new:
        drafts.add(policy, actors.officer(request), new)
        return _back(request, anchor="text", file=new)
    messages.success(request, "The draft is kept. Nothing is published by it.")
    return _back(request, file=name)


def _back(request: HttpRequest, *, anchor: str = "", **query: str) -> HttpResponse:
    asked = urlencode({name: value for name, value in query.items() if value})
    return redirect(f"{request.path}?{asked}{f'#{anchor}' if anchor else ''}")


def _page(
    request: HttpRequest,
    policy: Policy,
    *,
    here: str = "",
    typed: str | None = None,
    overwritten: str | None = None,
    status: int = 200,
) -> HttpResponse:
    draft = drafts.find(policy, actors.officer(request))
    files = draft.files if draft else drafts.starting_files(policy)
    here = next((name for name in (here, request.GET.get("file", "")) if name in files), min(files, key=_order))
    text, found = files[here], _findings(draft, files)
    context = {
        **_surroundings(request, policy, f"Edit policy {policy}"),
        "draft": draft,
        "here": here,
        "kind": _kind(here),
        "seen": drafts.digest_of(text),
        "text": text if typed is None else typed,
        "numbered": list(enumerate(text.split("\n")[:_MOST_LINES], 1)),
        "files": [_entry(name, here, found) for name in sorted(files, key=_order)],
        "findings": found,
        "found_here": any(row["path"] == here for row in found),
        "line": next(iter(re.findall(r"^[0-9]{1,6}$", request.GET.get("line", ""))), ""),
        "report": draft.report if draft else None,
        "is_stale": _is_stale(draft),
        "overwritten": _difference(here, overwritten, text) if overwritten is not None else None,
        "has_opa": checks.find_opa() is not None,
    }
    return render(request, "admin/policy_editor/edit.html", context, status=status)


def _surroundings(request: HttpRequest, policy: Policy, title: str) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": title, "policy": policy}


def _order(name: str) -> tuple[int, str]:
    return (2 if name in _KINDS else 1 if name.endswith("_test.rego") else 0), name


def _kind(name: str) -> str:
    return _KINDS.get(name) or ("Tests" if name.endswith("_test.rego") else "Rules")


def _entry(name: str, here: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    count = sum(finding["path"] == name for finding in found)
    return {"name": name, "kind": _kind(name), "is_here": name == here, "found": count}


def _findings(draft: PolicyDraft | None, files: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the findings of the last check, each with its line quoted as it reads now."""
    kept = draft.report["findings"] if draft and draft.report else []
    rows = []
    for finding in (Finding(**found) for found in kept):
        line, mark = quoted(finding, files)
        rows.append({"finding": finding, "path": finding.path, "quoted": line, "mark": mark})
    return rows


def _is_stale(draft: PolicyDraft | None) -> bool:
    """Return whether the draft has changed since it was checked."""
    if draft is None or draft.report is None:
        return False
    return bool(draft.report["of"] != drafts.files_digest(draft.files))


def _difference(name: str, before: str, after: str) -> list[str]:
    return list(islice(comparison.rego_differences({name: before}, {name: after}), _MOST_LINES))


def _remove(request: HttpRequest, policy: Policy) -> HttpResponse:
    name = request.GET.get("file", "")
    step = Step(
        title=f"Take {name[:100]} out of the draft?",
        effects=["What was typed into it is gone.", "The published policy keeps its own."],
        button="Remove the file",
        done=f"{name[:100]} is out of the draft.",
        is_dangerous=True,
    )
    return _confirmed(request, policy, step, lambda: drafts.remove(policy, actors.officer(request), name))


def _discard(request: HttpRequest, policy: Policy) -> HttpResponse:
    step = Step(
        title=f"Throw away your draft of policy {policy}?",
        effects=["Everything typed into it is gone.", "The published policy stays as it is."],
        button="Throw the draft away",
        done="The draft is gone. What you see is the policy as published.",
        is_dangerous=True,
    )
    return _confirmed(request, policy, step, lambda: drafts.discard(policy, actors.officer(request)))


def _confirmed(request: HttpRequest, policy: Policy, step: Step, act: Callable[[], None]) -> HttpResponse:
    context = {**_surroundings(request, policy, step.title), "is_unaudited": True}
    return confirm_at(request, step, act, back=request.path, context=context)


def _publish(request: HttpRequest, policy: Policy) -> HttpResponse:
    if request.method != "POST":
        return _review(request, policy)
    note = request.POST.get("note", "")
    try:
        made = drafts.publish(policy, actors.officer(request), note=note, seen=request.POST.get("seen", ""))
    except Problem as problem:
        messages.error(request, problem.detail)
        return _review(request, policy, note=note, status=422)
    messages.success(request, f"Policy {made} is published. Nothing is in force by it: simulate it next.")
    return redirect(reverse("admin:policies_policy_change", args=[made.pk]))


def _review(request: HttpRequest, policy: Policy, *, note: str = "", status: int = 200) -> HttpResponse:
    draft = drafts.find(policy, actors.officer(request))
    if draft is None:
        raise Http404
    found = _findings(draft, draft.files)
    context = {
        **_surroundings(request, policy, f"Publish your draft of policy {policy}?"),
        "changes": list(islice(comparison.rego_differences(drafts.starting_files(policy), draft.files), _MOST_LINES)),
        "most_lines": _MOST_LINES,
        "seen": drafts.files_digest(draft.files),
        "findings": found,
        "note": note,
        "has_opa": checks.find_opa() is not None,
    }
    return render(request, "admin/policy_editor/publish.html", context, status=status)


_STEPS: dict[str, Callable[[HttpRequest, Policy], HttpResponse]] = {
    "remove": _remove,
    "discard": _discard,
    "publish": _publish,
}
