"""Registers as one document, by public names instead of row numbers, and back into another cell's tables.

What is named here goes to every cell; nothing else does. There is no person in any of these tables.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from common import actors
from consent.models import DataCategory, DataCategoryText, Notice, NoticeTerms, Party, Purpose, PurposeData, PurposeText
from consent.register.register import NOTICES, PURPOSES
from oversight.changes import applying
from oversight.models import ChangeSet
from oversight.rows import NotReadable, read, written
from policies.models import (
    DisplayRule,
    FrequencyCap,
    Jurisdiction,
    MaskRule,
    PriceRule,
    ProcessingRegion,
    RankingRule,
    Region,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)
from privacy.models import RetentionSchedule

Row = dict[str, Any]
Document = dict[str, list[Row]]


class NotApplicable(Exception):
    """Refusal of a document that does not fit this cell; the text says why, and nothing of it is kept."""


@dataclass(frozen=True)
class _Register:
    """A table by the fields that name a row. ``keeps``: rows removed at the primary stay, as records name them."""

    model: type[models.Model]
    key: tuple[str, ...]
    keeps: bool = False

    @property
    def name(self) -> str:
        return str(self.model._meta.model_name)  # noqa: SLF001 (Django documents _meta)

    @property
    def fields(self) -> list[Any]:
        return [field for field in self.model._meta.concrete_fields if not field.primary_key]  # noqa: SLF001


# In the order in which rows can be made: what others name comes first.
_REGISTERS = (
    # Before the purposes and notices whose making would freeze what this cell's register says today.
    _Register(NoticeTerms, ("purpose", "version"), keeps=True),
    _Register(Party, ("slug",), keeps=True),
    _Register(Purpose, ("slug",), keeps=True),
    _Register(PurposeText, ("purpose", "locale")),
    _Register(DataCategory, ("slug",)),
    _Register(DataCategoryText, ("category", "locale")),
    _Register(PurposeData, ("purpose", "category", "locale")),
    _Register(Notice, ("purpose", "version", "locale"), keeps=True),
    _Register(RetentionSchedule, ("slug",)),
    _Register(SensitiveCategory, ("slug",)),
    _Register(Jurisdiction, ("slug",)),
    _Register(Region, ("code",)),
    _Register(ProcessingRegion, ("slug",)),
    _Register(TransferInstrument, ("slug",)),
    _Register(ResidencyRule, ("slug",)),
    _Register(DisplayRule, ("slug",)),
    _Register(RankingRule, ("purpose",)),
    _Register(PriceRule, ("slug",)),
    _Register(FrequencyCap, ("slug",)),
    _Register(MaskRule, ("slug",)),
)


def write_registers() -> Document:
    """Return the rows of every register, in a stable order."""
    return {register.name: sorted(_rows(register), key=_order(register)) for register in _REGISTERS}


def _order(register: _Register) -> Any:
    return lambda row: [str(row[name]) for name in register.key]


def _rows(register: _Register) -> Iterator[Row]:
    links = [field.name for field in register.fields if field.is_relation]
    for row in register.model._default_manager.select_related(*links):  # noqa: SLF001
        yield {field.name: written(field, getattr(row, field.name)) for field in register.fields}


def apply_registers(document: Document) -> None:
    """Apply the document to the registers. Call it in a transaction. Raises NotApplicable.

    Safe to repeat. Notices are never changed; a purpose that is gone is switched off and stays.
    """
    if document.keys() != {register.name for register in _REGISTERS}:
        raise NotApplicable("The release names other registers; it was made by another release of the program.")
    actor = actors.job("cells")
    with applying.apply_shipped(title="Release of the primary cell", actor=actor, kind=ChangeSet.Kind.RELEASE):
        _write(document)
    for rows in (PURPOSES, NOTICES):
        rows.seal_changes(actor=actor)


def _write(document: Document) -> None:
    for register in _REGISTERS:
        _upsert(register, document[register.name])
    for register in reversed(_REGISTERS):
        if not register.keeps:
            _delete_others(register, document[register.name])
    known = [row["slug"] for row in document["purpose"]]
    Purpose.objects.exclude(slug__in=known).filter(is_active=True).update(is_active=False)


def _upsert(register: _Register, rows: list[Row]) -> None:
    if register.model is Purpose:
        # A purpose may name another one further down the list.
        for row in rows:
            _save(register, {**row, "parent": None}, only_new=True)
    for row in rows:
        _save(register, row)


def _save(register: _Register, row: Row, *, only_new: bool = False) -> None:
    if row.keys() != {field.name for field in register.fields}:
        raise NotApplicable(f"A row of {register.name} has other members; both cells need the same release.")
    values = {field.name: _read(register, field, row[field.name]) for field in register.fields}
    key = {name: values.pop(name) for name in register.key}
    manager = register.model._default_manager  # noqa: SLF001
    found = manager.filter(**key).first()
    if found is None:
        manager.create(**key, **values)
    elif not only_new and any(getattr(found, name) != value for name, value in values.items()):
        _change(register, found, values)


def _change(register: _Register, row: models.Model, values: Row) -> None:
    if isinstance(row, NoticeTerms):
        return  # what people of this cell agreed to stays as it was frozen here
    if isinstance(row, Notice):
        if (row.text_sha256, row.is_material) != (values["text_sha256"], values["is_material"]):
            raise NotApplicable(f"Version {row.version} of a notice has another text here.")
        return
    if isinstance(row, Purpose) and row.legal_basis != values["legal_basis"] and row.records.exists():
        raise NotApplicable("People of this cell have answered under another legal basis of a purpose.")
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def _read(register: _Register, field: Any, value: Any) -> Any:
    try:
        return read(field, value)
    except NotReadable:
        raise NotApplicable(f"A row of {register.name} names something that is not there.") from None


def _delete_others(register: _Register, rows: list[Row]) -> None:
    wanted = {tuple(row[name] for name in register.key) for row in rows}
    for found in register.model._default_manager.all():  # noqa: SLF001
        key = tuple(written(register.model._meta.get_field(name), getattr(found, name)) for name in register.key)  # noqa: SLF001
        if key not in wanted:
            found.delete()
