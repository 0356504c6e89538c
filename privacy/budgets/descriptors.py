"""Registers of privacy budgets and of statistics, and what a change of a budget meets in its window.

A larger budget, or a statistic, lets more be learnt about people: two officers, in an emergency too. Lowering one or
switching one off only takes permission away.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from oversight.changes.documents import Compared
from oversight.changes.figures import Measured
from oversight.problems import ChangeRefused
from oversight.registers import Document, Register
from privacy.budgets import data_sets, ledger, mechanisms, noise, releases
from privacy.budgets.data_sets import DataSet
from privacy.models import ExternalTable, PrivacyBudget, Statistic

Kind = Statistic.Kind
OF_TABLES = "tables-"  # begins the names of budgets that pay for releases of uploaded tables
_NUMERIC = (Kind.HISTOGRAM, Kind.SUM, Kind.MEAN, Kind.QUANTILE)
_IN_CELLS = (Kind.HISTOGRAM, Kind.QUANTILE)


def budget_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether less may be spent after the change, in the same windows."""
    if before is None or after is None:
        return False
    is_less = all(Decimal(after[name]) <= Decimal(before[name]) for name in ("epsilon_total", "delta"))
    return is_less and after["window"] == before["window"]


def statistic_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether the statistic is no longer published, and says the same otherwise."""
    if before is None:
        return False
    return after is None or {**before, "is_active": False} == after


def save_budget(budget: Any, _created: bool) -> None:
    """Save a budget; it is no longer as shipped. Raises ChangeRefused for a data set that is not there."""
    refuse_unknown(budget.data_set)
    budget.is_shipped = False
    budget.save()


def refuse_unknown(name: str) -> None:
    """Raise ChangeRefused for a budget of a data set that is not there."""
    if not name.startswith(OF_TABLES) and not ExternalTable.objects.filter(slug=name).exists():
        _data_set(name)


def save_statistic(statistic: Any, _created: bool) -> None:
    """Save a statistic; it is no longer as shipped. Raises ChangeRefused for one that could not be computed."""
    refuse_unfit(statistic)
    statistic.is_shipped = False
    statistic.save()


def refuse_unfit(statistic: Statistic) -> None:
    """Raise ChangeRefused for a statistic that could not be computed, or never be paid for."""
    data_set = _data_set(statistic.data_set)
    _refuse_names(statistic, data_set)
    _refuse_bounds(statistic, data_set)
    _refuse_cost(statistic)


def _data_set(name: str) -> DataSet:
    known = data_sets.known()
    if name not in known:
        raise ChangeRefused(f"There is no data set “{name}”. There are: {', '.join(sorted(known))}.")
    return known[name]


def _refuse_names(statistic: Statistic, data_set: DataSet) -> None:
    if statistic.kind in _IN_CELLS and statistic.group_by:
        raise ChangeRefused(f"A {statistic.kind} is of the whole data set: leave “by” empty.")
    if statistic.kind == Kind.TOP and not statistic.group_by:
        raise ChangeRefused("The largest groups need groups: name them in “by”.")
    if statistic.group_by and statistic.group_by not in data_set.groups:
        raise ChangeRefused(f"“{data_set.name}” has no public groups “{statistic.group_by}”. {_list(data_set.groups)}")
    needs_value = statistic.kind in (*_NUMERIC, Kind.RATE)
    if needs_value and statistic.value not in data_set.values:
        raise ChangeRefused(f"“{data_set.name}” has no value “{statistic.value}”. {_list(data_set.values)}")
    if not needs_value and statistic.value:
        raise ChangeRefused(f"A {statistic.get_kind_display().lower()} counts rows: leave the value empty.")


def _list(names: Any) -> str:
    return f"There are: {', '.join(sorted(names)) or 'none'}."


def _refuse_bounds(statistic: Statistic, data_set: DataSet) -> None:
    if statistic.kind == Kind.RATE and statistic.value != "consenting":
        raise ChangeRefused("A rate is of a value that is 0 or 1: consenting.")
    if data_set.is_one_each and statistic.rows_each != 1:
        raise ChangeRefused(f"“{data_set.name}” has one row of each person, so a person adds 1.")
    try:
        bounds = releases.bounds_of(statistic, data_set)
    except ValueError as exc:
        raise ChangeRefused(f"The value needs bounds. {exc}") from None
    if statistic.kind in _IN_CELLS and bounds.span % statistic.cells:
        raise ChangeRefused(f"{bounds.span} steps between the bounds do not make {statistic.cells} equal cells.")
    reach = bounds.rows * max(bounds.farthest, bounds.span)
    if float(statistic.epsilon) / 2 < noise.SMALLEST_EPSILON_PER_UNIT * reach:
        raise ChangeRefused(f"One person may change the sum by {reach:,} units: that needs more epsilon, or bounds.")


def _refuse_cost(statistic: Statistic) -> None:
    budget = PrivacyBudget.objects.filter(data_set=statistic.data_set).first()
    _refuse_delta(statistic, budget)
    if statistic.is_active and budget is not None and statistic.epsilon > budget.epsilon_total:
        raise ChangeRefused(
            f"It costs {statistic.epsilon} each time, and the budget of “{budget}” is {budget.epsilon_total} in all."
            " Lower it, or raise the budget first."
        )


def _refuse_delta(statistic: Statistic, budget: PrivacyBudget | None) -> None:
    """Refuse Gaussian noise that the budget's delta cannot pay for."""
    if not statistic.is_active or statistic.mechanism != Statistic.Mechanism.GAUSSIAN:
        return
    if budget is None or not budget.delta:
        raise ChangeRefused(
            f"Gaussian noise needs a delta, such as 0.000001: the budget of “{statistic.data_set}” has none."
        )
    try:
        mechanisms.of(statistic.mechanism, float(statistic.epsilon), float(budget.delta)).part(1 / 2).margin()
    except noise.UnusablePrivacyParameter as refused:
        raise ChangeRefused(f"{refused} Raise the epsilon.") from None


PRIVACY_BUDGET = Register(
    name="privacy_budget",
    title="Privacy budget",
    model=PrivacyBudget,
    key=("data_set",),
    omits=("is_shipped",),
    in_bundle=False,
    in_emergency=False,
    is_local=True,
    narrows=budget_narrows,
    save=save_budget,
)
STATISTIC = Register(
    name="statistic",
    title="Statistic",
    model=Statistic,
    key=("slug",),
    omits=("is_shipped",),
    in_bundle=False,
    in_emergency=False,
    is_local=True,
    narrows=statistic_narrows,
    save=save_statistic,
)


def budgets_left(changes: Sequence[Compared]) -> Iterator[Measured]:
    """Return what each changed budget, or that of each changed statistic, has left in its window."""
    names = {change.key for change in changes if change.register == PRIVACY_BUDGET.name}
    statistics = [change.key for change in changes if change.register == STATISTIC.name]
    names |= set(Statistic.objects.filter(slug__in=statistics).values_list("data_set", flat=True))
    for budget in PrivacyBudget.objects.filter(data_set__in=names):
        left = f"{ledger.balance(budget).left.normalize():f}"
        label = f"Epsilon left of the budget of “{budget}” in this window"
        yield Measured(f"budget/{budget}", label, left, "Recomputed from the charges.")
