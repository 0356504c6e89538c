"""Tokens of a column: for each person and value the vault's, of the same form (``forms``)."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from privacy.anonymisation.actions import cells
from privacy.anonymisation.actions.forms import FEWEST, TOO_SHORT, number_of, spelt
from privacy.anonymisation.actions.vault import Vault


class Tokens:
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
        stated = [
            (place, person, spelt(value))
            for place, (person, value) in enumerate(found)
            if value is not None and cells.is_stated(value)
        ]
        for place, _person, value in stated:
            if number_of(value) < FEWEST:
                raise cells.refused(self._column, of_row, place, first_row, cells.Unfit(TOO_SHORT))
        tokens = self._vault.tokens(self._column, [(person, value) for _place, person, value in stated])
        texts: list[str | None] = [value for _person, value in found]
        for (place, _, _), token in zip(stated, tokens, strict=True):
            texts[place] = token
        self._cells += cells.stated_in([value for _person, value in found], of_row)
        return cells.written(texts, of_row)

    @property
    def said(self) -> Mapping[str, Any]:
        return {"cells": self._cells, "form": "length, digits, capital and small letters", "reversal": "by the vault"}
