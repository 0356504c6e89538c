"""Verdicts: a value against its objective, a drift by its size and its probability."""

import pytest

from personalization.monitors import judging
from personalization.monitors.judging import Measured, Objective
from personalization.monitors.kinds import MONITORS


def _state(measured: Measured, objective: Objective | None = None) -> str:
    return judging.judge([measured], {measured.monitor: objective} if objective else {})[0].state


@pytest.mark.parametrize(
    ("measured", "state"),
    [
        (Measured("fallbacks", value=0.01, samples=100), "within"),
        (Measured("fallbacks", value=0.011, samples=100), "beyond"),
        (Measured("fallbacks", value=0.5, samples=99), "too_few"),
        (Measured("coverage", value=0.009, samples=1_000), "beyond"),
        (Measured("coverage", value=0.01, samples=1_000), "within"),
        (Measured("score_drift", value=0.3, samples=500, p=0.001), "beyond"),
        (Measured("score_drift", value=0.3, samples=500, p=0.02), "within"),
        (Measured("score_drift", value=0.2, samples=500, p=1e-9), "within"),
        (Measured("score_drift", value=None, samples=500), "unknown"),
        (Measured("latency", value=None, samples=0), "too_few"),
    ],
)
def test_by_the_monitors_own_objective(measured: Measured, state: str) -> None:
    assert _state(measured) == state


def test_by_the_registers_objective_or_by_none() -> None:
    slow = Measured("latency", value=0.1, samples=500)

    assert _state(slow) == "within"
    assert _state(slow, Objective(0.05)) == "beyond"
    assert _state(slow, Objective(None)) == "watched"


def test_many_tests_of_a_day_make_one_of_them_less_sure() -> None:
    sure = Measured("input_drift", "kind", 0.5, 500, p=0.004)
    others = [Measured("input_drift", str(number), 0.0, 500, p=0.9) for number in range(9)]
    untested = [Measured("input_drift", str(number), 0.0, 5, p=0.9) for number in range(9)]

    assert judging.judge([sure], {})[0].state == "beyond"
    assert judging.judge([sure, *others], {})[0].state == "within"
    assert judging.judge([sure, *others], {})[0].measured.p == pytest.approx(0.04)
    assert judging.judge([sure, *untested], {})[0].state == "beyond"


def test_every_monitor_is_beyond_and_within_something() -> None:
    for name, monitor in MONITORS.items():
        worse, better = (-1, 1) if monitor.is_least else (1, -1)
        assert monitor.is_beyond(monitor.limit + worse, monitor.limit), name
        assert not monitor.is_beyond(monitor.limit, monitor.limit), name
        assert monitor.is_stricter(monitor.limit + better, monitor.limit), name
        assert not monitor.is_stricter(monitor.limit + worse, monitor.limit), name
