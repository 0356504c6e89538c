"""Charts of shares: proportional, said in words as well, and silent about what is withheld."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

from common.charts.counts import Tone
from common.charts.rates import (
    MAX_ROWS,
    MILLISECONDS,
    RATES,
    Part,
    ShareRow,
    Span,
    in_words,
    lines_figure,
    percent,
    shares_figure,
    spans_figure,
)

SVG = "{http://www.w3.org/2000/svg}"
PARTS = [Part("Yes", Tone.ACCENT), Part("No", Tone.QUIET)]
WORDS = {"title": "Answers", "description": "What people said."}


def _shares(*rows):
    return shares_figure(rows, PARTS, headings=("Region", "People", "Yes", "No"), **WORDS)


def _lines(*values):
    return lines_figure([f"{n} Nov" for n in range(len(values))], [(PARTS[0], values)], heading="Week", **WORDS)


def _svg(figure):
    return ET.fromstring(figure.svg)


def _texts(figure):
    return ["".join(node.itertext()) for node in _svg(figure).iter(f"{SVG}text")]


def test_parts_are_as_wide_as_their_shares():
    figure = _shares(ShareRow("DE", "40 people", (0.75, 0.25)))

    widths = [
        rect.get("width") for rect in _svg(figure).findall(f"./{SVG}g/{SVG}rect") if "fill" in rect.get("class", "")
    ]
    assert widths == ["360.0", "120.0"]
    assert figure.rows == (("DE", "40 people", "75 %", "25 %"),)


def test_a_withheld_row_has_no_width_and_no_number():
    figure = _shares(ShareRow("AT", "withheld", None))

    assert not [rect for rect in _svg(figure).iter(f"{SVG}rect") if "chart-track" in rect.get("class", "")]
    assert not any("%" in text for text in _texts(figure))


def test_the_table_holds_what_the_drawing_has_no_room_for():
    figure = _shares(*(ShareRow(f"R{n}", "40 people", (0.5, 0.5)) for n in range(MAX_ROWS + 3)))

    assert len(figure.rows) == MAX_ROWS + 3
    assert sum(text.startswith("R") for text in _texts(figure)) == MAX_ROWS


def test_a_name_cannot_break_out_of_the_drawing():
    figure = _shares(ShareRow("<script>", "40 people", (1.0, 0.0)))

    assert "<script>" not in figure.svg
    assert "<script>" in _texts(figure)[2]


def test_a_line_has_a_gap_where_a_week_is_withheld_and_its_last_value_at_the_end():
    figure = _lines(0.5, 0.6, None, 0.4)

    path = next(node for node in _svg(figure).iter(f"{SVG}path") if "chart-line" in node.get("class"))
    assert path.get("d").count("M") == 2
    assert "Yes 40 %" in _texts(figure)
    assert figure.rows[2] == ("2 Nov", "withheld")


def test_of_many_points_only_those_without_neighbours_are_dots():
    figure = _lines(*[0.5] * 30, None, 0.5, None)

    assert len(list(_svg(figure).iter(f"{SVG}circle"))) == 1


@pytest.mark.parametrize("figure", [_shares(), _lines(None, None), spans_figure([], headings=("a", "b", "c"), **WORDS)])
def test_nothing_to_show_is_said(figure):
    assert _texts(figure) == ["Nothing to show yet."]
    assert figure.rows == ()


def test_spans_are_drawn_against_the_longest():
    day = timedelta(days=1)
    figure = spans_figure(
        [Span("All", 5 * day, 10 * day), Span("DE", 2 * day, 5 * day), Span("AT", None, None)],
        headings=("Region", "Half", "Nine in ten"),
        **WORDS,
    )

    rects = [rect.get("width") for rect in _svg(figure).iter(f"{SVG}rect") if "tone-accent" in rect.get("class", "")]
    assert rects[1:] == ["240.0", "96.0"]
    assert figure.rows[2] == ("AT", "withheld", "withheld")


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(minutes=3), "under an hour"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=12, hours=3), "12 days"),
        (None, "withheld"),
    ],
)
def test_spans_are_said_in_the_unit_that_fits(span, words):
    assert in_words(span) == words


def test_shares_are_whole_percents():
    assert [percent(share) for share in (0.0, 1 / 3, 1.0, None)] == ["0 %", "33 %", "100 %", "withheld"]


def test_durations_have_an_axis_of_their_own_and_say_milliseconds():
    figure = lines_figure(
        ["1 Nov", "2 Nov"], [(PARTS[0], [2.5, None]), (PARTS[1], [25, 250])], heading="Day", scale=MILLISECONDS, **WORDS
    )

    assert figure.rows == (("1 Nov", "2.5 ms", "25 ms"), ("2 Nov", "–", "250 ms"))  # noqa: RUF001
    assert {"0", "200", "400", "Yes 2.5 ms", "No 250 ms"} <= set(_texts(figure))


def test_small_rates_fill_the_axis_and_unknown_ones_are_not_called_withheld():
    figure = lines_figure(["1 Nov", "2 Nov"], [(PARTS[0], [0.004, None])], heading="Day", scale=RATES, **WORDS)

    assert figure.rows == (("1 Nov", "0.4 %"), ("2 Nov", "–"))  # noqa: RUF001
    assert {"0 %", "0.5 %", "1 %"} <= set(_texts(figure))


@pytest.mark.parametrize(
    ("highest", "top"), [(0.0, 1), (0.7, 1), (1, 1), (2.5, 4), (4.1, 10), (250, 400), (60_000, 1e5)]
)
def test_an_axis_of_durations_ends_at_a_round_number(highest, top):
    assert MILLISECONDS.top(highest) == pytest.approx(top)
