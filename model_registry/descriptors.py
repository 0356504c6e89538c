"""Descriptors of the models' registers: entries, what each version may do, which gates it has to pass.

Status is a life cycle of its own (``services``): suspending takes one officer and waits for no other; what makes a
version fit to serve is a change of the register ``model_status``, so it takes two.
"""

from typing import Any

from audit import trail
from common import actors
from common.levels import LEVELS
from model_registry import listeners, services
from model_registry.gates import reviewing
from model_registry.gates.checks import GATES
from model_registry.models import GateDemand, GateExemption, Model, ModelVersion, StoppedSegment
from oversight.changes.writing import set_in_force
from oversight.officers import single
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
        raise ChangeRefused("A version of a model is registered by its training or its operator, not by a change set.")
    before = version.status
    if before in (Status.APPROVED, *ModelVersion.IN_USE):
        fields = version.take_status(Status.IN_REVIEW)
        details = {"before": before, "set": set_in_force()}
        trail.record("model.sent_to_review", str(version), actor=actors.job("changes"), details=details)
        version.approved_until = None
        version.save(update_fields=[*fields, "approved_until"])
        listeners.stepped(version, Status.IN_REVIEW, actors.job("changes"))
    version.save(update_fields=["max_level"])


def status_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a version serves no longer, or is approved for a shorter time and nothing else."""
    if before is None or after is None:
        return False
    if before["status"] != after["status"]:
        return after["status"] not in (Status.APPROVED, *ModelVersion.SERVING)
    old, new = before["approved_until"], after["approved_until"]
    return new is not None and (old is None or new <= old)


def _save_status(version: Any, created: bool) -> None:
    """Take the step of a set, or set another end of the approval."""
    if created:
        raise ChangeRefused("A version of a model is registered by its training or its operator, not by a change set.")
    current = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=version.pk)
    if version.status == Status.CANARY != current.status:
        raise ChangeRefused("A canary begins with its rollout, on the page of the version.")
    if version.status in (Status.APPROVED, Status.LIVE) and version.approved_until is None:
        raise ChangeRefused("An approval ends: say until when.")
    current.approved_until = version.approved_until
    if current.status != version.status:
        services.move(current, version.status, actor=actors.job("changes"), set=set_in_force())
    elif current.status not in (Status.APPROVED, *ModelVersion.IN_USE):
        raise ChangeRefused(f"A version that is {current.get_status_display().lower()} has no approval that ends.")
    else:
        current.save(update_fields=["approved_until"])


def demand_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a gate is demanded that was not, or its audit suspends where it did not."""
    if after is None or not after["is_active"]:
        return False
    stricter = {"is_active": True, "suspends": after["suspends"]}
    return before is None or ({**before, **stricter} == after and before["suspends"] <= after["suspends"])


def exemption_narrows(_before: Document | None, after: Document | None) -> bool:
    """Return whether a gate applies again."""
    return after is None


def stop_narrows(before: Document | None, _after: Document | None) -> bool:
    """Return whether a segment is off that was not."""
    return before is None


def _save_demand(demand: Any, _created: bool) -> None:
    _refuse_unknown_gate(demand.gate)
    if demand.gate == reviewing.GATE and not demand.roles:
        raise ChangeRefused("Name the roles that have to approve.")
    if demand.gate == reviewing.GATE and demand.is_active and _asks_for_several(demand) and single.is_single():
        raise ChangeRefused("This installation has one officer. Switch “Each role by another officer” off.")
    if GATES[demand.gate].unit == "days" and demand.threshold is not None and demand.threshold < 0:
        raise ChangeRefused("A number of days is not negative.")
    demand.save()


def _asks_for_several(demand: Any) -> bool:
    return demand.one_role_each and len(demand.roles) > 1


def _save_exemption(exemption: Any, _created: bool) -> None:
    _refuse_unknown_gate(exemption.gate)
    _refuse_unknown_version(exemption)
    exemption.save()


def _save_stop(stop: Any, _created: bool) -> None:
    _refuse_unknown_version(stop)
    stop.save()


def _refuse_unknown_version(row: Any) -> None:
    if not ModelVersion.objects.filter(model=row.model, version=row.version).exists():
        raise ChangeRefused(f"There is no version {row.version} of the model {row.model.slug}.")


def _refuse_unknown_gate(gate: str) -> None:
    if gate not in GATES:
        raise ChangeRefused(f"There is no gate “{gate}”. There are: {', '.join(GATES)}.")


# What a version is, and what is known of it: written by its training or registration, and by no change set.
_NO_RULES = (
    "artifact",
    "artifact_sha256",
    "label",
    "endpoint",
    "registered_sha256",
    "metrics",
    "signature",
    "created_at",
    "status_changed_at",
    "gates_grace_until",
    "canary_share",
    "canary_rollout",
)
MODEL = Register(
    name="model", title="Model", model=Model, key=("slug",), omits=("registrant",), keeps=True, is_local=True
)
MODEL_PERMISSIONS = Register(
    name="model_permissions",
    title="Permissions of model version",
    model=ModelVersion,
    key=("model", "version"),
    omits=("status", "approved_until", *_NO_RULES),
    keeps=True,
    is_local=True,
    narrows=permissions_narrow,
    save=_save_permissions,
)
MODEL_STATUS = Register(
    name="model_status",
    title="Status of model version",
    model=ModelVersion,
    key=("model", "version"),
    omits=("purposes", "max_level", *_NO_RULES),
    keeps=True,
    is_local=True,
    in_emergency=False,
    narrows=status_narrows,
    save=_save_status,
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
STOPPED_SEGMENT = Register(
    name="stopped_segment",
    title="Stopped segment",
    model=StoppedSegment,
    key=("model", "version", "segment"),
    in_emergency=False,
    is_local=True,
    narrows=stop_narrows,
    save=_save_stop,
)
REGISTERS = (MODEL, MODEL_PERMISSIONS, MODEL_STATUS, GATE_DEMAND, GATE_EXEMPTION, STOPPED_SEGMENT)
