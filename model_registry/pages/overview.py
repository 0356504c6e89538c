"""Overview of models: what serves now, what ends next, and what waits for whom.

Bounded: so many versions in use, and the newest that is on its way of each model. Each takes the statements of its
gates (``outcome.of``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.admin_pages.display import NOTHING, badge, moment
from model_registry.gates import outcome
from model_registry.gates.findings import FAILED, PASSED, PENDING
from model_registry.gates.outcome import Line, Outcome
from model_registry.models import ModelVersion
from oversight.models import Change, ChangeSet

RIGHTS = ("model_registry.view_modelversion", "model_registry.change_model", "model_registry.change_modelversion")
SOON = timedelta(days=30)
_MOST = 20
_ENDS_SHOWN = 15
_TONES = {PASSED: "good", PENDING: "info", FAILED: "alarm"}
_GATES = {PASSED: "Passed", PENDING: "Waiting", FAILED: "Missing: people get the general list"}
Status = ModelVersion.Status
_REGISTERS = ("model", "model_permissions", "model_status", "gate_demand", "gate_exemption")
OWNER, APPROVER = "Model owner", "Approver"


@dataclass(frozen=True)
class Ending:
    """Evidence of a version in use or approved that ends: from then on the gate is missing."""

    version: ModelVersion
    gate: str
    at: datetime

    @property
    def name(self) -> str:
        return self.version.title

    @property
    def url(self) -> str:
        return page_of(self.version)


@dataclass(frozen=True)
class Waiting:
    """What waits, for the officers of which role, since when, and where it is done."""

    what: str
    why: str
    whom: str
    since: datetime
    url: str
    is_urgent: bool = False
    is_of_set: bool = False


@dataclass(frozen=True)
class Overview:
    """What the page says; ``serving`` with the outcome of each version's gates."""

    serving: list[tuple[ModelVersion, Outcome]]
    ending: list[Ending]
    waiting: list[Waiting]


def page_of(version: ModelVersion) -> str:
    return reverse("admin:model_registry_modelversion_change", args=[version.pk])


def read(now: datetime) -> Overview:
    """Read what serves, ends and waits."""
    judged = [(version, outcome.of(version, now)) for version in _versions()]
    ends = sorted((each for found in judged for each in _endings(*found, now)), key=lambda each: each.at)
    waiting = [each for version, found in judged for each in _waiting(version, found)]
    return Overview(
        serving=[(version, found) for version, found in judged if version.is_live],
        ending=ends[:_ENDS_SHOWN],
        waiting=sorted([*waiting, *_open_sets()], key=lambda each: (not each.is_urgent, each.since)),
    )


def _versions() -> list[ModelVersion]:
    """Return the versions in use, and of each model the newest that is on its way into use."""
    rows = ModelVersion.objects.select_related("model").prefetch_related("purposes")
    in_use = list(rows.filter(status__in=ModelVersion.IN_USE).order_by("model__slug", "-version")[:_MOST])
    coming = (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED)
    newest = rows.filter(status__in=coming).order_by("model_id", "-version").distinct("model_id")[:_MOST]
    served = {version.model_id: version.version for version in in_use if version.is_live}
    return [*in_use, *(each for each in newest if each.version > served.get(each.model_id, 0))]


def _endings(version: ModelVersion, found: Outcome, now: datetime) -> Iterator[Ending]:
    if not version.is_approved:
        return
    for line in found.lines:
        if line.finding.until is not None and line.finding.until > now:
            yield Ending(version, line.title, line.finding.until)
    if version.gates_grace_until is not None and version.gates_grace_until > now:
        yield Ending(version, "Grace of an upgrade", version.gates_grace_until)


def _waiting(version: ModelVersion, found: Outcome) -> Iterator[Waiting]:
    name, since, url = version.title, version.status_changed_at, page_of(version)
    failed = _titles(found.missing, FAILED)
    if version.status == Status.SUSPENDED:
        why = "Suspended: everybody gets the general list until two officers make it live again."
        yield Waiting(name, why, OWNER, since, url, is_urgent=True)
    elif version.status == Status.LIVE and found.state != PASSED:
        why = f"Live, and denied. Missing: {failed or _titles(found.missing, PENDING)}."
        yield Waiting(name, why, OWNER, since, url, is_urgent=True)
    elif version.status == Status.DRAFT:
        why = f"Draft. Missing: {failed}." if failed else "Draft. Submit it for review, or retire it."
        yield Waiting(name, why, OWNER, since, url)
    elif version.status == Status.IN_REVIEW:
        yield from _in_review(name, found, failed, since, url)
    elif version.status == Status.APPROVED and found.state == PASSED:
        yield Waiting(name, "Approved. It serves once it is made live.", APPROVER, since, url)


def _in_review(name: str, found: Outcome, failed: str, since: datetime, url: str) -> Iterator[Waiting]:
    pending = _titles(found.missing, PENDING)
    if failed:
        yield Waiting(name, f"In review. Missing: {failed}.", OWNER, since, url)
    if pending:
        yield Waiting(name, f"In review. To be read and approved: {pending}.", APPROVER, since, url)
    if not failed and not pending:
        yield Waiting(name, "In review, and nothing is missing. Propose its approval.", OWNER, since, url)


def _titles(lines: Iterable[Line], state: str) -> str:
    return ", ".join(line.title for line in lines if line.finding.state == state)


def _open_sets() -> Iterator[Waiting]:
    """Yield the change sets of models that wait for another officer."""
    of_models = Change.objects.filter(register__in=_REGISTERS).values("set_id")
    proposed = ChangeSet.objects.filter(pk__in=of_models, state=ChangeSet.State.PROPOSED)
    for each in proposed.defer("preview", "findings").order_by("proposed_at")[:_MOST]:
        url = reverse("change-set", args=[each.pk])
        since = each.proposed_at or each.created_at
        yield Waiting(each.title, "Proposed change set.", APPROVER, since, url, is_of_set=True)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show the overview."""
    if not any(map(request.user.has_perm, RIGHTS)):
        raise PermissionDenied(RIGHTS[0])
    found = read(timezone.now())
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Models",
        "serving": [_served(version, gates) for version, gates in found.serving],
        "ending": [(each, moment(each.at)) for each in found.ending],
        "waiting": [(each, moment(each.since)) for each in found.waiting],
    }
    return render(request, "admin/models/overview.html", context)


def _served(version: ModelVersion, found: Outcome) -> dict[str, Any]:
    return {
        "name": version.title,
        "url": page_of(version),
        "purposes": ", ".join(purpose.name for purpose in version.purposes.all()) or NOTHING,
        "level": version.get_max_level_display(),
        "since": moment(version.status_changed_at),
        "gates": badge(_GATES[found.state], _TONES[found.state]),
        "until": moment(found.until),
    }
