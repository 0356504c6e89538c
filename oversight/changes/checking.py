"""Lint of the registers as a whole, over what stands in this transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from common.canonical import digest_of
from common.registers import lint as register_lint
from common.registers.lint import Finding
from oversight import registers, rows
from oversight.problems import ChangeRefused


def new_findings(before: Iterable[Finding], after: Sequence[Finding]) -> list[Finding]:
    """Return what a set brings about: what was not there before, and what was a warning and is an error."""
    known = {(finding.identity, finding.is_error) for finding in before}
    errors = {identity for identity, is_error in known if is_error}
    return [each for each in after if each.identity not in errors and (each.identity, each.is_error) not in known]


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
