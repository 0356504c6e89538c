"""Results of monitors, read."""

from datetime import timedelta

from model_registry.models import ModelVersion
from personalization.monitors.models import MonitorResult


def of_days(version: ModelVersion, days: int) -> list[MonitorResult]:
    """Return the results of the newest day measured and of the days before it, so many in all, the oldest first."""
    rows = MonitorResult.objects.filter(version=version)
    newest = rows.order_by("-day").first()
    if newest is None:
        return []
    return list(rows.filter(day__gt=newest.day - timedelta(days=days)).order_by("day", "monitor", "part"))


def beyond_now(version: ModelVersion) -> list[str]:
    """Return the monitors beyond their objectives on the newest day measured."""
    return sorted({row.monitor for row in of_days(version, 1) if row.state == MonitorResult.State.BEYOND})
