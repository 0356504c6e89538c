"""Chart of shares with their intervals, in the style of ``common.charts.rates``: a dot on a line from end to end."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.charts.counts import WIDTH, Figure, Tone, drawing, empty_drawing, identifier, joined, shortened, tenths
from common.charts.rates import MAX_ROWS, percent

_ROW, _MOST_CHARS = 46, 34
_DOT, _LINE = 6, 4


@dataclass(frozen=True)
class IntervalRow:
    """A share of 1 with the ends of its interval; ``is_marked`` is drawn in the tone of an alarm, and said so."""

    label: str
    note: str
    value: float
    low: float
    high: float
    is_marked: bool = False


def intervals_figure(
    rows: Sequence[IntervalRow],
    *,
    title: str,
    description: str,
    headings: tuple[str, ...],
    table: Sequence[tuple[str, ...]],
) -> Figure:
    """Draw the first ``MAX_ROWS`` rows; the table holds all."""
    return Figure(title, _drawn(rows[:MAX_ROWS], title, description), headings, tuple(table))


def in_words(row: IntervalRow) -> str:
    """Return the share and its interval."""
    return f"{percent(row.value)} ({percent(row.low)} to {percent(row.high)})"


def _drawn(rows: Sequence[IntervalRow], title: str, description: str) -> SafeString:
    if not rows:
        return empty_drawing(title=title, description=description)
    name = identifier(title, description)
    lines = (_row(row, y=index * _ROW) for index, row in enumerate(rows))
    return drawing(lines, height=len(rows) * _ROW + 4, name=name, title=title, description=description)


def _row(row: IntervalRow, *, y: int) -> SafeString:
    tone = Tone.ALARM if row.is_marked else Tone.ACCENT
    low, high, value = (_x(share) for share in (row.low, row.high, row.value))
    text = format_html(
        '<text class="chart-label" x="0" y="{y}">{}<tspan class="chart-muted" dx="8">{}</tspan></text>'
        '<text class="chart-value" x="{}" y="{y}" text-anchor="end">{}</text>',
        shortened(row.label, at_most=_MOST_CHARS),
        row.note,
        WIDTH,
        percent(row.value),
        y=y + 16,
    )
    shape = format_html(
        '<rect class="chart-track" x="0" y="{}" width="{}" height="1"/>'
        '<rect class="chart-fill chart-tone-{}" x="{}" y="{}" width="{}" height="{}"/>'
        '<circle class="chart-fill chart-tone-{}" cx="{}" cy="{}" r="{}"/>',
        y + 31,
        WIDTH,
        Tone.QUIET.value,
        tenths(low),
        y + 31 - _LINE / 2,
        tenths(max(high - low, 1.0)),
        _LINE,
        tone.value,
        tenths(value),
        y + 31,
        _DOT,
    )
    return format_html("<g><title>{}: {}</title>{}</g>", row.label, in_words(row), joined([text, shape]))


def _x(share: float) -> float:
    return _DOT + (WIDTH - 2 * _DOT) * min(max(share, 0.0), 1.0)
