"""Composition of releases under differential privacy: what several of them cost together.

Two bounds, of which the smaller holds:

- basic: epsilons and deltas add up (Dwork and Roth 2014, Theorem 3.16);
- by Renyi divergence (RDP): the divergences of every order add up (Mironov 2017, Proposition 1), also where a release
  was chosen in the light of earlier ones (Feldman and Zrnic 2021), and the sum is turned into (epsilon, delta) by
  Canonne, Kamath and Steinke 2020, Proposition 12.

The database computes the same two in the trigger that guards the charges (``privacy_budget_used``).
"""

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

# The orders at which divergences are kept. Charges hold one figure for each: the tuple can never be changed.
ORDERS = (
    1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0,
    256.0, 512.0,
)  # fmt: skip
Curve: TypeAlias = tuple[float, ...]


def discrete_laplace(epsilon: float, sensitivity: int, orders: Sequence[float] = ORDERS) -> Curve:
    """Return the divergence of two-sided geometric noise between values that differ by ``sensitivity``, by order.

    For a sensitivity of 1 it is that of a randomised response; for a large one it is that of the Laplace mechanism.
    """
    return tuple(_discrete_laplace(order, epsilon, sensitivity) for order in orders)


def pure(epsilon: float) -> Curve:
    """Return the largest divergence of any mechanism that is epsilon-differentially private, by order.

    The randomised response is the worst of them (Kairouz, Oh and Viswanath 2015, Theorem 3.1).
    """
    return discrete_laplace(epsilon, 1)


def concentrated(rho: float, orders: Sequence[float] = ORDERS) -> Curve:
    """Return the divergence of noise that is rho-zero-concentrated, such as Gaussian noise, by order.

    With a deviation of ``s`` times the sensitivity, rho is 1 / (2 s^2) (Bun and Steinke 2016, Proposition 6; for whole
    numbers Canonne, Kamath and Steinke 2020, Theorem 4).
    """
    return tuple(order * rho for order in orders)


def concentrated_within(epsilon: float, delta: float) -> float:
    """Return the largest rho whose divergences give the epsilon at the delta; 0 where none does."""
    found = max((epsilon - _converted(order, 0.0, delta)) / order for order in ORDERS)
    return max(0.0, found * (1 - 1e-12))  # so that no rounding carries it above the epsilon


def together(curves: Iterable[Sequence[float]]) -> Curve:
    """Return the divergences of releases taken together."""
    return tuple(map(math.fsum, zip(*curves, strict=True)))


def renyi_epsilon(curve: Sequence[float], delta: float, orders: Sequence[float] = ORDERS) -> float:
    """Return the smallest epsilon with which the divergences bound the loss but for ``delta``, in (0, 1)."""
    return max(0.0, min(_converted(order, rho, delta) for order, rho in zip(orders, curve, strict=True)))


def composed(charges: Sequence[tuple[float, Sequence[float]]], delta: float, *, deltas: float = 0.0) -> float:
    """Return what (epsilon, curve) charges cost together at a delta: the smaller bound.

    ``deltas``: the sum of their own, within which the basic bound holds; infinite where neither does.
    """
    basic = math.fsum(epsilon for epsilon, _curve in charges) if deltas <= delta else math.inf
    if not charges or delta <= 0:
        return basic
    return min(basic, renyi_epsilon(together(curve for _epsilon, curve in charges), delta))


def _converted(order: float, rho: float, delta: float) -> float:
    return rho + math.log1p(-1 / order) - (math.log(delta) + math.log(order)) / (order - 1)


def _discrete_laplace(order: float, epsilon: float, sensitivity: int) -> float:
    """Sum p(k)^order q(k)^(1 - order), with q shifted by the sensitivity: both tails, and the geometric middle."""
    step = epsilon / sensitivity
    log_mass = math.log(math.tanh(step / 2))  # (1 - a) / (1 + a) with a = exp(-step)
    log_tail = log_mass - math.log(-math.expm1(-step))
    above, below = epsilon * (order - 1), -epsilon * order
    terms = [log_tail + above, log_tail + below]
    if sensitivity > 1:
        ratio = step * (2 * order - 1)
        # sum of exp(-k * ratio) for k = 1 .. sensitivity - 1
        middle = -ratio + math.log(-math.expm1(-ratio * (sensitivity - 1))) - math.log(-math.expm1(-ratio))
        terms.append(log_mass + above + middle)
    largest = max(terms)
    return (largest + math.log(math.fsum(math.exp(term - largest) for term in terms))) / (order - 1)
