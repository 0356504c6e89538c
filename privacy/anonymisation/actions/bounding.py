"""Top and bottom coding: what lies beyond a bound becomes the bound, so that rare extremes name no one.

A bound is stated, or the value that a share of the rows does not exceed. At least k rows, or people, have to lie at or
beyond it: a stated bound with fewer is refused, one by its share moves inwards.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.anonymisation.actions import cells
from privacy.anonymisation.actions.wanted import Action
from privacy.anonymisation.columns import typed
from privacy.anonymisation.errors import UnusableColumn

if TYPE_CHECKING:
    from privacy.anonymisation.actions.table import Source

_SHARE = "%"


@dataclass(frozen=True)
class Bounds:
    """Bounds in the column's own values, None where there is none, and the spelling of each."""

    bottom: Any
    top: Any
    spelt: Mapping[Any, str]

    def of(self, value: Any) -> Any:
        if self.top is not None and value > self.top:
            return self.top
        return self.bottom if self.bottom is not None and value < self.bottom else value


class Bounding:
    """Read the whole column once for its values, then act part by part."""

    companions: tuple[str, ...] = ()

    def __init__(self, action: Action, source: "Source", *, k: int, person: str | None) -> None:
        self._column = action.column
        self._k = action.number("k", k)
        self._counted = "rows" if person is None else "people"
        rows, extremes = _collected(source, action.column, person)
        self._meaning = _meaning(action.column, rows)
        self._bounds = self._found(action, rows, extremes)
        self._cells = {"below": 0, "above": 0}

    def _found(self, action: Action, rows: Counter[Any], extremes: "_Extremes | None") -> Bounds:
        ordered: Counter[Any] = Counter()
        for text, number in rows.items():
            if (value := self._meaning.get(text)) is not None:
                ordered[value] += number
        if not ordered:
            raise UnusableColumn(f"Column '{self._column}' has no values to bound.")
        spelt: dict[Any, str] = {}
        for text in sorted(rows, key=str):
            spelt.setdefault(self._meaning.get(text), str(text))
        found: dict[str, Any] = {}
        for name, is_top in (("bottom", False), ("top", True)):
            if name in action.options:
                people = None if extremes is None else extremes.of(self._meaning, is_top=is_top)
                found[name] = self._bound(action.options[name], name, ordered, people, spelt)
        bottom, top = found.get("bottom"), found.get("top")
        if bottom is not None and top is not None and bottom >= top:
            raise UnusableColumn(f"Column '{self._column}': its lower bound is not below its upper one.")
        return Bounds(bottom, top, spelt)

    def _bound(
        self, said: str, name: str, ordered: Counter[Any], people: Counter[Any] | None, spelt: dict[Any, str]
    ) -> Any:
        is_top = name == "top"
        innermost = _with_behind(ordered if people is None else people, self._k, is_top=is_top)
        if innermost is None:
            raise UnusableColumn(f"Column '{self._column}' has fewer than {self._k} {self._counted}.")
        if said.endswith(_SHARE):
            wanted = _quantile(ordered, float(said[:-1]) / 100)
            return min(wanted, innermost) if is_top else max(wanted, innermost)
        bound = _as(said, next(iter(ordered)), self._column)
        if bound > innermost if is_top else bound < innermost:
            raise UnusableColumn(
                f"Column '{self._column}': fewer than {self._k} {self._counted} lie at or beyond the bound {said}; the "
                f"outermost bound with so many is {spelt[innermost]}."
            )
        spelt.setdefault(bound, said)
        return bound

    def begin(self) -> None:
        self._cells = {"below": 0, "above": 0}

    def apply(self, part: Mapping[str, pa.Array], first_row: int) -> pa.Array:
        column = part[self._column]
        if _is_text(column):
            return self._of_texts(column)
        bounds = self._bounds
        for name, bound, beyond in (("above", bounds.top, pc.greater), ("below", bounds.bottom, pc.less)):
            if bound is not None:
                limit = self._of_type(bound, column.type)
                is_beyond = beyond(column, limit).fill_null(False)
                self._cells[name] += pc.sum(is_beyond).as_py() or 0
                column = pc.if_else(is_beyond, limit, column)
        return column

    def _of_type(self, bound: Any, kind: pa.DataType) -> Any:
        try:
            return pa.scalar(bound, kind)
        except pa.ArrowInvalid:
            raise UnusableColumn(f"Column '{self._column}': its type cannot hold the bound {bound}.") from None

    def _of_texts(self, column: pa.Array) -> pa.Array:
        texts, of_row = cells.coded(column)
        number = np.bincount(of_row, minlength=len(texts)).tolist()
        after: list[str | None] = []
        for text, count in zip(texts, number, strict=True):
            value = self._meaning.get(text)
            bound = None if value is None else self._bounds.of(value)
            if bound is None or bound == value:
                after.append(text)
                continue
            self._cells["above" if bound < value else "below"] += count
            after.append(self._bounds.spelt[bound])
        return cells.written(after, of_row)

    @property
    def said(self) -> Mapping[str, Any]:
        bounds = {
            name: self._bounds.spelt[value]
            for name, value in (("bottom", self._bounds.bottom), ("top", self._bounds.top))
            if value is not None
        }
        return {**bounds, **self._cells, "k": self._k, "counted": self._counted}


