"""When a guard takes a canary back: a table to read, and what holds for any counts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.http.problems import InvalidRequest
from personalization.rollouts.guards import Figures, ModelGuards, Side, judge, read_guards

GUARDS = ModelGuards()
LEVELS = (0, 0, 0, 0, 1_000)
USUAL = Side(1_000, fallbacks=10, failures=0, levels=LEVELS, p99_us=20_000, people=1_000, unwanted=50, left=10)
# 4.5 % of 200 next to 2 % of 2,000.
FEW = Side(200, fallbacks=9, levels=(0, 0, 0, 0, 200))
MANY = Side(2_000, fallbacks=40, levels=(0, 0, 0, 0, 2_000))


def _figures(candidate: Side, live: Side = USUAL, *, is_shadow: bool = False) -> Figures:
    return Figures(candidate=candidate, live=live, is_shadow=is_shadow)


CASES: dict[str, tuple[Figures, str | None]] = {
    "nothing was answered": (_figures(Side(), Side()), None),
    "all is as it was": (_figures(USUAL), None),
    "the engine fails": (_figures(replace(USUAL, failures=20)), "error_points"),
    "the engine fails at both": (_figures(replace(USUAL, failures=500), replace(USUAL, failures=500)), None),
    "many get the general list": (_figures(replace(USUAL, fallbacks=60)), "fallback_points"),
    "as many more as allowed": (_figures(replace(USUAL, fallbacks=30)), None),
    "more, as chance brings them": (
        _figures(
            Side(200, fallbacks=9, levels=(0, 0, 0, 0, 200)), Side(2_000, fallbacks=40, levels=(0, 0, 0, 0, 2_000))
        ),
        None,
    ),
    "as many more in a shadow, where nothing is chance": (
        _figures(FEW, MANY, is_shadow=True),
        "fallback_points",
    ),
    "too few answers": (_figures(Side(199, fallbacks=150, levels=(150, 0, 0, 0, 49))), None),
    "just enough answers": (_figures(Side(200, fallbacks=150, levels=(150, 0, 0, 0, 50))), "fallback_points"),
    "too few answers of the live one": (_figures(replace(USUAL, fallbacks=900), replace(USUAL, answers=100)), None),
    "lower levels": (_figures(replace(USUAL, levels=(0, 0, 400, 0, 600))), "level_steps"),
    "higher levels": (_figures(USUAL, replace(USUAL, levels=(0, 0, 400, 0, 600))), None),
    "slower by a lot": (_figures(replace(USUAL, p99_us=50_000)), "latency_ratio"),
    "slower by what is allowed": (_figures(replace(USUAL, p99_us=40_000)), None),
    "people say that it is not relevant": (_figures(replace(USUAL, unwanted=150)), "unwanted_points"),
    "people say so, and too few of them": (_figures(replace(USUAL, people=49, unwanted=40)), None),
    "people leave": (_figures(replace(USUAL, left=60)), "left_points"),
    "in a shadow people see nothing of it": (_figures(replace(USUAL, left=600, unwanted=600), is_shadow=True), None),
}


@pytest.mark.parametrize(("figures", "guard"), CASES.values(), ids=CASES)
def test_the_table(figures: Figures, guard: str | None) -> None:
    breach = judge(GUARDS, figures)

    assert (breach.guard if breach else None) == guard


def test_a_sentence_says_both_figures_and_the_limit() -> None:
    breach = judge(GUARDS, _figures(replace(USUAL, unwanted=150)))

    assert breach is not None
    assert breach.sentence == (
        "15.0 % of the people said that an item is not relevant on the side of the candidate, 5.0 % on that of the live"
        " version; allowed: 5 points more."
    )


def _guards(points: float) -> ModelGuards:
    return ModelGuards(fallback_points=points)


counts = st.integers(0, 1_000)


@given(counts, counts, counts)
def test_a_candidate_that_is_no_worse_in_anything_stays(fallbacks: int, unwanted: int, left: int) -> None:
    side = replace(USUAL, fallbacks=fallbacks, unwanted=unwanted, left=left)
    better = replace(side, fallbacks=fallbacks // 2, unwanted=unwanted // 2, left=left // 2)

    assert judge(GUARDS, _figures(better, side)) is None


@given(st.integers(0, 400))
def test_the_wider_the_limit_the_fewer_are_taken_back(more: int) -> None:
    figures = _figures(replace(USUAL, fallbacks=10 + more))

    if judge(_guards(10.0), figures) is not None:
        assert judge(_guards(2.0), figures) is not None


@pytest.mark.parametrize(
    "document",
    [
        {"at_least": 1},
        {"fallback_points": 0},
        {"latency_ratio": 1},
        {"level_steps": 5},
        {"nonsense": 1},
        {"left_points": "2"},
    ],
)
def test_limits_that_make_no_sense_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        read_guards(document)
