"""Composition: bounds against closed forms, against each other, and against the accountants of dp-accounting."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.budgets.composition import ORDERS, composed, discrete_laplace, pure, renyi_epsilon, together
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


@settings(deadline=None)
@given(epsilon=st.floats(1e-4, 20), sensitivity=st.integers(1, 10**9))
def test_no_mechanism_of_an_epsilon_is_worse_than_the_worst(epsilon, sensitivity):
    curve, worst = discrete_laplace(epsilon, sensitivity), pure(epsilon)

    assert all(0 <= ours <= bound + 1e-9 for ours, bound in zip(curve, worst, strict=True))
    assert all(bound <= min(epsilon, order * epsilon**2 / 2) + 1e-9 for order, bound in zip(ORDERS, worst, strict=True))
    assert list(worst) == sorted(worst)


@settings(deadline=None)
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
