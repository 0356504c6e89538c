"""Panel of monitors on the page of a version: the newest results, their course over days, and distributions."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.admin_pages.display import NOTHING, badge, exact_moment, grid
from common.charts.counts import Figure, Tone
from common.charts.rates import Part, lines_figure
from model_registry.models import ModelVersion
from model_registry.pages.panels import Panel
from personalization.monitors import results
from personalization.monitors.kinds import MONITORS
from personalization.monitors.models import MonitorResult

_TONES = {"within": "good", "beyond": "alarm", "too_few": "plain", "unknown": "caution", "watched": "plain"}
_DAYS = 30
_DRIFTS = ("input_drift", "score_drift")
_MOST = 1.0  # of an index that is drawn: beyond it all is drift


def draw(version: ModelVersion) -> str:
    """Return the results of the newest day, as a table and plots; empty for a version that was never measured."""
    rows = results.of_days(version, _DAYS)
    if not rows:
        return ""
    newest = [row for row in rows if row.day == rows[-1].day]
    parts = [_table(newest), _course(rows), *(_distribution(row) for row in newest if row.monitor in _DRIFTS)]
    measured = format_html("<p>Measured {}.</p>", exact_moment(newest[-1].measured_at))
    return format_html("{}{}", measured, format_html_join("", "{}", ((part,) for part in parts)))


def _table(rows: Iterable[MonitorResult]) -> str:
    order = list(MONITORS)
    known = sorted((row for row in rows if row.monitor in MONITORS), key=lambda row: order.index(row.monitor))
    cells = [
        (
            badge(row.get_state_display(), _TONES[row.state]),
            _name(row),
            MONITORS[row.monitor].says,
            _value(row.value, row.monitor),
            _limit(row),
            f"{row.samples:,}" if row.samples > 1 else NOTHING,
        )
        for row in known
    ]
    return grid(["State", "Monitor", "What", "Value", "Objective", "Out of"], cells)


def _name(row: MonitorResult) -> str:
    title = MONITORS[row.monitor].title
    return f"{title}: {row.part}" if row.part else title


def _value(value: float | None, monitor: str) -> str:
    if value is None:
        return NOTHING
    unit = MONITORS[monitor].unit
    return f"{100 * value:.1f} %" if unit == "share" else f"{value:g} {unit}"


def _limit(row: MonitorResult) -> str:
    if row.limit is None:
        return NOTHING
    word = "at least" if MONITORS[row.monitor].is_least else "at most"
    return f"{word} {_value(row.limit, row.monitor)}"


def _course(rows: Sequence[MonitorResult]) -> SafeString:
    """Draw the largest drift of each day, of inputs and of scores."""
    days = sorted({row.day for row in rows})
    lines = []
    for name, tone in zip(_DRIFTS, (Tone.ACCENT, Tone.CAUTION), strict=True):
        largest = {
            day: max((row.value for row in rows if _is_of(row, name, day) and row.value is not None), default=None)
            for day in days
        }
        values = [None if largest[day] is None else min(largest[day] or 0.0, _MOST) for day in days]
        lines.append((Part(MONITORS[name].title, tone), values))
    return _figure(
        lines_figure(
            [f"{day:%d %b}" for day in days],
            lines,
            title="Drift over days",
            description="Population stability index in hundredths, the largest of each day: 25 is a large drift.",
            heading="Day",
        )
    )


def _is_of(row: MonitorResult, monitor: str, day: date) -> bool:
    return row.monitor == monitor and row.day == day


def _distribution(row: MonitorResult) -> SafeString:
    """Draw the reference and what is now as shares of the same bins."""
    old, new = row.figures["reference"], row.figures["now"]
    labels, before, after = _bins(row.figures["labels"], old, new, is_fine=row.monitor == "score_drift")
    if not sum(before) or not sum(after):
        return SafeString("")
    lines = [
        (Part("At the training", Tone.QUIET), [count / sum(before) for count in before]),
        (Part("Now", Tone.ACCENT), [count / sum(after) for count in after]),
    ]
    what = f"{_name(row)}, then and now"
    described = "Shares of the values at the training and in the last 7 days."
    return _figure(lines_figure(labels, lines, title=what, description=described, heading="Value"))


def _bins(
    labels: Sequence[str], old: Sequence[int], new: Sequence[int], *, is_fine: bool
) -> tuple[list[str], list[int], list[int]]:
    """Return bins to draw: fine ones from the first that holds something to the last."""
    used = [number for number in range(len(labels)) if old[number] or new[number]]
    if not is_fine or not used:
        return list(labels), list(old), list(new)
    begin, end = used[0], used[-1] + 1
    return list(labels[begin:end]), list(old[begin:end]), list(new[begin:end])


def _figure(figure: Figure) -> SafeString:
    return render_to_string("partials/figure.html", {"figure": figure})


PANEL = Panel("Monitors", draw, order=50)
