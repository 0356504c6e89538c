"""Lint of the registers as a whole: each package registers checks, and reads its own registers in them.

A check reads what stands in the database now, so it can run inside a savepoint that holds a proposed change. The
rules themselves are pure functions next to it, over plain values.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One finding: the row by register and key, a stable code, and a sentence with the way out.

    An error is a state that a register must not have; a warning is one that an officer should look at. ``subject``: the
    name in the row that it is about, where a row can have several findings of the code.
    """

    register: str
    key: str
    code: str
    detail: str
    is_error: bool = True
    subject: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Return what makes it the same finding later; the sentence names neighbours, which come and go."""
        return self.register, self.key, self.code, self.subject


Check = Callable[[], Iterable[Finding]]

_checks: dict[str, Check] = {}


def add_check(name: str, check: Check) -> None:
    """Register the check of one package under its name. Registering it again replaces it."""
    _checks[name] = check


def findings() -> list[Finding]:
    """Return every finding of every package, errors first, in a stable order."""
    found = {finding for check in _checks.values() for finding in check()}
    return sorted(found, key=lambda each: (not each.is_error, each))
