"""Register of objectives: which limits monitors judge by, and after how many days a version is suspended."""

from typing import Any

from model_registry.models import Model
from oversight.problems import ChangeRefused
from oversight.registers import Document, Register
from personalization.monitors import judging
from personalization.monitors.judging import Objective
from personalization.monitors.kinds import MONITORS
from personalization.monitors.models import MonitorObjective


def in_force(model: Model) -> dict[str, Objective]:
    """Return the objectives of a model by monitor: its own row counts before the one for all models."""
    found = {name: judging.own(name) for name in MONITORS}
    rows = list(MonitorObjective.objects.filter(model=None)) + list(MonitorObjective.objects.filter(model=model))
    for row in rows:
        limit = float(row.limit) if row.is_active else None
        found[row.monitor] = Objective(limit, row.suspends_after if row.is_active else None)
    return found


def narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether an objective is stricter than before, and nothing else of it has changed."""
    if before is None or after is None or before["monitor"] != after["monitor"] or before["model"] != after["model"]:
        return False
    if not after["is_active"]:
        return False
    monitor = MONITORS[after["monitor"]]
    is_stricter = monitor.is_stricter(float(after["limit"]), float(before["limit"])) or not before["is_active"]
    return is_stricter and _days(after) <= (_days(before) if before["is_active"] else float("inf"))


def _days(document: Document) -> float:
    return document["suspends_after"] or float("inf")


def _save(objective: Any, _created: bool) -> None:
    if objective.monitor not in MONITORS:
        raise ChangeRefused(f"There is no monitor “{objective.monitor}”. There are: {', '.join(MONITORS)}.")
    objective.save()


MONITOR_OBJECTIVE = Register(
    name="monitor_objective",
    title="Objective of a monitor",
    model=MonitorObjective,
    key=("slug",),
    in_bundle=False,
    is_local=True,
    narrows=narrows,
    save=_save,
)
