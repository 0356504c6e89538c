"""What the decisions of a day ask for and show: a rise of refusals, tiles and charts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common.charts.counts import Bucket, Figure, Series, Tone, bars_figure, columns_figure
from common.identifiers import uuid7_floor
from consent.ledger import people_counts
from consent.models import ConsentRecord, DataSubject
from governance.officers.today.items import DAY, Item, item
from policies.bundles import reasons
from policies.decision_log import figures
from policies.decision_log.figures import Counted

_HOUR = timedelta(hours=1)
# An hour with fewer decisions says nothing; a share of refusals that rose by less is no news.
_ENOUGH_DECISIONS = 50
_RISE = 0.2
_MANY_PEOPLE = 200_000  # are not counted for a page


def last_day(now: datetime) -> list[Counted]:
    """Count the decisions of the last 24 hours by the hour of the clock, and apart from that of the last hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    moments = {now - DAY, now - _HOUR, *(hour - number * _HOUR for number in range(24))}
    return figures.counted(sorted(moments))


def by_outcome(counted: Iterable[Counted]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in counted:
        found[each.outcome] += each.decisions
    return found


def refusals(counted: Iterable[Counted], at: datetime) -> list[Item]:
    """Find a share of refusals in the last hour far above the 23 hours before: a rule or a model gone wrong."""
    day, hour = by_outcome(counted), by_outcome(each for each in counted if each.since >= at - _HOUR)
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
    return [item(_("Unusually many refusals"), detail, url, "now")]


def tiles(outcomes: Mapping[str, int]) -> list[dict[str, Any]]:
    day = timezone.now() - DAY
    # By identifier too, which holds the time: it has an index.
    lately = ConsentRecord.objects.filter(recorded_at__gte=day, pk__gte=uuid7_floor(day - DAY))
    changes = dict(lately.values_list("state").annotate(Count("id")))
    total, permitted = sum(outcomes.values()), outcomes.get("permit", 0)
    log = reverse("admin:policies_decision_changelist")
    ledger = reverse("admin:consent_consentrecord_changelist")
    return [
        {
            "label": _("Decisions in 24 hours"),
            "value": f"{total:,}",
            "hint": _("%(share)d %% permitted") % {"share": 100 * permitted // total} if total else _("none"),
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


def outcome_chart(counted: Iterable[Counted], now: datetime) -> Figure:
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


def reasons_chart(counted: Iterable[Counted]) -> Figure:
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
