"""Run by dp-accounting's Python (tests/helpers/judges.py): what both of its accountants say of each composition."""

import json
import sys
from pathlib import Path

from dp_accounting import dp_event
from dp_accounting.pld import privacy_loss_distribution
from dp_accounting.rdp import rdp_privacy_accountant

question, answer = map(Path, sys.argv[1:])
asked = json.loads(question.read_text())


def event(epsilon):
    """A mechanism: Laplace by its epsilon, Gaussian as ["gaussian", deviation for a sensitivity of 1]."""
    return dp_event.LaplaceDpEvent(1 / epsilon) if isinstance(epsilon, float) else dp_event.GaussianDpEvent(epsilon[1])


def rdp(charges, delta):
    accountant = rdp_privacy_accountant.RdpAccountant(orders=asked["orders"])
    for epsilon, _sensitivity, times in charges:
        accountant.compose(event(epsilon), times)
    return accountant.get_epsilon(delta)


def one(epsilon, sensitivity):
    if not isinstance(epsilon, float):
        if sensitivity == 1:
            return privacy_loss_distribution.from_discrete_gaussian_mechanism(epsilon[1])
        return privacy_loss_distribution.from_gaussian_mechanism(epsilon[1], pessimistic_estimate=False)
    if sensitivity == 1:
        return privacy_loss_distribution.from_discrete_laplace_mechanism(epsilon, sensitivity=1)
    # Optimistic estimates: a lower bound of the truth, so that a bound below it is certainly wrong.
    return privacy_loss_distribution.from_laplace_mechanism(1 / epsilon, pessimistic_estimate=False)


def pld(charges, delta):
    whole = None
    for epsilon, sensitivity, times in charges:
        part = one(epsilon, sensitivity).self_compose(times)
        whole = part if whole is None else whole.compose(part)
    return whole.get_epsilon_for_delta(delta)


found = []
for case in asked["cases"]:
    charges, delta = case["charges"], case["delta"]
    large = all(sensitivity > 1 for _epsilon, sensitivity, _times in charges)
    found.append({"rdp": rdp(charges, delta) if large else None, "pld": float(pld(charges, delta))})
answer.write_text(json.dumps(found))
