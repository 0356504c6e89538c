"""Composition: bounds against closed forms, against each other, and against the accountants of dp-accounting."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.budgets.composition import ORDERS, composed, concentrated, discrete_laplace, pure, renyi_epsilon, together
from privacy.budgets.discrete_gaussian import variance_at_least
from privacy.budgets.mechanisms import Gaussian
from tests.helpers.judges import judge

_ACCOUNTANTS = Path(__file__).with_name("dp_accountants.py")
_EPSILONS = [0.01, 0.1, 0.5, 1.0, 3.0]
_LARGE = 10**7


@pytest.mark.parametrize("epsilon", _EPSILONS)
@pytest.mark.parametrize("sensitivity", [1, 2, 7])
def test_a_divergence_is_that_of_the_distributions(epsilon, sensitivity):
    step = epsilon / sensitivity
    # What lies further out has less than 1e-15 of the mass, whichever order weighs it.
    reach = math.ceil(60 / step) + sensitivity
    mass = math.tanh(step / 2)
    for order, ours in zip(ORDERS, discrete_laplace(epsilon, sensitivity), strict=True):
        logs = [-step * (order * abs(k) + (1 - order) * abs(k - sensitivity)) for k in range(-reach, reach + 1)]
        largest = max(logs)
        total = math.fsum(math.exp(each - largest) for each in logs)

        assert ours == pytest.approx((largest + math.log(mass * total)) / (order - 1), abs=1e-9)


@given(epsilon=st.floats(1e-4, 20), sensitivity=st.integers(1, 10**9))
def test_no_mechanism_of_an_epsilon_is_worse_than_the_worst(epsilon, sensitivity):
    curve, worst = discrete_laplace(epsilon, sensitivity), pure(epsilon)

    assert all(0 <= ours <= bound + 1e-9 for ours, bound in zip(curve, worst, strict=True))
    assert all(bound <= min(epsilon, order * epsilon**2 / 2) + 1e-9 for order, bound in zip(ORDERS, worst, strict=True))
    assert list(worst) == sorted(worst)


@given(epsilons=st.lists(st.floats(0.001, 2), min_size=1, max_size=40), delta=st.sampled_from([1e-9, 1e-6, 1e-4]))
def test_the_best_bound_is_never_above_the_sum(epsilons, delta):
    charges = [(epsilon, pure(epsilon)) for epsilon in epsilons]

    assert composed(charges, delta) <= math.fsum(epsilons)
    assert composed(charges, delta) <= composed([*charges, (0.1, pure(0.1))], delta)
    assert composed(charges, 0) == math.fsum(epsilons)


def test_nothing_charged_costs_nothing():
    assert composed([], 1e-6) == 0


def _question():
    """Charges of one kind, and mixed: epsilon, sensitivity, how often."""
    alike = [[(epsilon, _LARGE, times)] for epsilon in _EPSILONS for times in (1, 10, 100)]
    mixed = [[(0.1, _LARGE, 30), (0.5, _LARGE, 2)], [(0.02, _LARGE, 365)]]
    return [{"charges": charges, "delta": delta} for charges in (*alike, *mixed) for delta in (1e-9, 1e-6)]


@pytest.mark.long
def test_dp_accounting_composes_to_the_same_epsilon():
    """Noise of a large sensitivity is that of the Laplace mechanism, which both of its accountants know."""
    asked = _question()
    found = judge("dp_accounting").run(_ACCOUNTANTS, {"orders": ORDERS, "cases": asked})

    for case, verdict in zip(asked, found, strict=True):
        parts = [discrete_laplace(epsilon, large) for epsilon, large, times in case["charges"] for _ in range(times)]
        ours = renyi_epsilon(together(parts), case["delta"])

        assert ours == pytest.approx(verdict["rdp"], abs=1e-6), case
        assert ours >= verdict["pld"] - 1e-6, case


@pytest.mark.long
def test_counts_are_never_charged_below_the_tight_bound():
    """Privacy loss distributions of the discrete Laplace mechanism of sensitivity 1, as counts have it."""
    asked = [{"charges": [(epsilon, 1, times)], "delta": 1e-6} for epsilon in _EPSILONS for times in (1, 10, 100)]
    found = judge("dp_accounting").run(_ACCOUNTANTS, {"orders": ORDERS, "cases": asked})

    for case, verdict in zip(asked, found, strict=True):
        ((epsilon, _one, times),) = case["charges"]
        ours = composed([(epsilon, pure(epsilon))] * times, case["delta"])

        assert ours >= verdict["pld"] - 1e-6, case
    # The judge is not satisfied by everything: half of an epsilon is too little.
    assert any(composed([(e / 2, pure(e / 2))] * n, 1e-6) < found[i]["pld"]
               for i, (e, n) in enumerate((e, n) for e in _EPSILONS for n in (1, 10, 100)))  # fmt: skip


def _gaussian_question():
    """Deviations for a sensitivity of 1, alone and together with Laplace noise; how often."""
    alike = [
        [(["gaussian", deviation], _LARGE, times)] for deviation in (0.7, 2.0, 9.0, 60.0) for times in (1, 10, 100)
    ]
    mixed = [[(["gaussian", 8.0], _LARGE, 12), (0.1, _LARGE, 30)], [(["gaussian", 3.0], _LARGE, 2), (1.0, _LARGE, 1)]]
    return [{"charges": charges, "delta": delta} for charges in (*alike, *mixed) for delta in (1e-9, 1e-6)]


def _divergences(kind, large):
    return discrete_laplace(kind, large) if isinstance(kind, float) else concentrated(1 / (2 * kind[1] ** 2))


@pytest.mark.long
def test_dp_accounting_composes_gaussian_noise_to_the_same_epsilon():
    asked = _gaussian_question()
    found = judge("dp_accounting").run(_ACCOUNTANTS, {"orders": ORDERS, "cases": asked})

    for case, verdict in zip(asked, found, strict=True):
        parts = [_divergences(kind, large) for kind, large, times in case["charges"] for _ in range(times)]
        ours = renyi_epsilon(together(parts), case["delta"])

        assert ours == pytest.approx(verdict["rdp"], abs=1e-6), case
        assert ours >= verdict["pld"] - 1e-6, case


@pytest.mark.long
def test_discrete_gaussian_counts_are_never_charged_below_the_tight_bound():
    """Privacy loss distributions of the noise that is drawn, with the deviation rounded as it is drawn."""
    asked = []
    for epsilon in (0.1, 0.5, 1.0, 3.0):
        variance = float(variance_at_least(1 / (2 * Gaussian.of(epsilon, 1e-6).rho)))
        asked += [{"charges": [(["gaussian", math.sqrt(variance)], 1, times)], "delta": 1e-6} for times in (1, 10, 50)]
    found = judge("dp_accounting").run(_ACCOUNTANTS, {"orders": ORDERS, "cases": asked})

    for case, verdict in zip(asked, found, strict=True):
        (((_kind, deviation), _one, times),) = case["charges"]
        ours = renyi_epsilon(together([concentrated(1 / (2 * deviation**2))] * times), 1e-6)

        assert ours >= verdict["pld"] - 1e-6, case
        assert ours / 2 < verdict["pld"], "half of the charge would be too little"


@pytest.mark.parametrize("deviation", [0.7, 9.0])
def test_gaussian_divergences_are_those_of_the_normal_distribution(deviation):
    """By sums over a fine grid: E_q (p/q)^order for densities a sensitivity of 1 apart."""
    grid = [step * deviation / 400 for step in range(-400 * 12, 400 * 12 + int(400 * 6 / deviation))]
    for order in (1.25, 2.0, 3.0):
        rho = concentrated(1 / (2 * deviation**2), [order])[0]
        terms = (
            order * -((x - 1) ** 2) / (2 * deviation**2) + (1 - order) * -(x**2) / (2 * deviation**2) for x in grid
        )
        total = math.fsum(math.exp(each) for each in terms) * (deviation / 400) / (deviation * math.sqrt(2 * math.pi))

        assert math.log(total) / (order - 1) == pytest.approx(rho, rel=1e-6)
