"""Flows between columns of named things as accessible SVG, drawn on the server, without style attributes.

What flows where is said again by a table of the page: the drawing has no numbers, and its lines cross.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.charts.counts import drawing, empty_drawing, identifier, joined, shortened, tenths

_NODE_WIDTH, _NODE_HEIGHT, _GAP, _HEAD = 184, 40, 12, 32
_BETWEEN = 72
_MAX_LABEL_CHARS = 25
_PADDING = 12


@dataclass(frozen=True)
class Node:
    """One named thing; ``is_marked`` draws it with a broken outline: it needs a look."""

    key: str
    label: str
    is_marked: bool = False


@dataclass(frozen=True)
class Column:
    """Things of one kind below their heading."""

    heading: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Flow:
    """A line from a node to one of any later column; both by column and key."""

    from_column: int
    from_key: str
    to_column: int
    to_key: str


def flows(columns: Sequence[Column], lines: Sequence[Flow], *, title: str, description: str) -> SafeString:
    """Draw columns from left to right and lines between their nodes; lines of unknown nodes are left out."""
    if not any(column.nodes for column in columns):
        return empty_drawing(title=title, description=description)
    places = {
        (number, node.key): (_left(number), _top(row), node)
        for number, column in enumerate(columns)
        for row, node in enumerate(column.nodes)
    }
    drawn = [_line(places, line) for line in lines if {_start(line), _end(line)} <= places.keys()]
    boxes = [_box(x, y, node) for x, y, node in places.values()]
    heads = [_heading(number, column) for number, column in enumerate(columns)]
    height = _top(max(len(column.nodes) for column in columns)) + 4
    name = identifier(title, description)
    width = _left(len(columns)) - _BETWEEN + 2
    return drawing(
        [*drawn, *boxes, *heads], height=height, width=width, name=name, title=title, description=description
    )


def _start(line: Flow) -> tuple[int, str]:
    return line.from_column, line.from_key


def _end(line: Flow) -> tuple[int, str]:
    return line.to_column, line.to_key


def _left(column: int) -> int:
    return 2 + column * (_NODE_WIDTH + _BETWEEN)


def _top(row: int) -> int:
    return _HEAD + row * (_NODE_HEIGHT + _GAP)


def _heading(number: int, column: Column) -> SafeString:
    return format_html('<text class="chart-muted" x="{}" y="18">{}</text>', _left(number), column.heading)


def _box(x: int, y: int, node: Node) -> SafeString:
    return format_html(
        '<g><title>{}</title><rect class="flow-node{}" x="{}" y="{}" width="{}" height="{}" rx="6"/>'
        '<text class="chart-label" x="{}" y="{}">{}</text></g>',
        node.label,
        " flow-marked" if node.is_marked else "",
        x,
        y,
        _NODE_WIDTH,
        _NODE_HEIGHT,
        x + _PADDING,
        y + _NODE_HEIGHT // 2 + 5,
        shortened(node.label, at_most=_MAX_LABEL_CHARS),
    )


def _line(places: dict[tuple[int, str], tuple[int, int, Node]], line: Flow) -> SafeString:
    """Draw a curve; where it passes a column it runs straight, so that it can be followed."""
    (x1, y1, source), (x2, y2, target) = places[_start(line)], places[_end(line)]
    middle = _NODE_HEIGHT / 2
    points = [(x1 + _NODE_WIDTH, y1 + middle), (x2, y2 + middle)]
    curves = joined(
        format_html(
            "C{} {} {} {} {} {}",
            tenths((ax + bx) / 2), tenths(ay), tenths((ax + bx) / 2), tenths(by), tenths(bx), tenths(by),
        )
        for (ax, ay), (bx, by) in pairwise(points)
    )  # fmt: skip
    return format_html(
        '<g class="flow"><title>{} → {}</title><path class="flow-line" d="M{} {}{}"/></g>',
        source.label,
        target.label,
        tenths(points[0][0]),
        tenths(points[0][1]),
        curves,
    )
