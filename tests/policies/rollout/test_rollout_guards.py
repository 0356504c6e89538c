"""When a guard takes a candidate back: a table to read, and what holds for any counts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rollout.guards import Breach, Figures, Guards, Side, judge

GUARDS = Guards(window_minutes=15, at_least=200, deny_points=2.0, error_points=1.0, latency_ratio=2.0)


def _figures(candidate: Side, active: Side, *, before: Side | None = None, is_shadow: bool = False) -> Figures:
    return Figures(candidate=candidate, active=active, before=before or Side(), is_shadow=is_shadow)


def _denied(count: int, decisions: int = 10_000) -> Side:
    return Side(decisions, denied=count)


def _took(p99_ms: int, decisions: int = 10_000) -> Side:
    return Side(decisions, p99_us=p99_ms * 1_000)


CASES: dict[str, tuple[Figures, str | None]] = {
    "nothing was decided": (_figures(Side(), Side()), None),
    "all is as it was": (_figures(_denied(310), _denied(310)), None),
    "far more denials": (_figures(_denied(740), _denied(310)), "deny_points"),
    "far fewer denials": (_figures(_denied(310), _denied(740)), "deny_points"),
    "as many more denials as allowed": (_figures(_denied(510), _denied(310)), None),
    "too few decisions of the candidate": (_figures(_denied(199, 199), _denied(310)), None),
    "just enough decisions of the candidate": (_figures(_denied(200, 200), _denied(310)), "deny_points"),
    "more denials, as chance brings them": (_figures(_denied(12, 200), _denied(60, 2_000)), None),
    "as many more in a shadow, where nothing is chance": (
        _figures(_denied(12, 200), _denied(6, 200), is_shadow=True),
        "deny_points",
    ),
    "nobody is answered by the active one any more": (
        _figures(_denied(740), _denied(5, 10), before=_denied(310)),
        "deny_points",
    ),
    "nobody is, and all is as it was": (_figures(_denied(310), _denied(5, 10), before=_denied(310)), None),
    "nothing to compare with": (_figures(_denied(9_000), Side(), before=_denied(1, 100)), None),
    "the engine fails at the candidate": (_figures(Side(1_000, 20, 20), Side(1_000, 0, 0)), "error_points"),
    "the engine fails at both": (_figures(Side(1_000, 500, 500), Side(1_000, 500, 500)), None),
    "the engine fails less than before": (_figures(Side(1_000, 0, 0), Side(1_000, 20, 20)), None),
    "it fails, and there is nothing to compare with": (_figures(Side(1_000, 20, 20), Side()), "error_points"),
    "slower by a lot": (_figures(_took(60), _took(20)), "latency_ratio"),
    "slower by what is allowed": (_figures(_took(40), _took(20)), None),
    "many times slower than next to nothing": (_figures(_took(6), _took(1)), None),
    "faster": (_figures(_took(1), _took(60)), None),
    "slower with the candidate beside it": (
        _figures(Side(10_000), _took(60), before=_took(20), is_shadow=True),
        "latency_ratio",
    ),
    "slower with it, and too little known of before": (
        _figures(Side(10_000), _took(60), before=_took(20, 100), is_shadow=True),
        None,
    ),
}


@pytest.mark.parametrize(("figures", "guard"), CASES.values(), ids=CASES)
def test_the_table(figures: Figures, guard: str | None) -> None:
    breach = judge(GUARDS, figures)

    assert (breach.guard if breach else None) == guard


ENGINE = "The engine failed at"
ONE = "One in a hundred decisions"
SENTENCES = {
    "deny_points": (
        _figures(_denied(740), _denied(310)),
        "7.4 % of the decisions of the candidate were denials, 3.1 % of the active one's; allowed: 2 points.",
    ),
    "error_points": (
        _figures(Side(1_000, 20, 20), Side(1_000)),
        f"{ENGINE} 2.0 % of the decisions of the candidate, at 0.0 % of the active one's; allowed: 1 point more.",
    ),
    "latency_ratio": (
        _figures(_took(60), _took(20)),
        f"{ONE} by the candidate took longer than 60.0 ms, without it 20.0 ms; allowed: 2 times as long.",
    ),
}


@pytest.mark.parametrize(("guard", "case"), SENTENCES.items(), ids=SENTENCES)
def test_the_reason_is_a_sentence_with_the_numbers(guard: str, case: tuple[Figures, str]) -> None:
    assert judge(GUARDS, case[0]) == Breach(guard, case[1])


@st.composite
def sides(draw: st.DrawFn) -> Side:
    decisions = draw(st.integers(0, 50_000))
    denied = draw(st.integers(0, decisions))
    failed = draw(st.integers(0, denied))
    return Side(decisions, denied, failed, draw(st.none() | st.integers(1, 10_000_000)) if decisions else None)


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    is_shadow = draw(st.booleans())
    active = draw(sides())
    candidate = draw(sides())
    if is_shadow:
        denied = draw(st.integers(0, active.decisions))
        candidate = Side(active.decisions, denied, draw(st.integers(0, denied)))
    return Figures(candidate=candidate, active=active, before=draw(sides()), is_shadow=is_shadow)


@given(figures())
def test_nobody_is_judged_by_too_few_decisions(counted: Figures) -> None:
    few = replace(counted, candidate=replace(counted.candidate, decisions=GUARDS.at_least - 1, denied=0, failed=0))

    assert judge(GUARDS, few) is None


@given(sides(), st.booleans())
def test_a_candidate_that_does_what_the_active_one_does_is_never_taken_back(side: Side, is_shadow: bool) -> None:
    assert judge(GUARDS, Figures(candidate=side, active=side, before=side, is_shadow=is_shadow)) is None


@given(figures())
def test_wider_limits_never_take_back_what_narrower_ones_let_pass(counted: Figures) -> None:
    wider = Guards(at_least=GUARDS.at_least, deny_points=10, error_points=10, latency_ratio=10)

    if judge(GUARDS, counted) is None:
        assert judge(wider, counted) is None


@given(figures(), st.integers(1, 1_000))
def test_more_failures_never_save_a_candidate(counted: Figures, more: int) -> None:
    breach = judge(GUARDS, counted)
    if breach is None or breach.guard != "error_points":
        return
    failed = min(counted.candidate.failed + more, counted.candidate.decisions)
    worse = replace(counted.candidate, failed=failed, denied=max(failed, counted.candidate.denied))

    assert judge(GUARDS, replace(counted, candidate=worse)) is not None


@given(figures())
def test_whoever_denies_everything_where_nothing_was_denied_is_taken_back(counted: Figures) -> None:
    decisions = max(counted.candidate.decisions, GUARDS.at_least)
    worst, usual = Side(decisions, denied=decisions), Side(max(counted.active.decisions, GUARDS.at_least))

    assert judge(GUARDS, replace(counted, candidate=worst, active=usual)) is not None
