"""Registers as YAML files, one a register, in a stable order: for review in a repository, and back as a change set."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.contrib.postgres.fields import ArrayField
from django.db import models

from common.registers import nearest
from common.registers.documents import Unreadable, read_documents
from oversight import registers, rows
from oversight.changes import drafting
from oversight.changes.documents import Compared, Proposed
from oversight.officers import single
from oversight.problems import NothingChanged
from oversight.registers import Child, Document, Register

_DAY = 24 * 60 * 60 * 1_000_000  # in microseconds, as a document holds durations
_DURATIONS = re.compile(r"[0-9]{1,6} days|[0-9]{1,18} microseconds")


class NotAPlan(ValueError):
    """Refusal of a folder of registers; the text names the file, the line and the way out."""


def _in_files() -> list[Register]:
    """Return the registers that stand in files: not those that each cell keeps its own of, as accounts of officers."""
    return [register for register in registers.all_registers() if not register.is_local]


def export(folder: Path) -> list[Path]:
    """Write every register to the folder; files of the same registers are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_export(register, folder / f"{register.name}.yaml") for register in _in_files()]


def _export(register: Register, path: Path) -> Path:
    documents = rows.all_documents(register)
    lines = [_written(register, documents[key]) for key in sorted(documents)]
    mark = f"# {single.SENTENCE}\n" if single.is_single() else ""
    path.write_text(mark + yaml.safe_dump(lines, sort_keys=False, allow_unicode=True, width=100), encoding="utf-8")
    return path


def _written(register: Register, document: Document) -> Document:
    durations = {field.name for field in register.fields if isinstance(field, models.DurationField)}
    children = {child.name for child in register.children}
    found: Document = {name: _in_days(value) if name in durations else value for name, value in document.items()}
    return {name: dict(sorted(value.items())) if name in children else value for name, value in found.items()}


def _in_days(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    days, rest = divmod(microseconds, _DAY)
    return f"{microseconds} microseconds" if rest else f"{days} days"


def plan(folder: Path) -> list[Compared]:
    """Return what the files would change. Raises NotAPlan for another file, field or type, and a row stated twice."""
    wanted = [Proposed(name, key, document) for (name, key), document in _read(folder).items()]
    gone = [
        Proposed(register.name, key, None)
        for register in _in_files()
        for key in rows.all_documents(register).keys() - {each.key for each in wanted if each.register == register.name}
    ]
    try:
        return drafting.compare([*wanted, *gone])
    except NothingChanged:
        return []


def _read(folder: Path) -> dict[tuple[str, str], Document]:
    known = {register.name: register for register in _in_files()}
    found = {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder.is_dir() else {}
    for name, path in found.items():
        if name not in known:
            raise NotAPlan(f"{path.name}: this is no register. {nearest.hint(name, known)}")
    if missing := sorted(known.keys() - found.keys()):
        raise NotAPlan(f"{folder}: {missing[0]}.yaml is missing. An empty register is a file that holds [].")
    return {(name, key): document for name, register in known.items() for key, document in _rows(register, found[name])}


def _rows(register: Register, path: Path) -> Iterable[tuple[str, Document]]:
    seen: dict[str, Document] = {}
    for row in _listed(path):
        where = _where(path.name, row)
        document = _row(register, row, where)
        key = "/".join(str(document[name]) for name in register.key)
        if key in seen:
            raise NotAPlan(f"{where}: {key} is stated twice.")
        seen[key] = document
    return seen.items()


def _listed(path: Path) -> list[Any]:
    try:
        documents = read_documents(path, typed=True)
    except Unreadable as refused:
        raise NotAPlan(f"{path.name}: {refused}") from None
    found = documents[0] if len(documents) == 1 else []
    if not isinstance(found, list):
        raise NotAPlan(f"{path.name}: it is no list of rows.")
    return found


def _where(name: str, row: Any) -> str:
    line = getattr(row, "line", None)
    return f"{name}, line {line}" if line else name


def _row(register: Register, row: Any, where: str) -> Document:
    children = {child.name: child for child in register.children}
    fields = {field.name: field for field in register.fields}
    _check_names(register.name, row, [*fields, *children], where)
    read = {name: _value(field, row[name], f"{where}: {name}") for name, field in fields.items()}
    return {**read, **{name: _children(child, row[name], f"{where}: {name}") for name, child in children.items()}}


def _children(child: Child, found: Any, where: str) -> Document:
    if not isinstance(found, dict):
        raise NotAPlan(f"{where} is a mapping, each row under its {'/'.join(child.key)}.")
    fields, file = {field.name: field for field in child.fields}, where.partition(",")[0]
    documents = {}
    for key, row in found.items():
        at = f"{_where(file, row)}: {child.name} {key}"
        _check_names(child.name, row, list(fields), at)
        documents[str(key)] = {name: _value(field, row[name], f"{at}: {name}") for name, field in fields.items()}
    return documents


def _check_names(name: str, row: Any, fields: list[str], where: str) -> None:
    if not isinstance(row, dict):
        raise NotAPlan(f"{where}: a row is a mapping of fields.")
    for each in row:
        if each not in fields:
            raise NotAPlan(f"{where}: “{each}” is no field of {name}. {nearest.hint(str(each), fields)}")
    if missing := [each for each in fields if each not in row]:
        raise NotAPlan(f"{where}: {missing[0]} is missing.")


def _value(field: Any, value: Any, where: str) -> Any:
    """Return a value as a document holds it, of the type of its column; an unquoted NO or 2026-01-01 is no text."""
    if value is None and field.null:
        return None
    kind = _kind(field)
    if not kind.is_fit(value):
        raise NotAPlan(f"{where} cannot be {value!r}: {kind.wanted}.")
    return _microseconds(value) if kind is _DURATION else _plain(value)


def _plain(value: Any) -> Any:
    """Return nested mappings as the documents of the database have them."""
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class _Kind:
    """What a field's value must be in a file, and the same in words."""

    is_fit: Callable[[Any], bool]
    wanted: str


_DURATION = _Kind(lambda value: isinstance(value, str) and _DURATIONS.fullmatch(value) is not None, "write 365 days")
_BOOLEAN = _Kind(lambda value: isinstance(value, bool), "write true or false")
_NUMBER = _Kind(lambda value: isinstance(value, int) and not isinstance(value, bool), "write a whole number")
_NESTED = _Kind(lambda value: isinstance(value, list | dict), "write a list or a mapping")
_NAMES = _Kind(
    lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value), "write a list of names"
)
_TEXT = _Kind(lambda value: isinstance(value, str), "put the text in quotes")
_KINDS = (
    (models.ManyToManyField, _NAMES),
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
