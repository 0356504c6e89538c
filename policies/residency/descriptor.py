"""Descriptor of the register of processing systems. Its findings are kept by jobs and stand in no document."""

from oversight.registers import Register
from policies.models import ProcessingSystem
from policies.residency import systems


def save(system: ProcessingSystem, _created: bool) -> None:
    """Write a system and judge its places by the rules in force."""
    system.save()
    systems.judge_now(system_id=system.pk)


PROCESSING_SYSTEM = Register(
    name="processing_system",
    title="Processing system",
    model=ProcessingSystem,
    key=("name",),
    omits=("checked_at", "bundle_revision", "findings"),
    in_bundle=False,
    save=save,
)
