"""Start page of officers: what needs a decision today, before any list."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from common import languages
from common.admin_pages.permissions import require
from common.charts.counts import Bucket, Figure, Series, Tone, bars_figure, columns_figure
from common.identifiers import uuid7_floor
from consent.ledger import people_counts
from consent.models import ConsentRecord, DataSubject, Party, Purpose
from governance import tasks
from governance.evidence import checks as evidence
from governance.officers import findings_page, purpose_page, single_officer
from governance.officers.page_rights import may_open
from governance.web.rate_limits import EVIDENCE_CHECKS
from model_registry.pages import overview
from oversight.models import WorkItem
from oversight.rollouts import watch
from oversight.work import kinds
from personalization.rollouts import kind as model_rollouts
from personalization.rollouts import pages as model_rollout_pages
from policies.bundles import reasons
from policies.decision_log import figures
from policies.decision_log.figures import Counted
from policies.models import LogDrop, ProcessingSystem, Rollout, ServiceCredential, TransferInstrument
from policies.opa import servers
from policies.rollout import pages
from privacy.budgets import ledger, releases
from privacy.models import Disposal
from privacy.retention.data_sets import periods

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
# An hour with fewer decisions says nothing; a share of refusals that rose by less is no news.
_ENOUGH_DECISIONS = 50
_RISE = 0.2
_FEW_MODELS = 5
_MANY_PEOPLE = 200_000  # are not counted for a page
_CHANGES_REGISTERS = ("oversight.propose_changeset", "oversight.approve_changeset")
_SEES_DECISIONS, _SEES_EVIDENCE = "policies.view_decision", "audit.view_auditanchor"


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the page's context, as unfold's DASHBOARD_CALLBACK. Each part takes the permission of what it shows."""
    may, attention = request.user.has_perm, _attention(request)
    if may(_SEES_DECISIONS):
        now = timezone.now()
        day = _last_day(now)
        attention = [*_refusals(day, now), *attention]
        tiles = [tile for tile in _tiles(_by_outcome(day)) if may_open(request.user, tile["url"])]
        context.update(tiles=tiles, outcome_chart=_outcome_chart(day, now), reasons_chart=_reasons_chart(day))
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


def _last_day(now: datetime) -> list[Counted]:
    """Count the decisions of the last 24 hours by the hour of the clock, and apart from that of the last hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    moments = {now - _DAY, now - _HOUR, *(hour - number * _HOUR for number in range(24))}
    return figures.counted(sorted(moments))


def _by_outcome(counted: Iterable[Counted]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in counted:
        found[each.outcome] += each.decisions
    return found


def _attention(request: HttpRequest) -> list[dict[str, Any]]:
    parts = {
        "policies.view_rollout": _rollouts,
        "personalization.view_modelrollout": _model_rollouts,
        "model_registry.view_modelversion": _models,
        "privacy.view_disposal": _disposals,
        "policies.view_logdrop": _kept_days,
        "policies.view_transferinstrument": _instruments,
        "policies.view_processingsystem": _systems,
        "policies.view_opainstance": _opa_servers,
        "policies.view_servicecredential": _credentials,
        "privacy.view_privacybudget": _budgets,
        "consent.view_purpose": _register_gaps,
    }
    found = [item for permission, part in parts.items() if request.user.has_perm(permission) for item in part()]
    return sorted(found, key=lambda item: ("now", "soon", "info").index(item["severity"]))


def _work(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the work items that this officer may do."""
    return [_work_item(item, kind) for item, kind in kinds.waiting_for(request.user)]


def _no_second_officer(request: HttpRequest) -> list[dict[str, Any]]:
    """Say that nothing can be approved here, to those who propose or approve."""
    if not any(map(request.user.has_perm, _CHANGES_REGISTERS)) or not single_officer.lacks_second():
        return []
    detail = _(
        "Fewer than two accounts can approve a change set. The operator makes another one with ./assent officers "
        "create, or says with ./assent manage single_officer on that there is a single officer."
    )
    return [_item(_("No second officer"), detail, reverse("admin:auth_user_changelist"), "soon")]


def _work_item(item: WorkItem, kind: kinds.Kind) -> dict[str, Any]:
    severity = "now" if item.state == WorkItem.State.ESCALATED else kind.severity
    return _item(kind.title, kind.describe(item.object), kind.url(item.object), severity, item.opened_at)


