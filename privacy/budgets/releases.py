"""Statistics about people, published under differential privacy and charged to a stored budget.

The charge is committed before the noise is drawn and is never given back, so a crash can only waste budget, not leak.
Neighbouring data sets differ in one whole person (add or remove); counts get integer noise with sensitivity 1.
"""

from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import trail
from common.http.problems import Problem
from common.suppression import SMALLEST_GROUP
from privacy.budgets import noise
from privacy.models import BudgetSpend, PrivacyBudget, Release

STATISTIC = "consent-rate-by-region"
EPSILON = Decimal("0.5")
_EPSILON_PLACES = 4

# A person is in exactly one region, so the regions are disjoint: one release costs one epsilon (parallel composition).
_COUNTS = """
SELECT region, count(*), count(*) FILTER (WHERE EXISTS (
    SELECT 1 FROM jsonb_each(consents) AS c
    WHERE position('?' in c.key) = 0 AND c.value->>'s' = 'given' AND coalesce((c.value->>'x')::bigint > %s, true)))
FROM consent_datasubject WHERE region <> '' GROUP BY region ORDER BY region
"""


class BudgetExhausted(Problem):
    status = HTTPStatus.CONFLICT
    code = "budget_exhausted"
    title = "The privacy budget is spent"


@transaction.atomic
def spend(*, data_set: str, epsilon: Decimal, release_key: str, actor: str) -> BudgetSpend:
    """Charge one release against the budget of ``data_set``.

    ``epsilon`` is dimensionless, > 0, and adds up under basic composition (Dwork & Roth 2014, Theorem 3.16).
    The same ``release_key`` is charged once. Raises BudgetExhausted if less than ``epsilon`` is left, ValueError for
    one that is not above 0 or finer than what the ledger of charges can hold, which would round it away.
    """
    if not (epsilon.is_finite() and epsilon > 0 and epsilon == round(epsilon, _EPSILON_PLACES)):
        raise ValueError(f"Epsilon must be above 0 with at most {_EPSILON_PLACES} decimal places, not {epsilon}.")
    budget = PrivacyBudget.objects.select_for_update().get(data_set=data_set)
    already = BudgetSpend.objects.filter(release_key=release_key).first()
    if already is not None:
        return already
    if budget.epsilon_left < epsilon:
        raise BudgetExhausted(f"{budget.epsilon_left} of {budget.epsilon_total} is left; {epsilon} is needed.")
    budget.epsilon_spent += epsilon
    budget.save(update_fields=["epsilon_spent"])
    charge = BudgetSpend.objects.create(budget=budget, release_key=release_key, epsilon=epsilon)
    trail.record("budget.spent", data_set, actor=actor, details={"epsilon": str(epsilon), "release": release_key})
    return charge


def release_consent_rate_by_region(*, actor: str) -> Release:
    """Publish today's consent rate per region, once a day. Raises BudgetExhausted when the budget is spent."""
    key = f"{STATISTIC}:{timezone.now():%Y-%m-%d}"
    charge = spend(data_set="consents", epsilon=EPSILON, release_key=key, actor=actor)
    existing = Release.objects.filter(spend=charge).first()
    if existing is not None:
        return existing
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [int(timezone.now().timestamp())])
        counts = cursor.fetchall()
    rows = [_noisy_row(*row) for row in counts]
    try:
        return _publish(charge, [row for row in rows if row["people"] >= SMALLEST_GROUP], actor)
    except IntegrityError:
        # Another worker published under the same charge; its noise is the published one.
        return Release.objects.get(spend=charge)


def _noisy_row(region: str, people: int, consenting: int) -> dict[str, Any]:
    rate = noise.noisy_rate(consenting, people, epsilon=float(EPSILON))
    per_mille = None if rate.rate is None else round(rate.rate * 1000)
    return {"region": region, "people": rate.denominator, "consent_rate_per_mille": per_mille}


@transaction.atomic
def _publish(charge: BudgetSpend, rows: list[dict[str, Any]], actor: str) -> Release:
    release = Release.objects.create(spend=charge, statistic=STATISTIC, rows=rows)
    trail.record("statistic.released", STATISTIC, actor=actor, details={"epsilon": str(EPSILON), "rows": len(rows)})
    return release
