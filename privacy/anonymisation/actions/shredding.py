"""A column whose values are encrypted under the key of their person (``sealed``)."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from privacy.anonymisation.actions import cells
from privacy.anonymisation.actions.sealed import seal
from privacy.anonymisation.actions.vault import Vault


class Shredding:
    def __init__(self, column: str, person: str, vault: Vault) -> None:
        self._column, self._person, self._vault = column, person, vault
        self._cells = 0

    @property
    def companions(self) -> tuple[str, ...]:
        return (self._person,)

    def begin(self) -> None:
        self._cells = 0

    def apply(self, part: Mapping[str, pa.Array], first_row: int) -> pa.Array:
        found, of_row = cells.paired(part[self._column], part[self._person])
        people = list({person: None for person, value in found if cells.is_stated(value)})
        key_of = dict(zip(people, self._vault.keys(people), strict=True))
        texts = [
            seal(value, key_of[person]) if value is not None and cells.is_stated(value) else value
            for person, value in found
        ]
        self._cells += cells.stated_in([value for _person, value in found], of_row)
        return cells.written(texts, of_row)

    @property
    def said(self) -> Mapping[str, Any]:
        return {"cells": self._cells, "algorithm": "AES-256-SIV", "unreadable": "once the person is erased"}
