"""Charges against privacy budgets: reserved before anything is computed, bound to what they pay for, never refunded.

What was spent of a budget is recomputed from its charges in the database (``privacy_budget_used``), whose trigger
refuses a charge beyond the total, from any process.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import trail
from common.http.problems import Problem
from privacy.budgets.composition import Curve
from privacy.models import BudgetSpend, PrivacyBudget

_EPSILON_PLACES = 4
_NONE = "Nothing is published about a data set without a budget, and none has been set."
_OVERSPENT = "the privacy budget of"  # what the trigger says

_BALANCES = """
SELECT b.id, b.epsilon_total, nullif(w.since, '-infinity'),
  privacy_budget_used(b.id, w.since, coalesce(asked.until, 'infinity'), b.delta)
FROM (SELECT %s::timestamptz AS at, %s::timestamptz AS until) AS asked, privacy_privacybudget AS b,
  LATERAL (SELECT privacy_window_start(b."window", asked.at) AS since) AS w
WHERE b.id = ANY(%s)"""


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


@dataclass(frozen=True)
class Charge:
    """What is paid for: one statistic of one data set. The same ``key`` is charged once, and for this alone."""

    data_set: str
    statistic: str
    key: str
    epsilon: Decimal
    curve: Curve
    delta: Decimal = Decimal(0)

    @property
    def terms(self) -> tuple[str, str, Decimal, Decimal]:
        return self.data_set, self.statistic, self.epsilon, self.delta


@dataclass(frozen=True)
class Balance:
    """What a budget holds in the window that a moment lies in."""

    total: Decimal
    spent: Decimal
    since: datetime | None

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.total - self.spent)

    @property
    def is_low(self) -> bool:
        """Return whether a tenth or less is left."""
        return self.left * 10 <= self.total


@transaction.atomic
def reserve(charge: Charge, *, actor: str) -> BudgetSpend:
    """Charge one release against the budget of its data set, in the window of now.

    Raises NoBudget, ReleaseKeyTaken, BudgetExhausted if it does not fit, and ValueError for an epsilon that is not
    above 0 or finer than what the ledger can hold, which would round it away.
    """
    epsilon = charge.epsilon
    if not (epsilon.is_finite() and epsilon > 0 and epsilon == round(epsilon, _EPSILON_PLACES)):
        raise ValueError(f"Epsilon must be above 0 with at most {_EPSILON_PLACES} decimal places, not {epsilon}.")
    budget = PrivacyBudget.objects.select_for_update(no_key=True).filter(data_set=charge.data_set).first()
    already = BudgetSpend.objects.select_related("budget").filter(release_key=charge.key).first()
    if already is not None:
        return _same(already, charge)
    if budget is None:
        raise NoBudget(_NONE)
    spend = _charged(budget, charge, actor)
    details = {"epsilon": str(epsilon), "release": charge.key, "statistic": charge.statistic}
    trail.record("budget.spent", charge.data_set, actor=actor, details=details)
    return spend


def delta_of(data_set: str) -> Decimal:
    """Return the delta that charges of a data set may add up to. Raises NoBudget."""
    found = PrivacyBudget.objects.filter(data_set=data_set).values_list("delta", flat=True).first()
    if found is None:
        raise NoBudget(_NONE)
    return Decimal(found)


def _same(already: BudgetSpend, charge: Charge) -> BudgetSpend:
    """Return a charge made earlier if it pays for the same. Those of earlier releases name no statistic."""
    statistic = already.statistic or charge.statistic
    if (already.budget.data_set, statistic, already.epsilon, already.delta) == charge.terms:
        return already
    raise ReleaseKeyTaken("It was charged for another data set, statistic or epsilon. Use a key of its own.")


def _charged(budget: PrivacyBudget, charge: Charge, actor: str) -> BudgetSpend:
    """Insert the charge; where the database refuses it, nothing of it stays. Raises BudgetExhausted."""
    try:
        with transaction.atomic():
            return BudgetSpend.objects.create(
                budget=budget,
                statistic=charge.statistic,
                release_key=charge.key,
                epsilon=charge.epsilon,
                delta=charge.delta,
                curve=list(charge.curve),
                actor=actor,
                spent_at=timezone.now(),
            )
    except IntegrityError as exc:
        already = BudgetSpend.objects.select_related("budget").filter(release_key=charge.key).first()
        if already is not None:  # charged meanwhile, under the budget of another data set
            return _same(already, charge)
        if _OVERSPENT not in str(exc):
            raise
        left = f"{_plain(balance(budget).left)} of {_plain(budget.epsilon_total)} is left; {_plain(charge.epsilon)}"
        raise BudgetExhausted(f"{left} is needed. It is raised or renewed by a change set.") from None


def _plain(epsilon: Decimal) -> str:
    return f"{round(epsilon, _EPSILON_PLACES).normalize():f}"


def balance(budget: PrivacyBudget, at: datetime | None = None, *, until: datetime | None = None) -> Balance:
    """Return what a budget holds in the window of ``at``, now where none is given; of charges up to ``until``."""
    return _balances([budget.pk], at, until)[budget.pk]


def balances() -> list[tuple[PrivacyBudget, Balance]]:
    """Return every budget with what it holds now. Two statements."""
    budgets = list(PrivacyBudget.objects.all())
    found = _balances([budget.pk for budget in budgets], None, None) if budgets else {}
    return [(budget, found[budget.pk]) for budget in budgets]


def _balances(keys: list[int], at: datetime | None, until: datetime | None) -> dict[int, Balance]:
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, [at or timezone.now(), until, keys])
        return {key: Balance(total, _whole(total, used), since) for key, total, since, used in cursor.fetchall()}


def _whole(total: Decimal, used: Decimal) -> Decimal:
    """Return what is spent; all of it where the budget's delta was lowered below what its charges need."""
    return Decimal(used) if used.is_finite() else total
