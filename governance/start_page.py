"""The officers' start page: what needs a decision today, before any list."""

from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncHour
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import AuditAnchor, AuditEvent
from consent.models import ConsentRecord, DataSubject
from governance.charts import Bucket, Figure, Series, Tone, bars_figure, columns_figure
from model_registry.models import ModelVersion
from policies import reasons
from policies.models import Decision, ServiceCredential, TransferInstrument
from privacy.models import Disposal, PrivacyBudget

_DAY = timedelta(days=1)


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK."""
    recent = Decision.objects.filter(decided_at__gte=timezone.now() - _DAY)
    outcomes = dict(recent.values_list("outcome").annotate(Count("id")))
    context.update(
        attention=_attention(),
        tiles=_tiles(outcomes),
        outcome_chart=_outcome_chart(),
        reasons_chart=_reasons_chart(),
        trail=_trail(),
    )
    return context


def _attention() -> list[dict[str, Any]]:
    return [*_models(), *_disposals(), *_instruments(), *_credentials(), *_budgets()]


def _item(title: str, detail: str, url: str, severity: str, since: Any = None) -> dict[str, Any]:
    return {"title": title, "detail": detail, "url": url, "severity": severity, "since": since}


def _models() -> list[dict[str, Any]]:
    waiting = ModelVersion.objects.filter(status__in=("draft", "suspended")).select_related("model")[:5]
    details = {
        "draft": _("Trained and waiting for your approval. It serves nobody yet."),
        "suspended": _("Suspended. Everybody gets the general list until you approve or retire it."),
    }
    return [
        _item(
            f"{version.model.name}, {_('version')} {version.version}",
            details[version.status],
            reverse("admin:model_registry_modelversion_change", args=[version.pk]),
            "now" if version.status == "suspended" else "soon",
            version.status_changed_at,
        )
        for version in waiting
    ]


def _disposals() -> list[dict[str, Any]]:
    late = Disposal.objects.exclude(status="done").filter(queued_at__lt=timezone.now() - timedelta(minutes=15))
    first = late.order_by("queued_at").first()
    if first is None:
        return []
    url = reverse("admin:privacy_disposal_changelist") + "?status__exact=queued"
    return [_item(_("Deletions are waiting"), _("Is the worker running?"), url, "now", first.queued_at)]


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
    return [
        _item(
            _("The privacy budget of “%(name)s” is nearly spent") % {"name": budget.data_set},
            _("%(left)s of %(total)s epsilon is left.") % {"left": budget.epsilon_left, "total": budget.epsilon_total},
            reverse("admin:privacy_privacybudget_changelist"),
            "info",
        )
        for budget in PrivacyBudget.objects.all()
        if budget.epsilon_left * 10 <= budget.epsilon_total
    ]


def _tiles(outcomes: dict[str, int]) -> list[dict[str, Any]]:
    day = timezone.now() - _DAY
    changes = dict(ConsentRecord.objects.filter(recorded_at__gte=day).values_list("state").annotate(Count("id")))
    total = sum(outcomes.values())
    log = reverse("admin:policies_decision_changelist")
    ledger = reverse("admin:consent_consentrecord_changelist")
    return [
        {
            "label": _("Decisions in 24 hours"),
            "value": f"{total:,}",
            "hint": _("%(share)d %% permitted") % {"share": 100 * outcomes.get("permit", 0) // max(total, 1)},
            "url": log,
        },
        {
            "label": _("Could not be decided"),
            "value": f"{outcomes.get('unknown', 0):,}",
            "hint": _("denied, and counted apart"),
            "url": f"{log}?outcome__exact=unknown",
        },
        {
            "label": _("Consents given"),
            "value": f"{changes.get('given', 0):,}",
            "hint": _("%(count)d withdrawn or refused")
            % {"count": changes.get("withdrawn", 0) + changes.get("refused", 0)},
            "url": ledger,
        },
        {
            "label": _("People in the register"),
            "value": f"{DataSubject.objects.count():,}",
            "hint": _("by pseudonym only"),
            "url": reverse("admin:consent_datasubject_changelist"),
        },
    ]


def _outcome_chart() -> Figure:
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=11)
    rows = (
        Decision.objects.filter(decided_at__gte=start)
        .annotate(hour=TruncHour("decided_at"))
        .values_list("hour", "outcome")
        .annotate(count=Count("id"))
        .order_by("hour")
    )
    counts: dict[Any, dict[str, int]] = {}
    for hour, outcome, count in rows:
        counts.setdefault(hour, {})[outcome] = count
    hours = [start + timedelta(hours=number) for number in range(12)]
    return columns_figure(
        [Bucket(f"{hour:%H}:00", counts.get(hour, {})) for hour in hours] if counts else [],
        [
            Series("permit", _("Permitted"), Tone.ACCENT),
            Series("deny", _("Not permitted"), Tone.QUIET),
            Series("unknown", _("Could not be decided"), Tone.ALARM),
        ],
        title=_("Decisions by hour"),
        description=_("Decisions of the last twelve hours by outcome, hours in UTC."),
        bucket_heading=_("Hour (UTC)"),
    )


def _reasons_chart() -> Figure:
    counts: dict[str, int] = {}
    recent = Decision.objects.filter(decided_at__gte=timezone.now() - _DAY).exclude(reasons=[])
    for codes, count in recent.values_list("reasons").annotate(Count("id")):
        counts[codes[0]] = counts.get(codes[0], 0) + count
    top = sorted(counts.items(), key=lambda pair: -pair[1])[:6]
    return bars_figure(
        [(reasons.for_officer(code), count) for code, count in top],
        title=_("Why not more"),
        description=_("The most decisive reason of each decision of the last 24 hours that was denied or capped."),
        headings=(_("Reason"), _("Decisions")),
    )


def _trail() -> dict[str, Any]:
    last = AuditAnchor.objects.order_by("-sequence").first()
    return {
        "ok": None,
        "checked": last.created_at if last else None,
        "anchored_events": AuditEvent.objects.filter(position__lte=last.last_position).count() if last else 0,
    }
