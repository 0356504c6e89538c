"""Pictures of a release: sizes of its classes, loss of each column, and rows in small classes before and after."""

from collections.abc import Mapping
from typing import Any

from common.charts.counts import Figure, Tone, bars_figure
from common.charts.rates import Part, lines_figure

_PER_MILLE = 1_000


def figures(report: Mapping[str, Any], measured: Mapping[str, Any]) -> list[Figure]:
    """Return the pictures of a release whose job is done."""
    return [_risk(measured), _sizes(measured), _loss(report)]


def _risk(measured: Mapping[str, Any]) -> Figure:
    return lines_figure(
        [f"k = {step}" for step in measured["steps"]],
        [
            (Part("Before", Tone.QUIET), measured["below_before"]),
            (Part("After", Tone.ACCENT), measured["below_after"]),
        ],
        title="Rows at risk, by k",
        description="Share of rows that look like fewer than k rows, in the uploaded table and in the copy.",
        heading="Asked for",
    )


def _sizes(measured: Mapping[str, Any]) -> Figure:
    return bars_figure(
        [(f"{label} rows", number) for label, number in measured["sizes"] if number],
        title="Classes by size",
        description="How many classes of the copy have so many rows that look alike.",
        headings=("Rows in a class", "Classes"),
    )


def _loss(report: Mapping[str, Any]) -> Figure:
    lost = sorted(report["result"]["loss"].items(), key=lambda each: (-each[1], each[0]))
    return bars_figure(
        [(name, round(_PER_MILLE * share)) for name, share in lost],
        title="Loss of each column, in thousandths",
        description="Information lost by generalising, in thousandths: 0 is nothing, 1,000 everything.",
        headings=("Column", "Loss, in thousandths"),
    )
