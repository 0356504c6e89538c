"""Metrics of privacy budgets: what is left of each in its window, and how many statistics are withheld."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric

from privacy.budgets import ledger, releases


def metrics(_now: datetime) -> Iterator[Metric]:
    """Yield the share of each budget that is left, and the number of statistics due that no budget allows."""
    left = GaugeMetricFamily(
        "assent_privacy_budget_left",
        "Share of the privacy budget that is left in its window, 0 to 1.",
        labels=["data_set"],
    )
    balances = ledger.balances()
    for budget, balance in balances:
        left.add_metric([budget.data_set], float(balance.left / balance.total))
    yield left
    yield GaugeMetricFamily(
        "assent_statistics_withheld",
        "Statistics due that their privacy budget does not allow.",
        value=len(releases.withheld(balances)),
    )
