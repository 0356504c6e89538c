"""Settings of oversight: every register needs a second officer; a setting, itself a register, may relax one.

A relaxed register's change is in force by one officer and waits for another's look, as a protective one does. What
needs two officers in an emergency too is never relaxed, this register among it.
"""

from collections.abc import Iterable
from typing import Any

from oversight import registers
from oversight.models import RelaxedRegister
from oversight.problems import ChangeRefused
from oversight.registers import Document, Register


def can_relax(register: Register) -> bool:
    """Return whether a setting may relax the register."""
    return register.in_emergency


def is_relaxed(names: Iterable[str]) -> bool:
    """Return whether all of these registers are relaxed. One statement."""
    wanted = set(names)
    possible = {name for name in wanted if can_relax(registers.find(name))}
    return bool(wanted) and wanted == possible & set(
        RelaxedRegister.objects.filter(register__in=possible).values_list("register", flat=True)
    )


def setting_narrows(_before: Document | None, after: Document | None) -> bool:
    """Return whether a register needs its second officer again."""
    return after is None


def _save(setting: Any, _created: bool) -> None:
    """Save a setting. Raises ChangeRefused for a register that is not there or always needs two officers."""
    if not can_relax(registers.find(setting.register)):
        title = registers.find(setting.register).title.lower()
        raise ChangeRefused(f"A change of the register “{title}” needs two officers, always.")
    setting.save()


def _in_words(member: str, content: Any) -> Any:
    """Return a register by its title."""
    return registers.find(content).title if member == "register" and content else content


RELAXED_REGISTER = Register(
    name="relaxed_register",
    title="Oversight setting",
    model=RelaxedRegister,
    key=("register",),
    in_bundle=False,
    in_emergency=False,
    is_local=True,
    narrows=setting_narrows,
    in_words=_in_words,
    save=_save,
)
