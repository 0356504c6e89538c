"""Lint of the registers as a whole, through functions that each package registers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from common.canonical import digest_of
from oversight import registers, rows
from oversight.problems import ChangeRefused

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """What lint found. An error that a set brings about keeps it from being proposed; a warning does not."""

    level: str
    code: str
    register: str
    key: str
    detail: str


Lint = Callable[[], Iterable[Finding]]
_lints: list[Lint] = []


def add_lint(*lints: Lint) -> None:
    """Register functions that read the registers as they are in this transaction."""
    _lints.extend(lint for lint in lints if lint not in _lints)


def lint() -> list[Finding]:
    """Return what is wrong with the registers as they are in this transaction."""
    return [finding for check in _lints for finding in check()]


def new_findings(before: Sequence[Finding], after: Sequence[Finding]) -> list[Finding]:
    """Return findings of after; errors that were there before are warnings: the set did not bring them about."""
    known = {(f.code, f.register, f.key) for f in before}
    return [
        Finding(WARNING, f.code, f.register, f.key, f.detail) if (f.code, f.register, f.key) in known else f
        for f in after
    ]


def as_document(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return findings as a set stores them."""
    return [asdict(finding) for finding in findings]


def refuse(findings: Iterable[dict[str, Any]]) -> None:
    """Refuse where an error is among stored findings. Raises ChangeRefused."""
    errors = [str(finding["detail"]) for finding in findings if finding["level"] == ERROR]
    if errors:
        raise ChangeRefused(" ".join(errors))


def registers_digest() -> str:
    """Return the digest of all registers as they are."""
    content = {register.name: rows.all_documents(register) for register in registers.all_registers()}
    return digest_of(content).hex()
