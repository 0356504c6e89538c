"""A table whose columns are acted on as they are read: to all that reads it, the result is the table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from privacy.anonymisation.actions import wanted
from privacy.anonymisation.actions.acting import Acting, Means
from privacy.anonymisation.actions.bounding import Bounding
from privacy.anonymisation.actions.hashing import Hashing
from privacy.anonymisation.actions.keys import VARIABLE, KeyRing
from privacy.anonymisation.actions.redacting import Redacting, names_in
from privacy.anonymisation.actions.shifting import DAYS, Shifting
from privacy.anonymisation.actions.tokens import Tokens
from privacy.anonymisation.actions.vault import Vault
from privacy.anonymisation.actions.wanted import Action
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.wish import Wish


class Source(Protocol):
    """A file as a table: what readers of CSV and Parquet have in common."""

    @property
    def path(self) -> Path: ...
    @property
    def sha256(self) -> str: ...
    @property
    def encoding(self) -> str: ...
    @property
    def header(self) -> tuple[str, ...]: ...
    @property
    def nested(self) -> tuple[str, ...]: ...
    def require(self, names: Iterable[str]) -> None: ...
    def has_changed(self) -> bool: ...
    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]: ...


@dataclass(frozen=True)
class ActedTable:
    """A table, and what is at work on its columns."""

    source: Source
    actions: tuple[Action, ...]
    at_work: Mapping[str, Acting]

    @property
    def path(self) -> Path:
        return self.source.path

    @property
    def sha256(self) -> str:
        return self.source.sha256

    @property
    def encoding(self) -> str:
        return self.source.encoding

    @property
    def header(self) -> tuple[str, ...]:
        return self.source.header

    @property
    def nested(self) -> tuple[str, ...]:
        return self.source.nested

    def require(self, names: Iterable[str]) -> None:
        """Raise UnknownColumn, listing the columns that exist, unless all ``names`` do."""
        self.source.require(names)

    def has_changed(self) -> bool:
        """Return whether the file is no longer what was opened."""
        return self.source.has_changed()

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield the named columns part by part, acted on, in the parts of the file."""
        at_work = {name: self.at_work[name] for name in names if name in self.at_work}
        companions = [each for acting in at_work.values() for each in acting.companions]
        for acting in at_work.values():
            acting.begin()
        row = 0
        for part in self.source.batches(list(dict.fromkeys([*names, *companions]))):
            yield {name: at_work[name].apply(part, row) if name in at_work else part[name] for name in names}
            row += len(next(iter(part.values())))

    def said(self) -> tuple[dict[str, Any], ...]:
        """Return what the report says of each action."""
        return tuple(
            {"column": each.column, "kind": each.kind, **self.at_work[each.column].said} for each in self.actions
        )


def acted_on(source: Source, actions: Sequence[Action], wish: Wish, means: Means) -> ActedTable:
    """Put actions to work on a table. Raises AnonymisationError for what it lacks."""
    source.require([*wanted.columns_of(actions), *filter(None, (each.options.get("names_of") for each in actions))])
    nested = [each.column for each in actions if each.column in source.nested]
    if nested:
        raise AnonymisationError(f"A cell of '{nested[0]}' holds several values: no action reads it.")
    return ActedTable(source, tuple(actions), {each.column: _at_work(each, source, wish, means) for each in actions})


def _at_work(action: Action, source: Source, wish: Wish, means: Means) -> Acting:
    column, person = action.column, wish.person or ""
    match action.kind:
        case wanted.HASH | wanted.REKEY:
            again = action.kind == wanted.REKEY
            return Hashing(column, _keys(action, means), domain=action.options.get("domain", ""), again=again)
        case wanted.TOKEN:
            return Tokens(column, person, _vault(action, means))
        case wanted.SHRED:
            from privacy.anonymisation.actions.shredding import Shredding  # its cipher is needed nowhere else

            return Shredding(column, person, _vault(action, means))
        case wanted.SHIFT:
            return Shifting(column, person, _keys(action, means), action.number("days", DAYS))
        case wanted.BOUNDS:
            return Bounding(action, source, k=wish.k, person=wish.person)
    names_of = action.options.get("names_of")
    listed = means.names.union(names_in(source, names_of)) if names_of else means.names
    return Redacting(column, listed)


def _keys(action: Action, means: Means) -> KeyRing:
    if means.keys is None:
        raise AnonymisationError(f"'{action.column}': '{action.kind}' needs a key: --keys FILE, or {VARIABLE}.")
    return means.keys


def _vault(action: Action, means: Means) -> Vault:
    if means.vault is None:
        raise AnonymisationError(
            f"'{action.column}': '{action.kind}' needs a vault with rights, a trail and erasure, which an installation "
            "keeps: use ./assent release."
        )
    return means.vault
