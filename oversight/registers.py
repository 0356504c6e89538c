"""Descriptors of registers: what a change set may change, and by which rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from audit.sealed_rows import SealedRows
from oversight.problems import ChangeRefused, KeptElsewhere

Document = dict[str, Any]
InWords = Callable[[str, Any], Any]
Narrows = Callable[[Document | None, Document | None], bool]
Save = Callable[[Any, bool], None]
Inverse = Callable[[Document | None, Document | None], tuple[str, Document | None] | None]


ToConfirm = Callable[[Document | None, Document | None], str]
Beside = Callable[[str, Document | None, Mapping[tuple[str, str], Document | None]], bool]


def nothing_to_confirm(_before: Document | None, _after: Document | None) -> str:
    """Return nothing: an approval says all that a second officer has to say about a change of the register."""
    return ""


def never_narrows_with(_key: str, _after: Document | None, _set: Mapping[tuple[str, str], Document | None]) -> bool:
    """Return False: what else the set changes makes no change of the register one that takes permission away."""
    return False


def as_stored(_member: str, content: Any) -> Any:
    """Return the content: officers read what a member holds as it is stored."""
    return content


def widens(_before: Document | None, _after: Document | None) -> bool:
    """Return False: no change of the register counts as one that only takes permission away."""
    return False


@dataclass(frozen=True)
class Child:
    """Rows of another table that belong to the object: ``name`` is their member in its document.

    ``key``: the fields that name a row under its parent; in a document their values are joined by a stroke.
    """

    name: str
    model: type[models.Model]
    parent: str
    key: tuple[str, ...]

    @property
    def fields(self) -> Sequence[Any]:
        """Return the columns in a document, without those that name the row."""
        return [each for each in self._columns if each.name not in self.key]

    @property
    def key_fields(self) -> Sequence[Any]:
        """Return the columns that name a row, in the order of the key."""
        columns = {each.name: each for each in self._columns}
        return [columns[name] for name in self.key]

    @property
    def _columns(self) -> Sequence[Any]:
        fields = self.model._meta.concrete_fields  # noqa: SLF001 (Django documents it)
        return [each for each in fields if not each.primary_key and each.name != self.parent]


@dataclass(frozen=True)
class Register:
    """A register: a table whose rows are changed by change sets.

    ``key``: the fields that name a row. ``omits``: columns that follow from others. ``keeps``: rows are never deleted,
    as records name them. ``in_emergency``: one officer may change it then. ``narrows``: whether a change only takes
    permission away; ``narrows_with``: whether it does with the set's other changes. ``of_people``: members that list
    people, shown to officers as a number. ``in_words``: a member's content as officers read it. ``to_confirm``: the
    claim of a change that a second officer has to confirm, with a reason. ``save``: replaces ``save()`` where
    a service has its own rules for the row. ``inverse``: the change that takes one back, where it is not the reverse.
    ``is_last``: written after all others, as it freezes what they say. ``is_local``: each cell keeps its own.
    """

    name: str
    title: str
    model: type[models.Model]
    key: tuple[str, ...]
    children: tuple[Child, ...] = ()
    omits: tuple[str, ...] = ()
    in_bundle: bool = True
    in_emergency: bool = True
    keeps: bool = False
    of_people: tuple[str, ...] = ()
    in_words: InWords = as_stored
    narrows: Narrows = widens
    narrows_with: Beside = never_narrows_with
    to_confirm: ToConfirm = nothing_to_confirm
    save: Save | None = None
    inverse: Inverse | None = None
    sealed: SealedRows | None = None
    is_last: bool = False
    is_local: bool = False

    @property
    def fields(self) -> Sequence[Any]:
        """Return the columns in a document, links to other tables among them."""
        options = self.model._meta  # noqa: SLF001 (Django documents it for this use)
        return [
            field
            for field in (*options.concrete_fields, *options.many_to_many)
            if not field.primary_key and field.name not in self.omits
        ]

    @property
    def tables(self) -> set[str]:
        """Return the tables that its rows, their children and their links to many stand in."""
        options = self.model._meta  # noqa: SLF001 (Django documents it for this use)
        links: list[Any] = [field.remote_field.through for field in options.many_to_many]
        models_of: list[Any] = [self.model, *(child.model for child in self.children), *links]
        return {str(model._meta.db_table) for model in models_of}  # noqa: SLF001


_registers: dict[str, Register] = {}
# The cell whose officers keep the registers, where it is not this one (docs/decisions/0017).
_kept_by: str | None = None


def add(*registers: Register) -> None:
    """Register descriptors, what others name first. Called in ``AppConfig.ready()``."""
    for register in registers:
        _registers[register.name] = register


def find(name: str) -> Register:
    """Return a register by name. Raises ChangeRefused."""
    if name not in _registers:
        raise ChangeRefused(f"There is no register “{name}”. There are: {', '.join(_registers)}.")
    return _registers[name]


def of_model(model: type[models.Model]) -> Register:
    """Return the register whose rows are of a model."""
    return next(register for register in _registers.values() if register.model is model)


def all_registers() -> list[Register]:
    """Return every register, what others name first."""
    return list(_registers.values())


def tables() -> list[str]:
    """Return the tables of every register, of its children and of its links to many."""
    return sorted({table for register in _registers.values() for table in register.tables})


def rank(name: str) -> int:
    """Return the place of a register in the order in which rows can be made."""
    return list(_registers).index(name) + (len(_registers) if _registers[name].is_last else 0)


def keep_elsewhere(cell: str | None) -> None:
    """Refuse change sets of officers from here on: a notice published here could never be taken back."""
    global _kept_by
    _kept_by = cell


def refuse_if_kept_elsewhere(names: Iterable[str] | None = None) -> None:
    """Refuse where another cell keeps one of these registers, or any at all. Raises KeptElsewhere."""
    is_local = names is not None and all(find(name).is_local for name in names)
    if _kept_by is not None and not is_local:
        raise KeptElsewhere(f"Purposes and notices are kept in cell '{_kept_by}'. Change them there.")