class _Extremes:
    """The least and the greatest value of each person, as they are read."""

    def __init__(self) -> None:
        self.values: dict[str, set[Any]] = {}

    def add(self, person: str, value: Any) -> None:
        self.values.setdefault(person, set()).add(value)

    def of(self, meaning: Mapping[Any, Any], *, is_top: bool) -> Counter[Any]:
        """Return how many people have each value as their greatest, or least."""
        choose: Callable[[Iterable[Any]], Any] = max if is_top else min
        stated = ([meaning[each] for each in found if each in meaning] for found in self.values.values())
        return Counter(choose(values) for values in stated if values)


def _collected(source: "Source", column: str, person: str | None) -> tuple[Counter[Any], _Extremes | None]:
    rows: Counter[Any] = Counter()
    extremes = None if person is None else _Extremes()
    for part in source.batches(list(dict.fromkeys([column, *([person] if person else [])]))):
        coded = part[column] if isinstance(part[column], pa.DictionaryArray) else part[column].dictionary_encode()
        values = coded.dictionary.to_pylist()
        indices = coded.indices.drop_null().to_numpy(zero_copy_only=False)
        for value, number in zip(values, np.bincount(indices, minlength=len(values)).tolist(), strict=True):
            if number:
                rows[value] += number
        if extremes is not None and person is not None:
            people, of_person = cells.coded(part[person])
            known = zip(coded.indices.to_pylist(), of_person.tolist(), strict=True)
            for index, one in set(known):
                if index is not None:
                    extremes.add(people[one] or "", values[index])
    return rows, extremes


def _meaning(column: str, rows: Counter[Any]) -> Mapping[Any, Any]:
    """Return the value of each text, or of each cell with a type; what is missing has none."""
    sample = next(iter(rows), None)
    if isinstance(sample, int | float | Decimal | dt.date) and not isinstance(sample, bool):
        return {value: value for value in rows if value == value}  # a NaN is no value
    if not all(isinstance(each, str) for each in rows):
        raise _no_order(column)
    texts = list(rows)
    found = typed(column, texts, list(rows.values()))
    if found.values.dtype.kind == "O":
        raise _no_order(column)
    values = found.values.tolist()
    return {text: values[code] for text, code in zip(texts, found.codes.tolist(), strict=True) if code >= 0}


def _no_order(column: str) -> UnusableColumn:
    return UnusableColumn(f"Column '{column}' holds neither numbers nor dates, so it has no bounds.")


def _with_behind(rows: Mapping[Any, int], k: int, *, is_top: bool) -> Any:
    """Return the outermost value that k lie at or beyond; None where there are fewer."""
    behind = 0
    for value in sorted(rows, reverse=is_top):
        behind += rows[value]
        if behind >= k:
            return value
    return None


def _quantile(rows: Mapping[Any, int], share: float) -> Any:
    """Return the least value that this share of the rows does not exceed."""
    wanted, upto = share * sum(rows.values()), 0
    for value in sorted(rows):
        upto += rows[value]
        if upto >= wanted:
            break
    return value


def _as(said: str, like: Any, column: str) -> Any:
    """Return a stated bound as a value of the column's kind. Raises UnusableColumn."""
    try:
        if isinstance(like, dt.datetime):
            return dt.datetime.fromisoformat(said).replace(tzinfo=like.tzinfo)
        if isinstance(like, dt.date):
            return dt.date.fromisoformat(said)
        return int(said) if isinstance(like, int) and "." not in said else type(like)(said)
    except ValueError:
        raise UnusableColumn(f"Column '{column}': the bound {said} is not of its kind.") from None


def _is_text(column: pa.Array) -> bool:
    kind = column.type.value_type if isinstance(column, pa.DictionaryArray) else column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
