"""Statistics about people, published under differential privacy and charged to a stored budget.

A statistic is defined and approved by change set, computed by a nightly job, once in each of its periods, and published
with its error. The charge is committed before anything is computed and is never given back, so a crash can only waste
budget, not leak. What was published in a period is read again without a charge.
"""

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import trail
from common.suppression import smallest_group
from privacy.budgets import composition, data_sets, estimates, ledger, mechanisms
from privacy.budgets.composition import Curve
from privacy.budgets.data_sets import DataSet
from privacy.budgets.estimates import Bounds, Estimate
from privacy.budgets.mechanisms import Gaussian, Mechanism
from privacy.models import PrivacyBudget, Release, Statistic

logger = logging.getLogger(__name__)
Kind = Statistic.Kind
_PERIODS = {"night": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
_DIGITS = 4
_STEPS: int = 10**_DIGITS
_CURVES: dict[str, Callable[[float, Bounds], Curve]] = {
    Kind.SUM: estimates.curve_of_sum,
    Kind.MEAN: estimates.curve_of_mean,
    Kind.RATE: estimates.curve_of_rate,
}
_OF_ALL = ("title", "data_set", "kind", "rows_each", "mechanism", "epsilon", "every")
_OF_KIND: dict[str, tuple[str, ...]] = {
    Kind.COUNT: ("group_by",),
    Kind.HISTOGRAM: ("value", "lower", "upper", "cells"),
    Kind.SUM: ("group_by", "value", "lower", "upper"),
    Kind.MEAN: ("group_by", "value", "lower", "upper"),
    Kind.QUANTILE: ("value", "lower", "upper", "cells", "share"),
    Kind.TOP: ("group_by", "top"),
    Kind.RATE: ("group_by", "value"),
}


@dataclass(frozen=True)
class Withheld:
    """A statistic that is due and was refused, with the reason."""

    statistic: Statistic
    reason: ledger.NoBudget | ledger.BudgetExhausted | ledger.ReleaseKeyTaken


def release_due(*, actor: str) -> tuple[list[Release], list[Withheld]]:
    """Publish every statistic in use that has not been published in its period; return them, and what was refused.

    One that fails does not keep the others.
    """
    released, withheld = [], []
    for statistic in Statistic.objects.filter(is_active=True):
        try:
            released.append(release(statistic, actor=actor))
        except (ledger.NoBudget, ledger.BudgetExhausted, ledger.ReleaseKeyTaken) as refused:
            withheld.append(Withheld(statistic, refused))
        except Exception:
            logger.exception("The statistic %s failed; the next night repeats it under the same charge", statistic.slug)
    return released, withheld


def withheld(balances: Iterable[tuple[PrivacyBudget, ledger.Balance]]) -> list[Statistic]:
    """Return the statistics in use that are due, and that what is left of their budgets does not allow."""
    left = {budget.data_set: balance.left for budget, balance in balances}
    short = {
        key_of(statistic, timezone.now()): statistic
        for statistic in Statistic.objects.filter(is_active=True)
        if statistic.epsilon > left.get(statistic.data_set, 0)
    }
    published = Release.objects.filter(spend__release_key__in=list(short)).values_list("spend__release_key", flat=True)
    done = set(published) if short else set()
    return [statistic for key, statistic in short.items() if key not in done]


def release(statistic: Statistic, *, actor: str) -> Release:
    """Publish a statistic for the period of now.

    Raises NoBudget, BudgetExhausted, ReleaseKeyTaken; UnusablePrivacyParameter where the budget's delta is too small.
    """
    key = key_of(statistic, timezone.now())
    published = Release.objects.filter(spend__release_key=key).first()
    if published is not None:
        return published
    data_set = data_sets.known()[statistic.data_set]
    bounds = bounds_of(statistic, data_set)
    delta = ledger.delta_of(statistic.data_set) if statistic.mechanism == Statistic.Mechanism.GAUSSIAN else Decimal(0)
    mechanism = mechanisms.of(statistic.mechanism, float(statistic.epsilon), float(delta))
    charge = ledger.Charge(
        statistic.data_set, statistic.slug, key, statistic.epsilon, _curve(statistic, mechanism, bounds), delta
    )
    spend = ledger.reserve(charge, actor=actor)
    rows = [_row(each, statistic, data_set) for each in _compute(statistic, data_set, bounds, mechanism)]
    try:
        return _publish(spend, statistic, rows, actor)
    except IntegrityError:
        # Another worker published under the same charge; its noise is the published one.
        return Release.objects.get(spend=spend)


def key_of(statistic: Statistic, moment: datetime) -> str:
    """Return the name of the release of a statistic in the period that a moment lies in."""
    return f"{statistic.slug}:{moment:{_PERIODS[statistic.every]}}"


def bounds_of(statistic: Statistic, data_set: DataSet) -> Bounds:
    """Return what one person may add, in whole units. Raises ValueError where a bound is none."""
    if statistic.kind in (Kind.COUNT, Kind.TOP, Kind.RATE):
        return Bounds(statistic.rows_each)
    scale = data_set.values[statistic.value]
    return Bounds(statistic.rows_each, _whole(statistic.lower, scale), _whole(statistic.upper, scale))


def members_of(kind: str) -> tuple[str, ...]:
    """Return what of a statistic's definition its kind uses."""
    return _OF_ALL + _OF_KIND[kind]


def edges_of(statistic: Statistic) -> list[float]:
    """Return the public edges of the cells of a histogram or quantile."""
    lower, upper = float(statistic.lower or 0), float(statistic.upper or 0)
    return [round(lower + (upper - lower) * each / statistic.cells, _DIGITS) for each in range(statistic.cells + 1)]


def _curve(statistic: Statistic, mechanism: Mechanism, bounds: Bounds) -> Curve:
    if isinstance(mechanism, Gaussian):
        return composition.concentrated(mechanism.rho)  # the parts of its cost add up to the whole
    return _CURVES.get(statistic.kind, estimates.curve_of_count)(float(statistic.epsilon), bounds)


def _whole(bound: Decimal | None, scale: int) -> int:
    if bound is None or bound * scale != int(bound * scale):
        raise ValueError(f"Both bounds are needed, in whole steps of {Decimal(1) / scale}.")
    return int(bound * scale)


def _compute(statistic: Statistic, data_set: DataSet, bounds: Bounds, mechanism: Mechanism) -> list[Estimate]:
    if statistic.kind in (Kind.HISTOGRAM, Kind.QUANTILE):
        return _over_cells(statistic, data_set, bounds, mechanism)
    cells = data_sets.grouped(data_set, statistic.group_by, statistic.value, bounds)
    if statistic.kind == Kind.TOP:
        return estimates.largest(cells, statistic.top, mechanism=mechanism, bounds=bounds)
    if statistic.kind == Kind.RATE:
        return estimates.rates(cells, mechanism=mechanism, bounds=bounds, smallest=smallest_group())
    if statistic.kind == Kind.MEAN:
        return estimates.means(cells, mechanism=mechanism, bounds=bounds, smallest=smallest_group())
    method = estimates.sums if statistic.kind == Kind.SUM else estimates.counts
    return method(cells, mechanism=mechanism, bounds=bounds)


def _over_cells(statistic: Statistic, data_set: DataSet, bounds: Bounds, mechanism: Mechanism) -> list[Estimate]:
    cells, edges = data_sets.in_cells(data_set, statistic.value, bounds, statistic.cells), edges_of(statistic)
    if statistic.kind == Kind.QUANTILE:
        return [estimates.quantile(cells, edges, float(statistic.share), mechanism=mechanism, bounds=bounds)]
    named = {f"{low:g} to {high:g}": cell for low, high, cell in zip(edges, edges[1:], cells, strict=False)}
    return estimates.counts(named, mechanism=mechanism, bounds=bounds)


def _row(estimate: Estimate, statistic: Statistic, data_set: DataSet) -> dict[str, Any]:
    """Return an estimate as published: in units of the value, the interval rounded outwards."""
    scale = data_set.values[statistic.value] if statistic.kind in (Kind.SUM, Kind.MEAN) else 1
    row = {
        "group": estimate.group or data_sets.ALL,
        "value": _rounded(estimate.value, scale, round),
        "low": _rounded(estimate.low, scale, math.floor),
        "high": _rounded(estimate.high, scale, math.ceil),
    }
    return row if estimate.rows is None else {**row, "rows": estimate.rows, "rows_margin": estimate.rows_margin}


def _rounded(value: float | None, scale: int, towards: Callable[[float], int]) -> float | None:
    if value is None or (isinstance(value, int) and scale == 1):
        return value
    return towards(value / scale * _STEPS) / _STEPS


@transaction.atomic
def _publish(spend: Any, statistic: Statistic, rows: list[dict[str, Any]], actor: str) -> Release:
    definition = {name: _plain(getattr(statistic, name)) for name in members_of(statistic.kind)}
    published = Release.objects.create(
        spend=spend,
        statistic=statistic.slug,
        definition={**definition, "confidence": estimates.CONFIDENCE},
        rows=rows,
    )
    details = {"epsilon": str(statistic.epsilon), "rows": len(rows)}
    trail.record("statistic.released", statistic.slug, actor=actor, details=details)
    return published


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
