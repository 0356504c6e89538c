"""A column whose values are encrypted under the key of their person (``sealed``)."""

from collections.abc import Mapping, Sequence
from typing import Any

from privacy.anonymisation.actions import cells
from privacy.anonymisation.actions.acting import OfPerson, Pairs, Refused
from privacy.anonymisation.actions.sealed import seal
from privacy.anonymisation.actions.vault import Vault


class Shredding(OfPerson):
    def __init__(self, column: str, person: str, vault: Vault) -> None:
        super().__init__(column, person)
        self._vault = vault

    def _changed(self, pairs: Pairs, refused: Refused) -> Sequence[str | None]:
        people = list({person: None for person, value in pairs if cells.is_stated(value)})
        key_of = dict(zip(people, self._vault.keys(people), strict=True))
        return [
            seal(value, key_of[person]) if value is not None and cells.is_stated(value) else value
            for person, value in pairs
        ]

    @property
    def said(self) -> Mapping[str, Any]:
        return {"cells": self._cells, "algorithm": "AES-256-SIV", "unreadable": "once the person is erased"}