def _broken_evidence(trail: evidence.LastCheck) -> list[dict[str, Any]]:
    if trail.ok is not False:
        return []
    detail = _("First link that does not hold: %(broken)s. Keep the database as it is.") % {"broken": trail.broken}
    url = reverse("admin:audit_auditevent_changelist") + "?kind=trail"
    return [_item(_("The evidence does not hold together"), detail, url, "now", trail.checked)]


def _refusals(counted: Iterable[Counted], at: datetime) -> list[dict[str, Any]]:
    """Find a share of refusals in the last hour far above the 23 hours before: a rule or a model gone wrong."""
    day, hour = _by_outcome(counted), _by_outcome(each for each in counted if each.since >= at - _HOUR)
    now, before = sum(hour.values()), sum(day.values()) - sum(hour.values())
    if min(now, before) < _ENOUGH_DECISIONS:
        return []
    share = 1 - hour.get("permit", 0) / now
    usual = 1 - (day.get("permit", 0) - hour.get("permit", 0)) / before
    if share - usual < _RISE:
        return []
    detail = _("%(share)d %% of the last hour's decisions were not permitted; %(usual)d %% are usual.") % {
        "share": round(100 * share),
        "usual": round(100 * usual),
    }
    url = reverse("admin:policies_decision_changelist") + "?since=hour&outcome=deny"
    return [_item(_("Unusually many refusals"), detail, url, "now")]


def _item(title: str, detail: str, url: str, severity: str, since: Any = None) -> dict[str, Any]:
    return {"title": title, "detail": detail, "url": url, "severity": severity, "since": since}


def _rollouts() -> list[dict[str, Any]]:
    """Return the running rollout, or the last one, if a guard ended it lately."""
    last = Rollout.objects.select_related("policy").first()
    if last is None:
        return []
    url = reverse("rollout", args=[last.pk])
    if watch.is_late(last):
        detail = _(
            "The guards have not looked at the rollout for a while. Are the worker, beat and the drainer running?"
        )
        return [_item(_("A rollout is not watched"), detail, url, "now", last.watched_at)]
    if last.is_open:
        return [_item(_("A rollout is running"), pages.headline(last), url, "info", last.started_at)]
    if last.state != Rollout.State.ROLLED_BACK or last.ended_at is None or last.ended_at < timezone.now() - 7 * _DAY:
        return []
    return [_item(_("A policy was rolled back by itself"), last.why, url, "now", last.ended_at)]


def _model_rollouts() -> list[dict[str, Any]]:
    """Return running rollouts of models; what a guard took back is a work item."""
    found = []
    for row in model_rollouts.running():
        url = reverse("model-rollout", args=[row.pk])
        if watch.is_late(row):
            detail = _("The guards have not looked at the rollout for a while. Are the worker and beat running?")
            found.append(_item(_("A rollout is not watched"), detail, url, "now", row.watched_at))
        else:
            detail = model_rollout_pages.headline(row)
            found.append(_item(_("A rollout of a model is running"), detail, url, "info", row.started_at))
    return found


def _models() -> list[dict[str, Any]]:
    """Return what waits of models, and what of a version in use ends soon; all of it is on their overview."""
    now = timezone.now()
    found = overview.read(now)
    waiting = [
        _item(each.what, each.why, each.url, "now" if each.is_urgent else "soon", each.since)
        for each in found.waiting
        if not each.is_of_set  # a work item of its own
    ]
    ending = [
        _item(
            _("%(version)s: %(gate)s ends soon") % {"version": each.name, "gate": each.gate},
            _("From then on it is denied, and everybody gets the general list."),
            each.url,
            "soon",
            each.at,
        )
        for each in found.ending
        if each.at < now + overview.SOON
    ]
    return [*waiting[:_FEW_MODELS], *ending[:_FEW_MODELS]]


def _disposals() -> list[dict[str, Any]]:
    late = Disposal.objects.exclude(status="done").filter(queued_at__lt=timezone.now() - timedelta(minutes=15))
    first = late.order_by("queued_at").first()
    if first is None:
        return []
    url = reverse("admin:privacy_disposal_changelist") + "?status__exact=queued"
    return [_item(_("Deletions are waiting"), _("Is the worker running?"), url, "now", first.queued_at)]


def _kept_days() -> list[dict[str, Any]]:
    """Return one card for days of the decision log that could not be dropped."""
    kept = LogDrop.objects.filter(state=LogDrop.State.REFUSED).order_by("day").first()
    if kept is None:
        return []
    url = reverse("admin:policies_logdrop_change", args=[kept.pk])
    return [_item(_("The decision log keeps days past their period"), kept.why, url, "soon", kept.moved_at)]


