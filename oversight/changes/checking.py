"""Lint of the registers as a whole, over what stands in this transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from common.canonical import digest_of
from common.registers import lint as register_lint
from common.registers.lint import Finding
from oversight import registers, rows
from oversight.problems import ChangeRefused


def new_findings(before: Iterable[Finding], after: Sequence[Finding]) -> list[Finding]:
    """Return what was found after; an error that was there before is a warning: the set did not bring it about."""
    known = {finding.identity for finding in before if finding.is_error}
    return [replace(finding, is_error=False) if finding.identity in known else finding for finding in after]


def as_document(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as a set stores them."""
    return [asdict(finding) for finding in findings]


def refuse(findings: Iterable[dict[str, Any]]) -> None:
    """Refuse where an error is among stored findings. Raises ChangeRefused."""
    errors = [str(finding["detail"]) for finding in findings if finding["is_error"]]
    if errors:
        raise ChangeRefused(" ".join(errors))


def lint() -> list[Finding]:
    """Return what is wrong with the registers as they are in this transaction."""
    return register_lint.findings()


def registers_digest() -> str:
    """Return the digest of all registers as they are."""
    content = {register.name: rows.all_documents(register) for register in registers.all_registers()}
    return digest_of(content).hex()
