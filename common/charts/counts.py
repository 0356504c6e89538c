"""Small charts as accessible SVG, drawn on the server, without style attributes.

Colour comes from CSS classes (``chart-tone-*``) so that light and dark work; every series also has its own pattern and
its name next to it, so that colour never carries meaning alone.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

MAX_SERIES = 5

# All lengths are SVG user units. 480 keeps text readable when the chart shrinks to a phone's width.
WIDTH = 480
_PLOT_LEFT, _PLOT_RIGHT, _PLOT_HEIGHT = 56, 468, 160
_KEY_ROW, _AXIS_ROW, _BAR_ROW = 24, 28, 44
_MAX_AXIS_LABELS = 5
_MAX_COLUMN = 40
_HALF_LABEL = 26  # a label under the last column ends at the paper's edge
_MAX_LABEL_CHARS = 46
_PATTERNS = ("solid", "slash", "dots", "lines", "cross")


class Tone(StrEnum):
    """Role of a series; green, amber and red stay free for states."""

    ACCENT = "accent"
    QUIET = "quiet"
    CAUTION = "caution"
    ALARM = "alarm"


@dataclass(frozen=True)
class Series:
    """One stacked part of every column; ``key`` finds its number in ``Bucket.counts``."""

    key: str
    label: str
    tone: Tone


@dataclass(frozen=True)
class Bucket:
    """One column: a label such as a day, and a count >= 0 for each series key (absent means 0)."""

    label: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Figure:
    """A chart and the same numbers as a table; the first cell of each row is its heading."""

    title: str
    svg: SafeString
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def columns_figure(
    buckets: Sequence[Bucket], series: Sequence[Series], *, title: str, description: str, bucket_heading: str
) -> Figure:
    """Pair ``stacked_columns`` with its table; ``bucket_heading`` names the first table column."""
    rows = ((bucket.label, *(grouped(bucket.counts.get(s.key, 0)) for s in series)) for bucket in buckets)
    return Figure(
        title=title,
        svg=stacked_columns(buckets, series, title=title, description=description),
        headings=(bucket_heading, *(s.label for s in series)),
        rows=tuple(rows),
    )


def bars_figure(rows: Sequence[tuple[str, int]], *, title: str, description: str, headings: tuple[str, str]) -> Figure:
    """Pair ``bars`` with its table."""
    return Figure(
        title=title,
        svg=bars(rows, title=title, description=description),
        headings=headings,
        rows=tuple((label, grouped(count)) for label, count in rows),
    )


def stacked_columns(buckets: Sequence[Bucket], series: Sequence[Series], *, title: str, description: str) -> SafeString:
    """Draw counts over time, the first series at the foot of each column.

    Raises ValueError for more than ``MAX_SERIES`` series or a count below zero.
    """
    if len(series) > MAX_SERIES:
        message = f"A chart shows at most {MAX_SERIES} series, not {len(series)}."
        raise ValueError(message)
    counts = [[bucket.counts.get(s.key, 0) for s in series] for bucket in buckets]
    _refuse_negative(count for column in counts for count in column)
    if not any(map(any, counts)):
        return empty_drawing(title=title, description=description)
    name = identifier(title, description)
    top = len(series) * _KEY_ROW + 16
    axis_max = _round_up(max(map(sum, counts)))
    parts = [
        pattern_defs(name),
        _key(series, [sum(column) for column in zip(*counts, strict=True)], name),
        _grid(axis_max, top),
        *(
            _column(bucket, series, name=name, x=x, width=width, top=top, axis_max=axis_max)
            for bucket, (x, width) in zip(buckets, _columns_across(len(buckets)), strict=True)
        ),
        _axis_labels(buckets, top),
    ]
    height = top + _PLOT_HEIGHT + _AXIS_ROW
    return drawing(parts, height=height, name=name, title=title, description=description)


def bars(rows: Sequence[tuple[str, int]], *, title: str, description: str) -> SafeString:
    """Draw one labelled bar per row, in the order given, against the longest.

    Raises ValueError for a count below zero.
    """
    _refuse_negative(count for _label, count in rows)
    longest = max((count for _label, count in rows), default=0)
    if longest == 0:
        return empty_drawing(title=title, description=description)
    parts = [_bar(label, count, y=index * _BAR_ROW, longest=longest) for index, (label, count) in enumerate(rows)]
    name = identifier(title, description)
    return drawing(parts, height=len(rows) * _BAR_ROW, name=name, title=title, description=description)


def drawing(
    parts: Iterable[SafeString], *, height: int, name: str, title: str, description: str, width: int = WIDTH
) -> SafeString:
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="{}" viewBox="0 0 {} {}" role="img"'
        ' aria-labelledby="{name}-title" aria-describedby="{name}-desc">'
        '<title id="{name}-title">{}</title><desc id="{name}-desc">{}</desc>{}</svg>',
        "figure" if width == WIDTH else "figure figure-wide",
        width,
        height,
        title,
        description,
        joined(parts),
        name=name,
    )


def empty_drawing(*, title: str, description: str) -> SafeString:
    text = format_html(
        '<rect class="chart-empty" x="1" y="1" width="{}" height="94" rx="8"/>'
        '<text class="chart-muted" x="{}" y="54" text-anchor="middle">{}</text>',
        WIDTH - 2,
        WIDTH // 2,
        _("Nothing to show yet."),
    )
    name = identifier(title, description)
    return drawing([text], height=96, name=name, title=title, description=description)


def pattern_defs(name: str) -> SafeString:
    """Define the marks laid over the tones; ``solid`` needs none."""
    return format_html(
        '<defs><pattern id="{name}-slash" width="6" height="6" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><path class="chart-mark" d="M0 0V6"/></pattern>'
        '<pattern id="{name}-dots" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<circle class="chart-dot" cx="3" cy="3" r="1.3"/></pattern>'
        '<pattern id="{name}-lines" width="6" height="5" patternUnits="userSpaceOnUse">'
        '<path class="chart-mark" d="M0 2.5H6"/></pattern>'
        '<pattern id="{name}-cross" width="7" height="7" patternUnits="userSpaceOnUse">'
        '<path class="chart-mark" d="M0 0L7 7M7 0L0 7"/></pattern></defs>',
        name=name,
    )


def _key(series: Sequence[Series], totals: Sequence[int], name: str) -> SafeString:
    """Name the series from the top of the stack down, each with its total at the right."""
    rows = (
        format_html(
            '{}<text class="chart-label" x="24" y="{y}">{}</text>'
            '<text class="chart-value" x="{}" y="{y}" text-anchor="end">{}</text>',
            block(index, entry.tone, name, x=0, y=row * _KEY_ROW + 4, width=14, height=14),
            entry.label,
            _PLOT_RIGHT,
            grouped(totals[index]),
            y=row * _KEY_ROW + 16,
        )
        for row, (index, entry) in enumerate(reversed(list(enumerate(series))))
    )
    return joined(rows)


def _grid(axis_max: int, top: int) -> SafeString:
    ticks = sorted({0, axis_max // 2, axis_max})
    lines = (
        format_html(
            '<path class="chart-grid" d="M{} {y}H{}"/>'
            '<text class="chart-muted" x="{}" y="{}" text-anchor="end">{}</text>',
            _PLOT_LEFT,
            _PLOT_RIGHT,
            _PLOT_LEFT - 8,
            tenths(y + 4),
            grouped(tick),
            y=tenths(y),
        )
        for tick in ticks
        for y in (top + _PLOT_HEIGHT * (1 - tick / axis_max),)
    )
    return joined(lines)


def _column(
    bucket: Bucket, series: Sequence[Series], *, name: str, x: float, width: float, top: int, axis_max: int
) -> SafeString:
    """Stack one bucket; a hover title says each count, since thin parts cannot carry text."""
    foot = float(top + _PLOT_HEIGHT)
    parts = []
    for index, entry in enumerate(series):
        count = bucket.counts.get(entry.key, 0)
        if count == 0:
            continue
        height = _PLOT_HEIGHT * count / axis_max
        foot -= height
        part = block(index, entry.tone, name, x=x, y=foot, width=width, height=height)
        hover = f"{bucket.label}: {entry.label} {grouped(count)}"
        parts.append(format_html("<g><title>{}</title>{}</g>", hover, part))
    return joined(parts)


def block(index: int, tone: Tone, name: str, *, x: float, y: float, width: float, height: float) -> SafeString:
    box = format_html('x="{}" y="{}" width="{}" height="{}"', tenths(x), tenths(y), tenths(width), tenths(height))
    fill = format_html('<rect class="chart-fill chart-tone-{}" {}/>', tone.value, box)
    if index == 0:
        return fill
    return format_html('{}<rect fill="url(#{}-{})" {}/>', fill, name, _PATTERNS[index], box)


def _axis_labels(buckets: Sequence[Bucket], top: int) -> SafeString:
    """Label as many columns as fit, counted back from the last, which matters most."""
    step = -(-len(buckets) // _MAX_AXIS_LABELS)
    labels = (
        format_html(
            '<text class="chart-muted" x="{}" y="{}" text-anchor="middle">{}</text>',
            tenths(min(x + width / 2, WIDTH - _HALF_LABEL)),
            top + _PLOT_HEIGHT + 20,
            bucket.label,
        )
        for index, (bucket, (x, width)) in enumerate(zip(buckets, _columns_across(len(buckets)), strict=True), start=1)
        if (len(buckets) - index) % step == 0
    )
    return joined(labels)


def _columns_across(count: int) -> list[tuple[float, float]]:
    """Return (x, width) of each column, centred in equal slots."""
    slot = (_PLOT_RIGHT - _PLOT_LEFT) / count
    width = min(slot * 0.72, _MAX_COLUMN)
    return [(_PLOT_LEFT + slot * index + (slot - width) / 2, width) for index in range(count)]


def _bar(label: str, count: int, *, y: int, longest: int) -> SafeString:
    return format_html(
        '<g><title>{}: {count}</title><text class="chart-label" x="0" y="{text_y}">{}</text>'
        '<text class="chart-value" x="{}" y="{text_y}" text-anchor="end">{count}</text>'
        '<rect class="chart-track" x="0" y="{bar_y}" width="{}" height="10" rx="3"/>'
        '<rect class="chart-fill chart-tone-accent" x="0" y="{bar_y}" width="{}" height="10" rx="3"/></g>',
        label,
        shortened(label),
        WIDTH,
        WIDTH,
        tenths(WIDTH * count / longest),
        count=grouped(count),
        text_y=y + 17,
        bar_y=y + 25,
    )


def _round_up(value: int) -> int:
    """Return the nearest 1, 2, 4, 6, 8 or 10 times a power of ten, so that the half is whole too."""
    magnitude: int = 10 ** (len(str(value)) - 1)
    return next(step * magnitude for step in (1, 2, 4, 6, 8, 10) if step * magnitude >= value)


def _refuse_negative(counts: Iterable[int]) -> None:
    if any(count < 0 for count in counts):
        raise ValueError("A chart counts things; no count can be below zero.")


def identifier(title: str, description: str) -> str:
    """Return an id that keeps two charts on one page apart and is the same on every render."""
    digest = hashlib.sha256(f"{title}|{description}".encode()).hexdigest()
    return f"chart-{digest[:8]}"


def shortened(label: str, *, at_most: int = _MAX_LABEL_CHARS) -> str:
    return label if len(label) <= at_most else f"{label[: at_most - 1].rstrip()}…"


def grouped(count: int) -> str:
    return str(number_format(count, force_grouping=True))


def tenths(length: float) -> str:
    """Write a length for SVG, independent of the locale's decimal separator."""
    return f"{length:.1f}"


def joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join(mark_safe(""), "{}", ((part,) for part in parts))
