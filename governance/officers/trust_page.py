"""The page "Trust metrics": how people use their choices, exact, and never of fewer people than the smallest group."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.admin_pages.display import NOTHING
from common.admin_pages.permissions import require
from common.charts.counts import Bucket, Figure, Series, Tone, columns_figure
from common.charts.rates import Part, ShareRow, Span, in_words, lines_figure, percent, shares_figure, spans_figure
from common.spreadsheet import safe_cell
from common.suppression import smallest_group
from consent.counts import What
from consent.trust import metrics
from consent.trust.metrics import Answers, Breakdown, Group, Grouping, Uses, Waiting, Week
from policies.decision_log import figures
from policies.decision_log.figures import SignalShare

PERIODS = (30, 90, 365)
_VIEW = "consent.view_exactfigures"  # without noise: a right of its own, and none to read the ledger
_DEFAULT_DAYS = 90
_COLUMNS = (
    "group", "people", "answers", "consent_percent", "opt_out_percent", "withdrawal_percent",
    "median_days_to_withdraw", "p90_days_to_withdraw",
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """Filters an officer chose. Nonsense in the address falls back to the defaults."""

    days: int
    grouping: Grouping
    now: datetime

    @classmethod
    def of(cls, request: HttpRequest) -> "Choice":
        asked_days, asked_group = request.GET.get("days", ""), request.GET.get("by", "")
        days = next((days for days in PERIODS if str(days) == asked_days), _DEFAULT_DAYS)
        grouping = next((grouping for grouping in Grouping if grouping == asked_group), Grouping.PURPOSE)
        return cls(days, grouping, timezone.now())

    @property
    def since(self) -> datetime:
        """Return the Monday on or before the first day asked for: weeks are whole, and the period moves once a week."""
        day = (self.now - timedelta(days=self.days)).replace(hour=0, minute=0, second=0, microsecond=0)
        return day - timedelta(days=day.weekday())


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(_VIEW)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    require(request, _VIEW)
    choice = Choice.of(request)
    k = smallest_group()
    answers = metrics.breakdown(choice.grouping, since=choice.since, smallest=k)
    waiting = metrics.time_to_withdraw(choice.grouping, since=choice.since, smallest=k)
    uses = metrics.uses(since=choice.since, until=choice.now, smallest=k)
    shares, all_signals = figures.signal_shares(now=choice.now, smallest=k)
    query = urlencode({"days": choice.days, "by": choice.grouping.value})
    context = {
        **admin.site.each_context(request),
        "title": _("Trust metrics"),
        "periods": [(days, _("Last %(days)d days") % {"days": days}, days == choice.days) for days in PERIODS],
        "groupings": [(g.value, name, g is choice.grouping) for g, name in _grouping_names().items()],
        "smallest": k,
        "since": choice.since,
        "until": choice.now,
        "tiles": _tiles(answers, waiting, uses, all_signals, k),
        "figures": [
            _trend(metrics.weeks(since=choice.since, until=choice.now, smallest=k)),
            _dashboards(uses[What.DASHBOARD_OPENED], k),
            _standing(choice.grouping, answers),
            _waiting(choice.grouping, answers, waiting),
            _signals(shares),
        ],
        "withheld": sum(group.answers is None for group in answers.groups),
        "csv_url": f"{reverse('trust-csv')}?{query}",
    }
    return render(request, "admin/trust.html", context)


def _grouping_names() -> dict[Grouping, str]:
    return {
        Grouping.PURPOSE: _("By purpose"),
        Grouping.REGION: _("By region"),
        Grouping.NOTICE: _("By notice version"),
    }


def _heading(grouping: Grouping) -> str:
    return {Grouping.PURPOSE: _("Purpose"), Grouping.REGION: _("Region"), Grouping.NOTICE: _("Notice")}[grouping]


def _tiles(
    answers: Breakdown,
    waiting: dict[tuple[str, int] | None, Waiting],
    uses: dict[What, Uses],
    signals: SignalShare | None,
    k: int,
) -> list[dict[str, str]]:
    total, lasted = answers.total, waiting.get(None)
    nothing = _("nobody has answered yet") if answers.is_empty else _few(k)
    return [
        {
            "label": _("Answers"),
            "value": _grouped(total.total) if total else NOTHING,
            "hint": _("last choices of people about a purpose") if total else nothing,
        },
        _tile(_("Consent rate"), total.consent_rate if total else None, _("of the answers say yes"), nothing),
        _tile(_("Opt-out rate"), total.opt_out_rate if total else None, _("of the answers say no"), nothing),
        _tile(
            _("Withdrawal rate"),
            total.withdrawal_rate if total else None,
            _("of those who had agreed took it back"),
            nothing,
        ),
        {
            "label": _("Time to withdraw"),
            "value": in_words(lasted.median) if lasted else NOTHING,
            "hint": _("half withdrew sooner, nine in ten within %(p90)s") % {"p90": in_words(lasted.p90)}
            if lasted
            else _("fewer than %(count)d people withdrew") % {"count": k},
        },
        _uses_tile(uses, k),
        {
            "label": _("Receipts downloaded"),
            "value": _times(uses[What.RECEIPT_DOWNLOADED].total, k),
            "hint": _("people keeping proof of what they chose"),
        },
        _tile(
            _("Opt-out signals"),
            signals.rate if signals else None,
            _("of the last 7 days' decisions came with one"),
            _few(k),
        ),
    ]


def _tile(label: str, share: float | None, hint: str, nothing: str) -> dict[str, str]:
    return {
        "label": label,
        "value": NOTHING if share is None else percent(share),
        "hint": nothing if share is None else hint,
    }


def _few(k: int) -> str:
    return _("fewer than %(count)d people") % {"count": k}


def _uses_tile(uses: dict[What, Uses], k: int) -> dict[str, str]:
    hint = _("%(links)s links issued") % {"links": _times(uses[What.LINK_ISSUED].total, k)}
    return {"label": _("Dashboards opened"), "value": _times(uses[What.DASHBOARD_OPENED].total, k), "hint": hint}


def _times(count: int | None, k: int) -> str:
    return _("under %(count)d") % {"count": k} if count is None else _grouped(count)


def _grouped(count: int) -> str:
    return str(number_format(count, force_grouping=True))


def _parts() -> list[Part]:
    return [Part(_("Agreed"), Tone.ACCENT), Part(_("Refused"), Tone.QUIET), Part(_("Took it back"), Tone.CAUTION)]


def _shares_of(answers: Answers) -> tuple[float, float, float]:
    return answers.given / answers.total, answers.refused / answers.total, answers.withdrawn / answers.total


def _trend(weeks: tuple[Week, ...]) -> Figure:
    shares = [_shares_of(week.answers) if week.answers else None for week in weeks]
    return lines_figure(
        [f"{week.monday.day} {week.monday:%b}" for week in weeks],
        [(part, [values[index] if values else None for values in shares]) for index, part in enumerate(_parts())],
        title=_("How people answer, week by week"),
        description=_("Of each week's last answers, the share that agreed, refused, or took an agreement back."),
        heading=_("Week from"),
    )


def _standing(grouping: Grouping, answers: Breakdown) -> Figure:
    return shares_figure(
        [ShareRow(g.label, _note(g), _shares_of(g.answers) if g.answers else None) for g in answers.groups],
        _parts(),
        title=_("Where people stand"),
        description=_(
            "Each person's last answer about each purpose, by group. The number at the right is the share that agreed."
        ),
        headings=(_heading(grouping), _("People"), *(part.label for part in _parts())),
    )


def _note(group: Group) -> str:
    if group.answers is None:
        return _("withheld")
    return _("%(count)s people") % {"count": _grouped(group.answers.people)}


def _waiting(grouping: Grouping, answers: Breakdown, waiting: dict[tuple[str, int] | None, Waiting]) -> Figure:
    spans = [_span(_("All together"), waiting.get(None))]
    spans += [_span(group.label, waiting.get(group.key) if group.answers else None) for group in answers.groups]
    return spans_figure(
        spans if waiting else [],
        title=_("How long until people change their mind"),
        description=_("The time from agreeing to taking it back, among withdrawals of the period."),
        headings=(_heading(grouping), _("Half within"), _("Nine in ten within")),
    )


def _span(label: str, lasted: Waiting | None) -> Span:
    return Span(label, lasted.median if lasted else None, lasted.p90 if lasted else None)


def _dashboards(opened: Uses, k: int) -> Figure:
    figure = columns_figure(
        [Bucket(f"{monday.day} {monday:%b}", {"opened": count or 0}) for monday, count in opened.by_week.items()],
        [Series("opened", _("Dashboards opened"), Tone.ACCENT)],
        title=_("Use of the privacy dashboard"),
        description=_("How often a link to a privacy dashboard was opened, by week. Weeks with few are left out."),
        bucket_heading=_("Week from"),
    )
    counts = opened.by_week.values()
    rows = [(row[0], _times(count, k)) for row, count in zip(figure.rows, counts, strict=True)]
    return replace(figure, rows=tuple(rows) if any(counts) else ())


def _signals(shares: list[SignalShare]) -> Figure:
    return shares_figure(
        [
            ShareRow(
                _("Law not known") if share.jurisdiction == "unknown" else share.jurisdiction.upper(),
                _("withheld")
                if share.decisions is None
                else _("%(count)s decisions") % {"count": _grouped(share.decisions)},
                None if share.rate is None else (share.rate,),
            )
            for share in shares
        ],
        [Part(_("With an opt-out signal"), Tone.ACCENT)],
        title=_("Opt-out signals by law"),
        description=_(
            "The share of the last 7 days' decisions whose request carried Global Privacy Control or a GPP opt-out."
        ),
        headings=(_("Law"), _("Decisions"), _("With an opt-out signal")),
    )


@require_safe
def download(request: HttpRequest) -> HttpResponse:
    """Return the page's numbers as CSV, withheld where the page withholds them."""
    require(request, _VIEW)
    choice = Choice.of(request)
    name = f"trust-{choice.grouping}-{choice.days}-days-{choice.now:%Y-%m-%d}.csv"
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    writer = csv.writer(response)
    writer.writerow(_COLUMNS)
    writer.writerows(_csv_rows(choice))
    return response


def _csv_rows(choice: Choice) -> Iterator[list[Any]]:
    answers = metrics.breakdown(choice.grouping, since=choice.since)
    waiting = metrics.time_to_withdraw(choice.grouping, since=choice.since)
    for group in answers.groups:
        yield [safe_cell(group.label), *_csv_numbers(group.answers, waiting.get(group.key))]
    # The people of groups that share people are not shown: minus one group, they would reveal the others.
    yield ["all", *_csv_numbers(answers.total, waiting.get(None), tells_people=choice.grouping is Grouping.REGION)]


def _csv_numbers(answers: Answers | None, lasted: Waiting | None, *, tells_people: bool = True) -> list[Any]:
    if answers is None:
        return ["withheld"] * 7
    rates = [answers.consent_rate, answers.opt_out_rate, answers.withdrawal_rate]
    spans = [lasted.median, lasted.p90] if lasted else [None, None]
    return [
        answers.people if tells_people else "",
        answers.total,
        *("withheld" if rate is None else round(100 * rate) for rate in rates),
        *("withheld" if span is None else round(span / timedelta(days=1), 1) for span in spans),
    ]
