"""Charts: the numbers are right, the words reach everybody, and nothing can be injected."""

import xml.etree.ElementTree as ET

import pytest
from django.utils.safestring import SafeString
from django.utils.translation import override

from common.charts.counts import Bucket, Series, Tone, bars, bars_figure, columns_figure, stacked_columns

SVG = "{http://www.w3.org/2000/svg}"
OUTCOMES = [
    Series("permitted", "Permitted", Tone.ACCENT),
    Series("denied", "Not permitted", Tone.QUIET),
    Series("unknown", "Unknown", Tone.CAUTION),
]
WORDS = {"title": "Decisions a day", "description": "Outcomes of the last days."}


def days(*counts):
    keys = [series.key for series in OUTCOMES]
    return [Bucket(f"{index} Nov", dict(zip(keys, row, strict=True))) for index, row in enumerate(counts, start=1)]


def columns(*counts):
    return ET.fromstring(stacked_columns(days(*counts), OUTCOMES, **WORDS))


def texts(svg):
    return ["".join(node.itertext()) for node in svg.iter(f"{SVG}text")]


def heights(svg, tone):
    found = svg.findall(f"./{SVG}g/{SVG}rect[@class='chart-fill chart-tone-{tone}']")
    return [float(rect.get("height")) for rect in found]


def test_a_chart_is_an_image_with_a_title_and_a_description():
    svg = columns((3, 2, 1))

    assert svg.get("role") == "img"
    title, description = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert (title.text, title.get("id")) == (WORDS["title"], svg.get("aria-labelledby"))
    assert (description.text, description.get("id")) == (WORDS["description"], svg.get("aria-describedby"))


def test_column_heights_are_proportional_to_counts():
    svg = columns((10, 0, 0), (5, 5, 0))

    assert heights(svg, "accent") == [160.0, 80.0]
    assert heights(svg, "quiet") == [80.0]


def test_every_series_is_named_beside_its_total():
    labels = texts(columns((1200, 30, 0), (1300, 20, 0)))

    assert labels[:6] == ["Unknown", "0", "Not permitted", "50", "Permitted", "2,500"]


def test_series_differ_by_pattern_as_well_as_colour():
    svg = columns((1, 1, 1))

    fills = {rect.get("fill") for rect in svg.findall(f"./{SVG}g/{SVG}rect") if rect.get("fill")}
    patterns = {f"url(#{pattern.get('id')})" for pattern in svg.iter(f"{SVG}pattern")}
    assert len(fills) == 2
    assert fills < patterns


def test_the_last_column_is_always_labelled_and_the_labels_never_crowd():
    axis = [text for text in texts(columns(*[(1, 0, 0)] * 30)) if text.endswith("Nov")]

    assert axis == ["6 Nov", "12 Nov", "18 Nov", "24 Nov", "30 Nov"]


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [(1, ["0", "1"]), (3, ["0", "2", "4"]), (47, ["0", "30", "60"]), (10_000, ["0", "5,000", "10,000"])],
)
def test_the_axis_counts_in_whole_round_numbers(largest, ticks):
    labels = texts(columns((largest, 0, 0)))

    assert labels[6:-1] == ticks


def test_bars_are_measured_against_the_longest():
    svg = ET.fromstring(bars([("No permission", 40), ("Opt-out signal", 10)], **WORDS))

    widths = [float(rect.get("width")) for rect in svg.iter(f"{SVG}rect") if "chart-fill" in rect.get("class")]
    assert widths == [480.0, 120.0]
    assert texts(svg) == ["No permission", "40", "Opt-out signal", "10"]


def test_a_long_bar_label_is_shortened_with_the_whole_in_its_title():
    label = "The transfer instrument for the region of processing has expired"

    svg = ET.fromstring(bars([(label, 2)], **WORDS))

    assert texts(svg)[0] == "The transfer instrument for the region of pro…"
    assert svg.find(f"{SVG}g/{SVG}title").text == f"{label}: 2"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: stacked_columns([], OUTCOMES, **WORDS),
        lambda: stacked_columns([Bucket("1 Nov", {})], OUTCOMES, **WORDS),
        lambda: bars([], **WORDS),
        lambda: bars([("No permission", 0)], **WORDS),
    ],
)
def test_a_chart_without_data_says_so(draw):
    assert texts(ET.fromstring(draw())) == ["Nothing to show yet."]


def test_text_is_escaped_everywhere():
    hostile = "<script>&\"'"

    drawn = [
        stacked_columns([Bucket(hostile, {"a": 1})], [Series("a", hostile, Tone.ALARM)], **WORDS),
        bars([(hostile, 1)], title=hostile, description=hostile),
        bars([], title=hostile, description=hostile),
    ]

    for svg in drawn:
        assert isinstance(svg, SafeString)
        assert "<script" not in svg
        ET.fromstring(svg)


def test_no_inline_style_or_script_is_written():
    svg = stacked_columns(days((3, 2, 1)), OUTCOMES, **WORDS) + bars([("a", 1)], **WORDS)

    assert "style" not in svg
    assert "onload" not in svg


def test_lengths_keep_the_decimal_point_in_every_language():
    with override("de"):
        svg = columns((2, 1, 0), (1234, 0, 0))

    assert "1.236" in texts(svg)
    assert all("," not in rect.get("height") for rect in svg.iter(f"{SVG}rect"))


def test_charts_with_different_words_share_no_ids():
    first = columns((1, 1, 1))
    second = ET.fromstring(stacked_columns(days((1, 1, 1)), OUTCOMES, title="Other", description="Others."))

    def ids(svg):
        return {node.get("id") for node in svg.iter() if node.get("id")}

    assert ids(first).isdisjoint(ids(second))


def test_more_series_than_patterns_are_refused():
    series = [Series(str(number), str(number), Tone.QUIET) for number in range(6)]

    with pytest.raises(ValueError, match="at most 5 series"):
        stacked_columns([], series, **WORDS)


@pytest.mark.parametrize("draw", [lambda: columns((1, -1, 0)), lambda: bars([("a", -1)], **WORDS)])
def test_a_count_below_zero_is_refused(draw):
    with pytest.raises(ValueError, match="below zero"):
        draw()


def test_a_figure_holds_the_numbers_of_its_chart_as_a_table():
    outcomes = columns_figure(days((1500, 2, 0)), OUTCOMES, bucket_heading="Day", **WORDS)
    reasons = bars_figure([("No permission", 2)], headings=("Reason", "Decisions"), **WORDS)

    assert outcomes.headings == ("Day", "Permitted", "Not permitted", "Unknown")
    assert outcomes.rows == (("1 Nov", "1,500", "2", "0"),)
    assert reasons.headings == ("Reason", "Decisions")
    assert reasons.rows == (("No permission", "2"),)
    assert outcomes.svg == stacked_columns(days((1500, 2, 0)), OUTCOMES, **WORDS)
