"""Tokens of a column: for each person and value the vault's, of the same form (``forms``)."""

from collections.abc import Mapping, Sequence
from typing import Any

from privacy.anonymisation.actions import cells
from privacy.anonymisation.actions.acting import OfPerson, Pairs, Refused
from privacy.anonymisation.actions.forms import FEWEST, TOO_SHORT, number_of, spelt
from privacy.anonymisation.actions.vault import Vault


class Tokens(OfPerson):
    def __init__(self, column: str, person: str, vault: Vault) -> None:
        super().__init__(column, person)
        self._vault = vault

    def _changed(self, pairs: Pairs, refused: Refused) -> Sequence[str | None]:
        stated = [
            (place, person, spelt(value))
            for place, (person, value) in enumerate(pairs)
            if value is not None and cells.is_stated(value)
        ]
        for place, _person, value in stated:
            if number_of(value) < FEWEST:
                raise refused(place, cells.Unfit(TOO_SHORT))
        tokens = self._vault.tokens(self._column, [(person, value) for _place, person, value in stated])
        texts: list[str | None] = [value for _person, value in pairs]
        for (place, _, _), token in zip(stated, tokens, strict=True):
            texts[place] = token
        return texts

    @property
    def said(self) -> Mapping[str, Any]:
        return {"cells": self._cells, "form": "length, digits, capital and small letters", "reversal": "by the vault"}
