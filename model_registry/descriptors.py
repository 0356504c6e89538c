"""Descriptors of the models' registers: entries, what each version may do, which gates it has to pass.

Status is a life cycle of its own (``services``): suspending takes one officer and waits for nobody.
"""

from typing import Any

from django.utils import timezone

from audit import trail
from common import actors
from common.levels import LEVELS
from model_registry.gates.checks import GATES
from model_registry.models import GateDemand, GateExemption, Model, ModelVersion
from oversight.changes.writing import set_in_force
from oversight.problems import ChangeRefused
from oversight.registers import Document, Register

Status = ModelVersion.Status


def permissions_narrow(before: Document | None, after: Document | None) -> bool:
    """Return whether a version may serve fewer purposes, or at a lower level, and nothing more."""
    if before is None or after is None:
        return False
    fewer = set(after["purposes"]) <= set(before["purposes"])
    return fewer and LEVELS[after["max_level"]] <= LEVELS[before["max_level"]]


def _save_permissions(version: Any, created: bool) -> None:
    """Save what a version may do, and send it back to review: what was approved was another version of it."""
    if created:
        raise ChangeRefused("A version of a model is registered by its training, not by a change set.")
    before = version.status
    if before in (Status.APPROVED, Status.SUSPENDED):
        version.status, version.status_changed_at = Status.DRAFT, timezone.now()
        details = {"before": before, "set": set_in_force()}
        trail.record("model.sent_to_review", str(version), actor=actors.job("changes"), details=details)
    version.save(update_fields=["max_level", "status", "status_changed_at"])


def demand_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a gate is demanded that was not."""
    if after is None or not after["is_active"]:
        return False
    return before is None or {**before, "is_active": True} == after


def exemption_narrows(_before: Document | None, after: Document | None) -> bool:
    """Return whether a gate applies again."""
    return after is None


def _save_demand(demand: Any, _created: bool) -> None:
    _refuse_unknown_gate(demand.gate)
    demand.save()


def _save_exemption(exemption: Any, _created: bool) -> None:
    _refuse_unknown_gate(exemption.gate)
    if not ModelVersion.objects.filter(model=exemption.model, version=exemption.version).exists():
        raise ChangeRefused(f"There is no version {exemption.version} of the model {exemption.model.slug}.")
    exemption.save()


def _refuse_unknown_gate(gate: str) -> None:
    if gate not in GATES:
        raise ChangeRefused(f"There is no gate “{gate}”. There are: {', '.join(GATES)}.")


MODEL = Register(name="model", title="Model", model=Model, key=("slug",), keeps=True, is_local=True)
MODEL_PERMISSIONS = Register(
    name="model_permissions",
    title="Permissions of model version",
    model=ModelVersion,
    key=("model", "version"),
    omits=("status", "artifact", "artifact_sha256", "metrics", "created_at", "status_changed_at", "gates_grace_until"),
    keeps=True,
    is_local=True,
    narrows=permissions_narrow,
    save=_save_permissions,
)
GATE_DEMAND = Register(
    name="gate_demand",
    title="Release gate",
    model=GateDemand,
    key=("slug",),
    keeps=True,
    is_local=True,
    narrows=demand_narrows,
    save=_save_demand,
)
GATE_EXEMPTION = Register(
    name="gate_exemption",
    title="Gate that does not apply",
    model=GateExemption,
    key=("model", "version", "gate"),
    in_emergency=False,
    is_local=True,
    narrows=exemption_narrows,
    save=_save_exemption,
)
REGISTERS = (MODEL, MODEL_PERMISSIONS, GATE_DEMAND, GATE_EXEMPTION)