def _instruments() -> list[dict[str, Any]]:
    ending = TransferInstrument.objects.filter(valid_until__lt=timezone.now() + 60 * _DAY)
    return [
        _item(
            str(instrument.name),
            _("Transfers under it are denied once it has ended."),
            reverse("admin:policies_transferinstrument_change", args=[instrument.pk]),
            "soon",
            instrument.valid_until,
        )
        for instrument in ending
    ]


def _systems() -> list[dict[str, Any]]:
    return [
        _item(
            _("“%(name)s” keeps data where it may not") % {"name": system.name},
            _("%(count)d of its places are not allowed by the residency rules. Move the data, or change a rule.")
            % {"count": len({(finding["resource"], finding["region"]) for finding in system.findings})},
            reverse("admin:policies_processingsystem_change", args=[system.pk]),
            "now",
            system.checked_at,
        )
        for system in ProcessingSystem.objects.exclude(findings=[])
    ]


def _opa_servers() -> list[dict[str, Any]]:
    """Return one line for all servers: where the network to Assent is cut, many report the same."""
    behind = servers.needing_attention()
    if not behind:
        return []
    names = ", ".join(each.instance.name for each in behind[:3]) + (", …" if len(behind) > 3 else "")
    error = next((error for each in behind for error in each.instance.errors), "")
    detail = servers.in_words(error) if error else _("They answer by older rules, by none, or say nothing.")
    title = _("OPA servers do not decide by the rules in force: %(names)s") % {"names": names}
    return [_item(title, detail, reverse("admin:policies_opainstance_changelist"), "now", behind[0].instance.heard_at)]


def _credentials() -> list[dict[str, Any]]:
    ending = ServiceCredential.objects.filter(revoked_at=None, expires_at__lt=timezone.now() + 14 * _DAY)
    return [
        _item(
            _("The credential of “%(name)s” runs out") % {"name": credential.name},
            _("The service is refused from then on. Create a new one in time."),
            reverse("admin:policies_servicecredential_changelist"),
            "soon",
            credential.expires_at,
        )
        for credential in ending
    ]


def _budgets() -> list[dict[str, Any]]:
    return [*_withheld_statistics(), *_spent_budgets()]


def _withheld_statistics() -> list[dict[str, Any]]:
    return [
        _item(
            _("The statistic “%(name)s” is withheld") % {"name": statistic.title},
            _("The budget of “%(name)s” does not allow it now.") % {"name": statistic.data_set},
            reverse("admin:privacy_privacybudget_changelist"),
            "info",
        )
        for statistic in releases.withheld(ledger.balances())
    ]


def _spent_budgets() -> list[dict[str, Any]]:
    return [
        _item(
            _("The privacy budget of “%(name)s” is nearly spent") % {"name": budget.data_set},
            _("%(left)s of %(total)s epsilon is left.")
            % {"left": f"{balance.left.normalize():f}", "total": f"{balance.total.normalize():f}"},
            reverse("admin:privacy_privacybudget_change", args=[budget.pk]),
            "info",
        )
        for budget, balance in ledger.balances()
        if balance.is_low
    ]


def _register_gaps() -> list[dict[str, Any]]:
    return [*_findings(), *_gaps()]


def _findings() -> list[dict[str, Any]]:
    """Return one card for all errors of the registers that have no card of their own."""
    found = findings_page.attention()
    return [_item(*found, reverse("register-findings"), "now")] if found else []


def _gaps() -> list[dict[str, Any]]:
    """Return what the register of processing lacks: a responsible party, texts, languages, an end."""
    purposes = list(purpose_page.with_texts(Purpose.objects.filter(is_active=True)))
    kept = periods.ended()
    return [*_controller_gap(), *(item for purpose in purposes for item in _purpose_gaps(purpose, kept))]


def _controller_gap() -> list[dict[str, Any]]:
    if Party.objects.filter(role=Party.Role.CONTROLLER).exists():
        return []
    detail = _("Receipts must name who is responsible. Add the controller to the parties.")
    return [_item(_("No controller is registered"), detail, reverse("admin:consent_party_add"), "soon")]


