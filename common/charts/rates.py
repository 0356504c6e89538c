"""Charts of shares, durations and lines over time, in the style of ``common.charts.counts``.

What is withheld is drawn as an empty dashed bar, or as a gap in a line, and said in words.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.admin_pages.display import NOTHING
from common.charts.counts import (
    WIDTH,
    Figure,
    Tone,
    block,
    drawing,
    empty_drawing,
    identifier,
    joined,
    pattern_defs,
    shortened,
    tenths,
)

MAX_ROWS = 12
_ROW, _KEY_ROW, _BAR = 52, 24, 12
_LEFT, _RIGHT, _HEIGHT = 56, 330, 180  # of the plot of lines; the names of the lines stand right of it
_TOP, _AXIS_ROW, _LABEL_GAP = 12, 28, 20
_MAX_AXIS_LABELS = 4
_MOST_CHARS = 30
_MANY_POINTS = 20
_AXES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)  # whose halves are whole percents
_FINE_AXES = (0.002, 0.01, 0.02, 0.05, *_AXES)


@dataclass(frozen=True)
class Part:
    """One part of every bar, or one line."""

    label: str
    tone: Tone


@dataclass(frozen=True)
class ShareRow:
    """One bar of parts that are shares of 1, in the order of the parts; None where they are withheld."""

    label: str
    note: str
    shares: tuple[float, ...] | None


@dataclass(frozen=True)
class Span:
    """Duration for half and for nine in ten; None where that is withheld."""

    label: str
    median: timedelta | None
    p90: timedelta | None


def percent(share: float | None) -> str:
    """Format a share in whole percent, which is as exact as a published share gets."""
    return _("withheld") if share is None else f"{100 * share:.0f} %"


def _exact_percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f} %"


def _milliseconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:g} ms"


def _round_up(value: float) -> float:
    """Return the nearest 1, 2, 4 or 10 times a power of ten."""
    magnitude = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * magnitude for step in (1, 2, 4, 10) if step * magnitude >= value)


@dataclass(frozen=True)
class Scale:
    """Axis of lines: where it ends for a highest value, and how a value is worded, also one that is not known.

    ``tick``: a value at the axis, which has room for six characters.
    """

    top: Callable[[float], float]
    words: Callable[[float | None], str]
    tick: Callable[[float], str]


PUBLISHED = Scale(lambda highest: next(top for top in _AXES if top >= highest), percent, percent)
"""Shares as they are published: whole percents, and what is not given is withheld."""
RATES = Scale(
    lambda highest: next(top for top in _FINE_AXES if top >= highest),
    _exact_percent,
    lambda share: f"{100 * share:g} %",
)
"""Shares in tenths of a percent, for officers."""
MILLISECONDS = Scale(_round_up, _milliseconds, lambda value: f"{value:g}")


def in_words(span: timedelta | None) -> str:
    if span is None:
        return _("withheld")
    hours = span.total_seconds() / 3600
    if hours < 1:
        return _("under an hour")
    if hours < 48:
        return ngettext("%(count)d hour", "%(count)d hours", round(hours)) % {"count": round(hours)}
    days = round(hours / 24)
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def shares_figure(
    rows: Sequence[ShareRow], parts: Sequence[Part], *, title: str, description: str, headings: tuple[str, ...]
) -> Figure:
    """Draw one bar a row, the first ``MAX_ROWS`` of them; the table holds all. The first part is written out."""
    table = tuple(
        (row.label, row.note, *((percent(share) for share in row.shares) if row.shares else [NOTHING] * len(parts)))
        for row in rows
    )
    return Figure(title, _shares(rows[:MAX_ROWS], parts, title=title, description=description), headings, table)


def _shares(rows: Sequence[ShareRow], parts: Sequence[Part], *, title: str, description: str) -> SafeString:
    if not rows:
        return empty_drawing(title=title, description=description)
    name = identifier(title, description)
    top = len(parts) * _KEY_ROW + 8 if len(parts) > 1 else 0
    key = _key(parts, name) if len(parts) > 1 else []
    bars = (_share_row(row, parts, name=name, y=top + index * _ROW) for index, row in enumerate(rows))
    height = top + len(rows) * _ROW
    return drawing([pattern_defs(name), *key, *bars], height=height, name=name, title=title, description=description)


def _key(parts: Sequence[Part], name: str) -> list[SafeString]:
    return [
        format_html(
            '{}<text class="chart-label" x="24" y="{}">{}</text>',
            block(index, part.tone, name, x=0, y=index * _KEY_ROW + 4, width=14, height=14),
            index * _KEY_ROW + 16,
            part.label,
        )
        for index, part in enumerate(parts)
    ]


def _share_row(row: ShareRow, parts: Sequence[Part], *, name: str, y: float) -> SafeString:
    if row.shares is None:
        return joined([_row_text(row.label, row.note, "", y), _dashed_bar(y)])
    x, drawn = 0.0, [_row_text(row.label, row.note, percent(row.shares[0]), y), _track(y)]
    for index, (part, share) in enumerate(zip(parts, row.shares, strict=True)):
        width = WIDTH * share
        if width:
            fill = block(index, part.tone, name, x=x, y=y + 26, width=width, height=_BAR)
            hover = f"{row.label}: {part.label} {percent(share)}"
            drawn.append(format_html("<g><title>{}</title>{}</g>", hover, fill))
        x += width
    return joined(drawn)


def _row_text(label: str, note: str, value: str, y: float) -> SafeString:
    return format_html(
        '<text class="chart-label" x="0" y="{y}">{}<tspan class="chart-muted" dx="8">{}</tspan></text>'
        '<text class="chart-value" x="{}" y="{y}" text-anchor="end">{}</text>',
        shortened(label, at_most=_MOST_CHARS),
        note,
        WIDTH,
        value,
        y=y + 18,
    )


def _track(y: float) -> SafeString:
    return format_html('<rect class="chart-track" x="0" y="{}" width="{}" height="{}"/>', y + 26, WIDTH, _BAR)


def _dashed_bar(y: float) -> SafeString:
    return format_html('<rect class="chart-empty" x="1" y="{}" width="{}" height="{}"/>', y + 26, WIDTH - 2, _BAR)


def spans_figure(rows: Sequence[Span], *, title: str, description: str, headings: tuple[str, str, str]) -> Figure:
    """Draw for each row how long nine in ten took, and within it how long half took."""
    told = [row for row in rows if row.median is not None][:MAX_ROWS]
    table = tuple((row.label, in_words(row.median), in_words(row.p90)) for row in rows)
    return Figure(title, _spans(told, title=title, description=description), headings, table if told else ())


def _spans(rows: Sequence[Span], *, title: str, description: str) -> SafeString:
    if not rows:
        return empty_drawing(title=title, description=description)
    name = identifier(title, description)
    parts = [Part(_("Half within"), Tone.ACCENT), Part(_("Nine in ten within"), Tone.QUIET)]
    longest = max((row.p90 or timedelta() for row in rows), default=timedelta()).total_seconds() or 1.0
    top = len(parts) * _KEY_ROW + 8
    bars = []
    for index, row in enumerate(rows):
        y = top + index * _ROW
        half, most = (WIDTH * (span or timedelta()).total_seconds() / longest for span in (row.median, row.p90))
        bars += [
            _row_text(row.label, "", f"{in_words(row.median)} · {in_words(row.p90)}", y),
            _track(y),
            block(0, Tone.ACCENT, name, x=0, y=y + 26, width=half, height=_BAR),
            block(1, Tone.QUIET, name, x=half, y=y + 26, width=max(most - half, 0), height=_BAR),
        ]
    parts_drawn = [pattern_defs(name), *_key(parts, name), *bars]
    return drawing(parts_drawn, height=top + len(rows) * _ROW, name=name, title=title, description=description)


def lines_figure(
    labels: Sequence[str],
    lines: Sequence[tuple[Part, Sequence[float | None]]],
    *,
    title: str,
    description: str,
    heading: str,
    scale: Scale = PUBLISHED,
) -> Figure:
    """Draw values over time, one line a part, its name and last value at its end. None leaves a gap."""
    table = tuple(
        (label, *(scale.words(values[index]) for _part, values in lines)) for index, label in enumerate(labels)
    )
    svg = _lines(labels, lines, scale, title=title, description=description)
    is_empty = all(value is None for _part, values in lines for value in values)
    return Figure(title, svg, (heading, *(part.label for part, _values in lines)), () if is_empty else table)


def _lines(
    labels: Sequence[str],
    lines: Sequence[tuple[Part, Sequence[float | None]]],
    scale: Scale,
    *,
    title: str,
    description: str,
) -> SafeString:
    known = [value for _part, values in lines for value in values if value is not None]
    if not known:
        return empty_drawing(title=title, description=description)
    name = identifier(title, description)
    highest = scale.top(max(known))
    parts = [_grid(highest, scale), *_axis(labels)]
    parts += [
        _line(part, index, _points(values, highest), labels, [scale.words(value) for value in values])
        for index, (part, values) in enumerate(lines)
    ]
    parts += _ends(lines, highest, scale)
    return drawing(parts, height=_TOP + _HEIGHT + _AXIS_ROW, name=name, title=title, description=description)


def _grid(highest: float, scale: Scale) -> SafeString:
    return joined(
        format_html(
            '<path class="chart-grid" d="M{} {y}H{}"/>'
            '<text class="chart-muted" x="{}" y="{}" text-anchor="end">{}</text>',
            _LEFT,
            _RIGHT,
            _LEFT - 6,
            tenths(_y(value, highest) + 4),
            scale.tick(value),
            y=tenths(_y(value, highest)),
        )
        for value in (0.0, highest / 2, highest)
    )


def _axis(labels: Sequence[str]) -> Iterable[SafeString]:
    """Label as many points as fit, counted back from the last, which matters most."""
    step = -(-len(labels) // _MAX_AXIS_LABELS)
    for index, label in enumerate(labels):
        if (len(labels) - 1 - index) % step == 0:
            yield format_html(
                '<text class="chart-muted" x="{}" y="{}" text-anchor="middle">{}</text>',
                tenths(_x(index, len(labels))),
                _TOP + _HEIGHT + 22,
                label,
            )


def _x(index: int, count: int) -> float:
    return _LEFT + 12 + (_RIGHT - _LEFT - 20) * (index / (count - 1) if count > 1 else 0.5)


def _y(value: float, highest: float) -> float:
    return _TOP + _HEIGHT * (1 - value / highest)


def _points(values: Sequence[float | None], highest: float) -> list[tuple[float, float] | None]:
    return [
        None if value is None else (_x(index, len(values)), _y(value, highest)) for index, value in enumerate(values)
    ]


def _line(
    part: Part,
    index: int,
    points: Sequence[tuple[float, float] | None],
    labels: Sequence[str],
    said: Sequence[str],
) -> SafeString:
    pieces, pen_is_down = [], False
    for point in points:
        if point:
            pieces.append(f"{'L' if pen_is_down else 'M'}{tenths(point[0])} {tenths(point[1])}")
        pen_is_down = point is not None
    dots = (
        format_html(
            '<circle class="chart-fill chart-tone-{}" cx="{}" cy="{}" r="4"><title>{}</title></circle>',
            part.tone.value,
            tenths(point[0]),
            tenths(point[1]),
            f"{label}: {part.label} {value}",
        )
        for position, (point, label, value) in enumerate(zip(points, labels, said, strict=True))
        if point and (len(points) <= _MANY_POINTS or _stands_alone(points, position))
    )
    path = format_html(
        '<path class="chart-line chart-line-{} chart-dash-{}" d="{}"/>', part.tone.value, index, "".join(pieces)
    )
    return joined([path, *dots])


def _stands_alone(points: Sequence[tuple[float, float] | None], position: int) -> bool:
    """Return whether no line leads to this point, so that only a dot can show it."""
    beside = [*points[max(position - 1, 0) : position], *points[position + 1 : position + 2]]
    return not any(beside)


def _ends(lines: Sequence[tuple[Part, Sequence[float | None]]], highest: float, scale: Scale) -> list[SafeString]:
    """Name the lines at their ends, moved apart where they would overlap."""
    last = [
        (_y(next(value for value in reversed(values) if value is not None), highest), part, values)
        for part, values in lines
        if any(value is not None for value in values)
    ]
    placed, names = float(_TOP - _LABEL_GAP), []
    room = _TOP + _HEIGHT + 4
    for number, (y, part, values) in enumerate(sorted(last, key=lambda end: end[0])):
        placed = min(max(y + 4, placed + _LABEL_GAP), room - (len(last) - 1 - number) * _LABEL_GAP)
        shown = next(value for value in reversed(values) if value is not None)
        names.append(
            format_html(
                '<text class="chart-label" x="{}" y="{}">{} <tspan class="chart-value">{}</tspan></text>',
                _RIGHT + 8,
                tenths(placed),
                part.label,
                scale.words(shown),
            )
        )
    return names
