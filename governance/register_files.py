"""Registers as YAML files, one a register, in a stable order: for review in a repository."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction

from common.registers import lint as register_lint
from common.registers import nearest
from common.registers.documents import Unreadable, read_documents
from common.registers.lint import Finding
from policies.cells import registers
from policies.cells.registers import Document, NotApplicable, Row, apply_registers, write_registers

_DAY = 24 * 60 * 60 * 1_000_000  # in microseconds, as the document holds durations
_DURATIONS = re.compile(r"[0-9]{1,6} days|[0-9]{1,18} microseconds")


class NotAPlan(ValueError):
    """Refusal of a folder of registers; the text names the file, the line and the way out."""


@dataclass(frozen=True)
class Difference:
    """A row that the files add, remove or change; ``fields`` are name, value now and value in the files."""

    register: str
    key: str
    kind: str  # "+", "-", "~"
    fields: tuple[tuple[str, Any, Any], ...] = ()


def export(folder: Path) -> list[Path]:
    """Write every register to the folder; files of the same registers are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    rows = write_registers()
    for register in registers.REGISTERS:
        path = folder / f"{register.name}.yaml"
        lines = [_written(register, row) for row in rows[register.name]]
        text = yaml.safe_dump(lines, sort_keys=False, allow_unicode=True, width=100)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def read(folder: Path) -> Document:
    """Return what the files say. Raises NotAPlan for another file, field or type, and for a row stated twice."""
    known = {register.name: register for register in registers.REGISTERS}
    found = {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder.is_dir() else {}
    for name, path in found.items():
        if name not in known:
            raise NotAPlan(f"{path.name}: this is no register. {nearest.hint(name, known)}")
    if missing := sorted(known.keys() - found.keys()):
        raise NotAPlan(f"{folder}: {missing[0]}.yaml is missing. An empty register is a file that holds [].")
    return {name: _rows(register, found[name]) for name, register in known.items()}


def differences(document: Document) -> list[Difference]:
    """Compare the files with the registers as they stand."""
    now = write_registers()
    return [each for register in registers.REGISTERS for each in _compared(register, now, document)]


def findings(document: Document) -> list[Finding]:
    """Return the errors that the files would bring: applied in a savepoint, looked at, and rolled back.

    Raises NotAPlan where the rows do not fit this installation.
    """
    before = set(register_lint.findings())
    try:
        with transaction.atomic():
            apply_registers(document)
            after = register_lint.findings()
            transaction.set_rollback(True)
    except NotApplicable as refused:
        raise NotAPlan(str(refused)) from None
    return [finding for finding in after if finding.is_error and finding not in before]


def _rows(register: Any, path: Path) -> list[Row]:
    try:
        documents = read_documents(path, typed=True)
    except Unreadable as refused:
        raise NotAPlan(f"{path.name}: {refused}") from None
    rows = documents[0] if len(documents) == 1 else []
    if not isinstance(rows, list):
        raise NotAPlan(f"{path.name}: it is no list of rows.")
    seen: set[tuple[str, ...]] = set()
    read_rows = []
    for row in rows:
        line = getattr(row, "line", None)
        where = f"{path.name}, line {line}" if line else path.name
        read_rows.append(_row(register, row, where))
        key = _key(register, read_rows[-1])
        if key in seen:
            raise NotAPlan(f"{where}: {' '.join(key)} is stated twice.")
        seen.add(key)
    return read_rows


def _row(register: Any, row: Any, where: str) -> Row:
    fields = {field.name: field for field in register.fields}
    if not isinstance(row, dict):
        raise NotAPlan(f"{where}: a row is a mapping of fields.")
    for name in row:
        if name not in fields:
            raise NotAPlan(f"{where}: “{name}” is no field of {register.name}. {nearest.hint(str(name), fields)}")
    if missing := [name for name in fields if name not in row]:
        raise NotAPlan(f"{where}: {missing[0]} is missing.")
    return {name: _read(fields[name], row[name], f"{where}: {name}") for name in fields}


def _read(field: Any, value: Any, where: str) -> Any:
    """Check the type of a value; an unquoted NO or 2026-01-01 is no text."""
    if value is None and field.null:
        return None
    kind = _kind(field)
    if not kind.is_fit(value):
        raise NotAPlan(f"{where} cannot be {value!r}: {kind.wanted}.")
    return _microseconds(value) if kind is _DURATION else value


@dataclass(frozen=True)
class _Kind:
    """What a field's value must be in a file, and the same in words."""

    is_fit: Callable[[Any], bool]
    wanted: str


_DURATION = _Kind(lambda value: isinstance(value, str) and _DURATIONS.fullmatch(value) is not None, "write 365 days")
_BOOLEAN = _Kind(lambda value: isinstance(value, bool), "write true or false")
_NUMBER = _Kind(lambda value: isinstance(value, int) and not isinstance(value, bool), "write a whole number")
_NESTED = _Kind(lambda value: isinstance(value, list | dict), "write a list or a mapping")
_TEXT = _Kind(lambda value: isinstance(value, str), "put the text in quotes")
_KINDS = (
    (models.DurationField, _DURATION),
    (models.BooleanField, _BOOLEAN),
    (models.IntegerField, _NUMBER),
    ((models.JSONField, ArrayField), _NESTED),
)


def _kind(field: Any) -> _Kind:
    return next((kind for types, kind in _KINDS if isinstance(field, types)), _TEXT)


def _microseconds(text: str) -> int:
    number, unit = text.split(" ")
    return int(number) * (_DAY if unit == "days" else 1)


def _written(register: Any, row: Row) -> Row:
    durations = {field.name for field in register.fields if isinstance(field, models.DurationField)}
    return {name: _in_days(value) if name in durations else value for name, value in row.items()}


def _in_days(microseconds: int) -> str:
    days, rest = divmod(microseconds, _DAY)
    return f"{microseconds} microseconds" if rest else f"{days} days"


def _key(register: Any, row: Row) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in register.key)


def _compared(register: Any, now: Document, wanted: Document) -> Iterator[Difference]:
    here = {_key(register, row): row for row in now[register.name]}
    there = {_key(register, row): row for row in wanted[register.name]}
    for key in sorted({**here, **there}):
        old, new = here.get(key), there.get(key)
        if old is None or new is None:
            yield Difference(register.name, " ".join(key), "-" if new is None else "+")
        elif changed := tuple((name, old[name], new[name]) for name in new if old[name] != new[name]):
            yield Difference(register.name, " ".join(key), "~", changed)
