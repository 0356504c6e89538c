"""Noise judged by OpenDP: its scale has the epsilon we state, its error is ours, and its draws are like ours."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from privacy.budgets import noise
from privacy.budgets.discrete_gaussian import variance_at_least
from privacy.budgets.mechanisms import Gaussian
from tests.helpers.judges import judge

pytestmark = pytest.mark.long
_OPENDP = Path(__file__).with_name("opendp_noise.py")
_DRAWS = 40_000
_CASES = [
    {"epsilon": epsilon, "sensitivity": sensitivity, "alpha": alpha, "draws": 0}
    for epsilon in (0.01, 0.1, 0.5, 2.0)
    for sensitivity in (1, 3, 100)
    for alpha in (0.05, 0.025)
]


def test_opendp_finds_the_epsilon_and_the_error_we_state():
    found = judge("opendp").run(_OPENDP, _CASES)

    for case, verdict in zip(_CASES, found, strict=True):
        assert verdict["epsilon"] == pytest.approx(case["epsilon"], rel=1e-9)
        # Its accuracy a is the first with P(|noise| >= a) <= alpha; our bound n the first with P(|noise| > n) <= alpha.
        ours = noise.error_bound(case["epsilon"], case["sensitivity"], 1 - case["alpha"])
        assert ours + 1 == pytest.approx(np.ceil(verdict["accuracy"]), abs=1e-9), case


@pytest.mark.parametrize(("epsilon", "sensitivity"), [(0.5, 1), (0.5, 8)])
def test_opendp_draws_the_same_noise(epsilon, sensitivity):
    """Two samples of one distribution: a chi-squared test that raises a false alarm for 1 seed in 1,000."""
    case = {"epsilon": epsilon, "sensitivity": sensitivity, "alpha": 0.05, "draws": _DRAWS}
    (verdict,) = judge("opendp").run(_OPENDP, [case])
    rng = np.random.RandomState(1)
    ours = [noise.noisy_count(0, epsilon=epsilon, sensitivity=sensitivity, rng=rng) for _ in range(_DRAWS)]

    reach = 8 * sensitivity
    table = [np.bincount(np.clip(draws, -reach, reach) + reach) for draws in (ours, verdict["draws"])]

    assert stats.chi2_contingency(table).pvalue > 0.001
    other = [noise.noisy_count(0, epsilon=1.2 * epsilon, sensitivity=sensitivity, rng=rng) for _ in range(_DRAWS)]
    unlike = [np.bincount(np.clip(draws, -reach, reach) + reach, minlength=2 * reach + 1)
              for draws in (other, verdict["draws"])]  # fmt: skip
    assert stats.chi2_contingency(np.array(unlike)[:, np.sum(unlike, axis=0) > 0]).pvalue < 1e-6


@pytest.mark.parametrize(("epsilon", "sensitivity"), [(0.5, 1), (3.0, 1), (1.0, 8)])
def test_opendp_draws_the_same_gaussian_noise_and_finds_its_divergence(epsilon, sensitivity):
    """False alarm for 1 seed in 1,000; noise of 1.2 times the epsilon is told apart."""
    gaussian = Gaussian.of(epsilon, 1e-6)
    deviation = np.sqrt(float(variance_at_least(sensitivity**2 / (2 * gaussian.rho))))
    case = {"deviation": deviation, "sensitivity": sensitivity, "draws": _DRAWS}
    (verdict,) = judge("opendp").run(_OPENDP, [case])

    assert verdict["rho"] <= gaussian.rho * (1 + 1e-9)
    assert _alike(gaussian.draw([0] * _DRAWS, sensitivity), verdict["draws"], deviation) > 0.001
    other = Gaussian.of(1.2 * epsilon, 1e-6).draw([0] * _DRAWS, sensitivity)
    assert _alike(other, verdict["draws"], deviation) < 1e-6


def _alike(first, second, deviation):
    cells = [np.round(np.array(draws) / max(1, deviation / 3)).astype(int) for draws in (first, second)]
    reach = 9
    table = [np.bincount(np.clip(each, -reach, reach) + reach, minlength=2 * reach + 1) for each in cells]
    return stats.chi2_contingency(np.array(table)[:, np.sum(table, axis=0) > 0]).pvalue
