"""Relevance by privacy level as an SVG for the documentation: bars with their intervals, in light and dark."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import cast

from governance.bench.report import Row

_Figures = Mapping[str, float]
_LEVELS = (
    ("none", "none: the same for everybody"),
    ("segment, gender and age", "segment: gender and age"),
    ("segment, readable", "segment: readable"),
    ("taste", "segment: taste, 50 people or more"),
    ("session, the last 5", "session only: five touches"),
    ("behavioral", "behavioral: 100 touches"),
    ("contextual", "contextual: these and this visit"),
    ("individual", "individual: everything"),
)
_WIDTH, _LEFT, _SCALE_TO = 760, 250, 470
_ROW, _BAR, _TOP = 46, 14, 58
_READ_AS = 'role="img" aria-labelledby="title desc"'
_STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2d52}
.q{fill:#3d4a6b;font-size:12px}
.s{fill:#2f4a8f}
.w{fill:#b8c7ea;stroke:#2f4a8f;stroke-dasharray:3 2}
.i,.g{stroke:#1f2d52;stroke-width:1.4}
.g{stroke:#a8b6d8;stroke-width:1}
.b{fill:#fff}
@media (prefers-color-scheme: dark){
text{fill:#e8ecf8}.q{fill:#bcc7e4}.s{fill:#8fabf0}.w{fill:#32416e;stroke:#8fabf0}.i{stroke:#e8ecf8}.g{stroke:#4a5a8a}
.b{fill:#131a2e}
}
"""


def drawing(rows: Sequence[Row]) -> str:
    """Return the SVG; levels that were not measured are left out."""
    every = [(words, *_of(rows, start)) for start, words in _LEVELS]
    found = [(words, strict, served) for words, strict, served in every if strict is not None]
    height = _TOP + len(found) * _ROW + 34
    most = max([float(one["high"] or 0) for _, *both in found for one in both if one is not None] or [1.0])
    unit = _SCALE_TO / most
    said = "; ".join(f"{words} {_number(strict)}" for words, strict, _ in found)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_READ_AS}>',
        '<title id="title">Relevance by privacy level</title>',
        f'<desc id="desc">nDCG at 10, every known item left out: {escape(said)}. The table has all figures.</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="b" width="{_WIDTH}" height="{height}"/>',
        *_key(),
    ]
    for place, (words, strict, served) in enumerate(found):
        parts += _bars(words, strict, served, _TOP + place * _ROW, unit)
    return "\n".join([*parts, *_axis(most, unit, height), "</svg>", ""])


def _of(rows: Sequence[Row], start: str) -> tuple[_Figures | None, _Figures | None]:
    """Return the figures of the first row whose name begins so, by both protocols."""
    named = [row.figures for row in rows if row.what == start or row.what.startswith(f"{start},")]
    strict, served = (next((one for one in named if one.get("protocol") == protocol), None) for protocol in "SW")
    return cast("_Figures | None", strict), cast("_Figures | None", served)


def _number(figures: _Figures | None) -> str:
    return "not measured" if figures is None else f"{figures['ndcg_at_10']:.3f}"


def _key() -> Iterator[str]:
    yield f'<rect class="s" x="{_LEFT}" y="14" width="26" height="{_BAR}"/>'
    yield f'<text class="q" x="{_LEFT + 34}" y="26">known items left out (S), with 95 % interval</text>'
    yield f'<rect class="w" x="{_LEFT}" y="34" width="26" height="{_BAR}"/>'
    yield f'<text class="q" x="{_LEFT + 34}" y="46">as served: only what the level may look at (W)</text>'


def _bars(words: str, strict: _Figures | None, served: _Figures | None, top: int, unit: float) -> Iterator[str]:
    yield f'<text x="{_LEFT - 10}" y="{top + 22}" text-anchor="end">{escape(words)}</text>'
    for figures, kind, y in ((strict, "s", top + 4), (served, "w", top + 4 + _BAR + 2)):
        if figures is not None:
            width = figures["ndcg_at_10"] * unit
            yield f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}"/>'
    if strict is not None:
        low, high, middle = _LEFT + strict["low"] * unit, _LEFT + strict["high"] * unit, top + 4 + _BAR // 2
        ends = f"M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"
        yield f'<path class="i" d="M{low:.1f} {middle}H{high:.1f}{ends}"/>'


def _axis(most: float, unit: float, height: int) -> Iterator[str]:
    y = height - 28
    yield f'<path class="g" d="M{_LEFT} {y}H{_LEFT + _SCALE_TO}"/>'
    for step in range(int(most / 0.05) + 1):
        x = _LEFT + 0.05 * step * unit
        yield f'<text class="q" x="{x:.1f}" y="{y + 18}" text-anchor="middle">{0.05 * step:.2f}</text>'
