"""Start page of officers: what needs a decision today, before any list."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from common.admin_pages.permissions import require
from governance import tasks
from governance.evidence import checks as evidence
from governance.officers import single_officer
from governance.officers.page_rights import may_open
from governance.officers.today import decisions, models, privacy, registers, rules
from governance.officers.today.items import Item, item
from governance.web.rate_limits import EVIDENCE_CHECKS
from oversight.models import WorkItem
from oversight.work import kinds

_CHANGES_REGISTERS = ("oversight.propose_changeset", "oversight.approve_changeset")
_SEES_DECISIONS, _SEES_EVIDENCE = "policies.view_decision", "audit.view_auditanchor"
_PARTS: Mapping[str, Callable[[], list[Item]]] = {
    "policies.view_rollout": rules.rollouts,
    "personalization.view_modelrollout": models.rollouts,
    "model_registry.view_modelversion": models.waiting,
    "privacy.view_disposal": privacy.disposals,
    "policies.view_logdrop": rules.kept_days,
    "policies.view_transferinstrument": rules.instruments,
    "policies.view_processingsystem": rules.systems,
    "policies.view_opainstance": rules.opa_servers,
    "policies.view_servicecredential": rules.credentials,
    "privacy.view_privacybudget": privacy.budgets,
    "consent.view_purpose": registers.gaps_and_findings,
}


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the page's context, as unfold's DASHBOARD_CALLBACK. Each part takes the permission of what it shows."""
    may, attention = request.user.has_perm, _attention(request)
    if may(_SEES_DECISIONS):
        now = timezone.now()
        day = decisions.last_day(now)
        attention = [*decisions.refusals(day, now), *attention]
        tiles = [tile for tile in decisions.tiles(decisions.by_outcome(day)) if may_open(request.user, tile["url"])]
        charts = {"outcome_chart": decisions.outcome_chart(day, now), "reasons_chart": decisions.reasons_chart(day)}
        context.update(tiles=tiles, **charts)
    if may(_SEES_EVIDENCE):
        context["trail"] = evidence.last_check()
        attention = [*_broken_evidence(context["trail"]), *attention]
    attention = [*_work(request), *_no_second_officer(request), *attention]
    # Who may read of something may lack the right to the page that settles it.
    context["attention"] = [i if may_open(request.user, i["url"]) else {**i, "url": ""} for i in attention]
    return context


@require_POST
def check_evidence(request: HttpRequest) -> HttpResponse:
    """Queue the nightly check now. It reads all evidence there is, so only a few an hour are begun by hand."""
    require(request, _SEES_EVIDENCE)
    EVIDENCE_CHECKS.take()
    tasks.verify_evidence.delay()
    messages.success(request, _("All evidence is being checked. Reload this page in a moment to see the result."))
    return redirect("admin:index")


def _attention(request: HttpRequest) -> list[Item]:
    found = [each for permission, part in _PARTS.items() if request.user.has_perm(permission) for each in part()]
    return sorted(found, key=lambda each: ("now", "soon", "info").index(each["severity"]))


def _work(request: HttpRequest) -> list[Item]:
    """Return the work items that this officer may do."""
    return [_work_item(each, kind) for each, kind in kinds.waiting_for(request.user)]


def _no_second_officer(request: HttpRequest) -> list[Item]:
    """Say that nothing can be approved here, to those who propose or approve."""
    if not any(map(request.user.has_perm, _CHANGES_REGISTERS)) or not single_officer.lacks_second():
        return []
    detail = _(
        "Fewer than two accounts can approve a change set. The operator makes another one with ./assent officers "
        "create, or says with ./assent manage single_officer on that there is a single officer."
    )
    return [item(_("No second officer"), detail, reverse("admin:auth_user_changelist"), "soon")]


def _work_item(work: WorkItem, kind: kinds.Kind) -> Item:
    severity = "now" if work.state == WorkItem.State.ESCALATED else kind.severity
    return item(kind.title, kind.describe(work.object), kind.url(work.object), severity, work.opened_at)


def _broken_evidence(trail: evidence.LastCheck) -> list[Item]:
    if trail.ok is not False:
        return []
    detail = _("First link that does not hold: %(broken)s. Keep the database as it is.") % {"broken": trail.broken}
    url = reverse("admin:audit_auditevent_changelist") + "?kind=trail"
    return [item(_("The evidence does not hold together"), detail, url, "now", trail.checked)]
