"""Statistics about people, published under differential privacy and charged to a stored budget.

Which groups are published is public and never comes from the data: a list of regions, each with noise, the empty ones
too. That a region is listed says nothing, then, about who is in it.

The charge is committed before the noise is drawn and is never given back, so a crash can only waste budget, not leak.
Neighbouring data sets differ in one whole person (add or remove); counts get integer noise with sensitivity 1.
"""

from collections.abc import Callable, Iterable
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
DATA_SET = "consents"
EPSILON = Decimal("0.5")
_EPSILON_PLACES = 4

# A person is in one region at most, so the regions are disjoint: one release costs one epsilon (parallel composition).
# Who lives in a part of a country that is not listed counts for the country.
_COUNTS = """
WITH listed AS (SELECT unnest(%s::text[]) AS region), placed AS (
    SELECT CASE WHEN s.region IN (SELECT region FROM listed) THEN s.region ELSE split_part(s.region, '-', 1) END
        AS region, s.consents
    FROM consent_datasubject AS s WHERE s.region <> '')
SELECT l.region, count(p.region), count(*) FILTER (WHERE p.region IS NOT NULL AND EXISTS (
    SELECT 1 FROM jsonb_each(p.consents) AS c
    WHERE position('?' in c.key) = 0 AND c.value->>'s' = 'given' AND coalesce((c.value->>'x')::bigint > %s, true)))
FROM listed AS l LEFT JOIN placed AS p USING (region) GROUP BY l.region ORDER BY l.region
"""
RegionList = Callable[[], Iterable[str]]
_region_lists: list[RegionList] = []


def use_regions(listed: RegionList) -> None:
    """Name the source of the public list of regions: the register that holds it is in a package above this one."""
    _region_lists[:] = [listed]


class NoBudget(Problem):
    status = HTTPStatus.CONFLICT
    code = "no_budget"
    title = "No privacy budget is set"


class ReleaseKeyTaken(Problem):
    status = HTTPStatus.CONFLICT
    code = "release_key_taken"
    title = "This release key stands for another charge"


class BudgetExhausted(Problem):
    status = HTTPStatus.CONFLICT
    code = "budget_exhausted"
    title = "The privacy budget is spent"


@transaction.atomic
def spend(*, data_set: str, epsilon: Decimal, release_key: str, actor: str) -> BudgetSpend:
    """Charge one release against the budget of ``data_set``.

    ``epsilon`` is dimensionless, > 0, and adds up under basic composition (Dwork & Roth 2014, Theorem 3.16).
    The same ``release_key`` is charged once, and serves for this data set and epsilon only. Raises NoBudget,
    ReleaseKeyTaken, BudgetExhausted if less than ``epsilon`` is left, and ValueError for one that is not above 0 or
    finer than what the ledger of charges can hold, which would round it away.
    """
    if not (epsilon.is_finite() and epsilon > 0 and epsilon == round(epsilon, _EPSILON_PLACES)):
        raise ValueError(f"Epsilon must be above 0 with at most {_EPSILON_PLACES} decimal places, not {epsilon}.")
    budget = PrivacyBudget.objects.select_for_update().filter(data_set=data_set).first()
    already = BudgetSpend.objects.filter(release_key=release_key).first()
    if already is not None and budget is not None and (already.budget_id, already.epsilon) == (budget.pk, epsilon):
        return already
    if already is not None:
        raise ReleaseKeyTaken("It was charged for another data set or another epsilon. Use a key of its own.")
    if budget is None:
        raise NoBudget("Nothing is published about a data set without a budget, and none has been set.")
    if budget.epsilon_left < epsilon:
        raise BudgetExhausted(f"{budget.epsilon_left} of {budget.epsilon_total} is left; {epsilon} is needed.")
    budget.epsilon_spent += epsilon
    budget.save(update_fields=["epsilon_spent"])
    charge = BudgetSpend.objects.create(budget=budget, release_key=release_key, epsilon=epsilon)
    trail.record("budget.spent", data_set, actor=actor, details={"epsilon": str(epsilon), "release": release_key})
    return charge


def release_consent_rate_by_region(*, actor: str) -> Release:
    """Publish today's consent rate per listed region, once a day. Raises NoBudget, or BudgetExhausted when it is spent.

    The rate of a region with fewer than SMALLEST_GROUP people, noise included, is left out: it would be noise alone.
    """
    key = f"{STATISTIC}:{timezone.now():%Y-%m-%d}"
    charge = spend(data_set=DATA_SET, epsilon=EPSILON, release_key=key, actor=actor)
    existing = Release.objects.filter(spend=charge).first()
    if existing is not None:
        return existing
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [sorted(_listed_regions()), int(timezone.now().timestamp())])
        counts = cursor.fetchall()
    rows = [_noisy_row(*row) for row in counts]
    try:
        return _publish(charge, rows, actor)
    except IntegrityError:
        # Another worker published under the same charge; its noise is the published one.
        return Release.objects.get(spend=charge)


def _listed_regions() -> set[str]:
    return {region for listed in _region_lists for region in listed()}


def _noisy_row(region: str, people: int, consenting: int) -> dict[str, Any]:
    rate = noise.noisy_rate(consenting, people, epsilon=float(EPSILON), smallest_denominator=SMALLEST_GROUP)
    per_mille = None if rate.rate is None else round(rate.rate * 1000)
    return {"region": region, "people": rate.denominator, "consent_rate_per_mille": per_mille}


@transaction.atomic
def _publish(charge: BudgetSpend, rows: list[dict[str, Any]], actor: str) -> Release:
    release = Release.objects.create(spend=charge, statistic=STATISTIC, rows=rows)
    trail.record("statistic.released", STATISTIC, actor=actor, details={"epsilon": str(EPSILON), "rows": len(rows)})
    return release