def _purpose_gaps(purpose: Purpose, kept: set[int]) -> Iterator[dict[str, Any]]:
    name = {"purpose": purpose.name}
    page = reverse("admin:consent_purpose_change", args=[purpose.pk])
    version, unwritten = purpose_page.untranslated(purpose)
    if not version:
        detail = _("People are asked without being informed. Publish its text.")
        yield _item(_("“%(purpose)s” has no notice") % name, detail, purpose_page.notice_url(purpose), "soon")
    if unnoticed := purpose_page.unnoticed(purpose):
        detail = _("New: %(names)s. It stays off for everybody until a notice names it and they allow it.")
        title = _("“%(purpose)s” covers more than its notice says") % name
        yield _item(title, detail % {"names": ", ".join(unnoticed)}, purpose_page.notice_url(purpose), "soon")
    if unwritten:
        detail = _("Version %(version)s has no text in: %(languages)s. Its readers see another language.")
        yield _item(
            _("The notice of “%(purpose)s” is not in every language") % name,
            detail % {"version": version, "languages": _names(unwritten)},
            purpose_page.notice_url(purpose, locale=unwritten[0], version=version),
            "info",
        )
    if lacking := purpose_page.lacking(purpose):
        detail = _("Name and benefit are missing in: %(languages)s.") % {"languages": _names(lacking)}
        yield _item(_("“%(purpose)s” is not described in every language") % name, detail, page, "info")
    if "collect" in purpose.actions and purpose.pk not in kept:
        url = reverse("admin:privacy_retentionschedule_add")
        detail = _("Its data is kept for ever. Add a retention schedule.")
        yield _item(_("“%(purpose)s” has no end") % name, detail, url, "info")


def _names(codes: list[str]) -> str:
    return ", ".join(languages.name(code) for code in codes)


def _tiles(outcomes: Mapping[str, int]) -> list[dict[str, Any]]:
    day = timezone.now() - _DAY
    # By identifier too, which holds the time: it has an index.
    lately = ConsentRecord.objects.filter(recorded_at__gte=day, pk__gte=uuid7_floor(day - _DAY))
    changes = dict(lately.values_list("state").annotate(Count("id")))
    total = sum(outcomes.values())
    log = reverse("admin:policies_decision_changelist")
    ledger = reverse("admin:consent_consentrecord_changelist")
    return [
        {
            "label": _("Decisions in 24 hours"),
            "value": f"{total:,}",
            "hint": _("%(share)d %% permitted") % {"share": 100 * outcomes.get("permit", 0) // max(total, 1)},
            "url": f"{log}?since=day",
        },
        {
            "label": _("Could not be decided"),
            "value": f"{outcomes.get('unknown', 0):,}",
            "hint": _("denied, and counted apart"),
            "url": f"{log}?since=day&outcome=unknown",
        },
        {
            "label": _("Consents given"),
            "value": f"{changes.get('given', 0):,}",
            "hint": _("%(count)d withdrawn or refused")
            % {"count": changes.get("withdrawn", 0) + changes.get("refused", 0)},
            "url": f"{ledger}?since=day",
        },
        {
            "label": _("People in the register"),
            "value": _people(),
            "hint": _("by pseudonym only"),
            "url": reverse("admin:consent_datasubject_changelist"),
        },
    ]


def _people() -> str:
    """Return how many people there are: counted, or where that takes long as the database's statistics say."""
    expected = people_counts.expected()
    if expected < _MANY_PEOPLE:
        return f"{DataSubject.objects.count():,}"
    return _("about %(count)s") % {"count": f"{round(expected, -4):,}"}


def _outcome_chart(counted: Iterable[Counted], now: datetime) -> Figure:
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=11)
    counts: dict[datetime, Counter[str]] = {}
    for each in counted:
        if each.since >= start:
            hour = each.since.replace(minute=0, second=0, microsecond=0)
            counts.setdefault(hour, Counter())[each.outcome] += each.decisions
    hours = [start + timedelta(hours=number) for number in range(12)]
    return columns_figure(
        [Bucket(f"{hour:%H}:00", counts.get(hour, Counter())) for hour in hours] if counts else [],
        [
            Series("permit", _("Permitted"), Tone.ACCENT),
            Series("deny", _("Not permitted"), Tone.QUIET),
            Series("unknown", _("Could not be decided"), Tone.ALARM),
        ],
        title=_("Decisions by hour"),
        description=_("Decisions of the last twelve hours by outcome, hours in UTC."),
        bucket_heading=_("Hour (UTC)"),
    )


def _reasons_chart(counted: Iterable[Counted]) -> Figure:
    counts: Counter[str] = Counter()
    for each in counted:
        if each.reason:
            counts[each.reason] += each.decisions
    top = sorted(counts.items(), key=lambda pair: -pair[1])[:6]
    return bars_figure(
        [(reasons.for_officer(code), count) for code, count in top],
        title=_("Why not more"),
        description=_("The most decisive reason of each decision of the last 24 hours that was denied or capped."),
        headings=(_("Reason"), _("Decisions")),
    )
