"""Free text without what can be recognised in it: each finding becomes its kind in brackets, such as ``[email]``."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from privacy.anonymisation.actions import cells
from privacy.anonymisation.actions.patterns import CANNOT_FIND, KINDS, NAME, Names, spans
from privacy.anonymisation.columns import is_missing
from privacy.anonymisation.generalisation import IntArray

if TYPE_CHECKING:
    from privacy.anonymisation.actions.table import Source


def redacted(text: str, names: Names | None = None) -> tuple[str, Counter[str]]:
    """Return a text without its findings, and how many there were of each kind."""
    found = spans(text, names)
    parts, upto = [], 0
    for start, end, kind in found:
        parts += [text[upto:start], f"[{kind}]"]
        upto = end
    return "".join([*parts, text[upto:]]), Counter(kind for _, _, kind in found)


def names_in(source: "Source", column: str) -> Iterable[str]:
    """Yield the distinct values of a column of names."""
    seen: set[str] = set()
    for part in source.batches([column]):
        texts, _ = cells.coded(part[column])
        seen.update(text for text in texts if text is not None and not is_missing(text))
    return seen


class Redacting:
    companions: tuple[str, ...] = ()

    def __init__(self, column: str, names: Iterable[str] = ()) -> None:
        self._column = column
        self._listed = len(listed := set(names))
        self._names = Names(listed) if listed else None
        self.begin()

    def begin(self) -> None:
        self._found: Counter[str] = Counter()
        self._cells = self._touched = 0

    def apply(self, part: Mapping[str, pa.Array], first_row: int) -> pa.Array:
        findings: dict[str, Counter[str]] = {}

        def treat(value: str) -> str:
            after, findings[value] = redacted(value, self._names)
            return after

        column, values, of_row = cells.treated(self._column, part[self._column], treat, first_row)
        self._count(values, of_row, findings)
        return column

    def _count(self, values: list[str | None], of_row: IntArray, findings: Mapping[str, Counter[str]]) -> None:
        for value, number in zip(values, np.bincount(of_row, minlength=len(values)).tolist(), strict=True):
            found = findings.get(value or "")
            if found is not None:
                self._cells += number
                self._touched += number if found else 0
                self._found.update({kind: number * times for kind, times in found.items()})

    @property
    def said(self) -> Mapping[str, Any]:
        kinds = [*KINDS, *([NAME] if self._names is not None else [])]
        return {
            "cells": self._cells,
            "cells_changed": self._touched,
            "found": {kind: self._found[kind] for kind in kinds},
            "names_listed": self._listed,
            "not_found": CANNOT_FIND,
        }
