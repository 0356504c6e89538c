"""Attacks on a copy in classes, measured before it leaves: what they learn about who is in it beyond all others.

Half of a sample of the people is made safe as the release is, the other half, the control, is not in that copy. What
an attack finds out about the control it knows of people at large; only what it finds out beyond that comes from being
in the copy (Giomi et al. 2023, the measure of anonymeter, which judges these figures in the tests).

- singling out: who reads a row of the copy that looks like no other says "one person is in these classes, with these
  values"; a hit is that exactly one row of the table is (Cohen and Nissim 2020).
- inference: who knows all quasi-identifiers of a person guesses the sensitive value that is most frequent in the
  classes that fit best. Where a column of pseudonyms joins the rows of a person, who knows of several rows guesses the
  value that is most frequent under the pseudonyms whose classes fit most of them; what finds out more counts.

The sample, and the copy that is made of it, are in memory alone. The sample and the choice of attacks have a fixed
seed: the same table gives the same figures. Pure; no Django.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from privacy.anonymisation.files.opening import open_table
from privacy.anonymisation.files.replacing import in_memory
from privacy.anonymisation.files.texts import texts_of
from privacy.anonymisation.generalisation import MISSING, FloatArray, IntArray
from privacy.releases.gate import INFERENCE, SINGLING_OUT
from privacy.releases.measures.labels import fitting

if TYPE_CHECKING:
    from privacy.anonymisation.partition.items import BoolArray
    from privacy.anonymisation.tables import Table

MOST_ROWS = 20_000  # of the sample
MOST_ATTACKS = 2_000  # on each side
KIND = Path("sample.parquet")  # says what the sample and its copy are
FEWEST = 200  # guesses on each side, below which chance says more than the copy

MOST_JOINED, MOST_KNOWN = 300, 8  # people on each side who are looked for by pseudonyms; known rows of each

_SEED = 67
_CHUNK = 256
Anonymise = Callable[["Table", Path], object]


@dataclass(frozen=True)
class Attack:
    """How often an attack hit people who are in the copy, and the control; of so many tries each."""

    name: str
    tries: int
    hits: int
    control_tries: int
    control_hits: int

    @property
    def rate(self) -> float:
        return self.hits / max(1, self.tries)

    @property
    def control(self) -> float:
        return self.control_hits / max(1, self.control_tries)

    @property
    def excess(self) -> float:
        """Return the share of what the control leaves open that being in the copy gives away."""
        return max(0.0, (self.rate - self.control) / (1 - self.control)) if self.control < 1 else 0.0

    @property
    def is_measured(self) -> bool:
        """Return whether there were enough guesses."""
        return self.name != INFERENCE or min(self.tries, self.control_tries) >= FEWEST

    def as_document(self) -> dict[str, Any]:
        """Return the figures as they are kept; without an excess where there were too few guesses."""
        shares = {"rate": self.rate, "control": self.control, "excess": self.excess if self.is_measured else None}
        return {"name": self.name, "tries": self.tries, **shares}


@dataclass(frozen=True)
class Roles:
    """What an attacker knows (``quasi``), wants to know (``sensitive``), and sees besides (``others``).

    ``pseudonyms``: columns by which the copy joins the rows of a person. An attack sees only that they are equal, so
    its copy has the values in place of the pseudonyms.
    """

    quasi: Sequence[str]
    others: Sequence[str]
    sensitive: Sequence[str]
    person: str | None
    pseudonyms: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        listed = [*self.quasi, *self.shown, *self.pseudonyms, *([self.person] if self.person else [])]
        return list(dict.fromkeys(listed))

    @property
    def together(self) -> str | None:
        """Return the column whose values are each on one side alone."""
        return self.person or next(iter(self.pseudonyms), None)

    @property
    def shown(self) -> list[str]:
        """Return the columns that the copy shows as they are."""
        return [*self.others, *self.sensitive]


def measure(table: "Table", rows: int, roles: Roles, anonymise: Anonymise) -> list[Attack]:
    """Return what the attacks found. ``anonymise`` writes a copy of a table into a file. Raises AnonymisationError."""
    inside, control = _halves(table, rows, roles)
    with in_memory() as source, in_memory() as target:
        parquet.write_table(inside, source)
        anonymise(open_table(source, named=KIND), target)
        copy = parquet.read_table(target)
    known = _Known(roles, _texts(inside), _texts(control), _texts(copy))
    singled_out = known.singling_out()
    guessed = [known.inference(name) for name in roles.sensitive]
    guessed += [known.joined(pseudonym, name) for pseudonym in roles.pseudonyms for name in roles.sensitive]
    best = max(guessed, key=lambda each: (each.is_measured, each.excess), default=None)
    return [singled_out, *([best] if best else [])]


def _halves(table: "Table", rows: int, roles: Roles) -> tuple[pa.Table, pa.Table]:
    """Return the sample, half and half; all rows of a person are on one side."""
    rng, share = np.random.default_rng(_SEED), min(1.0, MOST_ROWS / max(1, rows))
    halves: tuple[list[Any], list[Any]] = ([], [])
    for columns in table.batches(roles.names):
        drawn = _drawn(columns[roles.together]) if roles.together else rng.random(len(next(iter(columns.values()))))
        part = pa.table({name: _plain(column) for name, column in columns.items()})
        halves[0].append(part.filter(pa.array(drawn < share / 2)))
        halves[1].append(part.filter(pa.array((drawn >= share / 2) & (drawn < share))))
    inside, control = map(pa.concat_tables, halves)
    return inside, control


def _drawn(people: Any) -> Any:
    """Return a number from 0 to 1 for each row, the same for all rows of a person."""
    coded = texts_of(people).dictionary_encode()
    of_person = np.array([zlib.crc32(text.encode(), _SEED) for text in coded.dictionary.to_pylist()]) / 2**32
    return of_person[coded.indices.to_numpy(zero_copy_only=False)]


def _plain(column: Any) -> Any:
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def _texts(table: pa.Table) -> dict[str, Any]:
    """Return the cells of each column as texts, the missing ones as labels write them."""
    found = {}
    for name in table.column_names:
        cells = map(texts_of, table[name].chunks)
        texts = np.array([text for chunk in cells for text in chunk.to_pylist()], dtype=object)
        found[name] = np.where(texts == "", MISSING, texts)
    return found


class _Known:
    """The halves and the copy of one of them, as codes: rows by their values, classes by their labels."""

    def __init__(
        self, roles: Roles, inside: Mapping[str, Any], control: Mapping[str, Any], copy: Mapping[str, Any]
    ) -> None:
        self._roles = roles
        self._fits: dict[str, BoolArray] = {}
        self._values: dict[str, tuple[IntArray, IntArray]] = {}
        self._labels: dict[str, IntArray] = {}
        self._inside, self._control, self._copy = inside, control, copy
        cut = len(next(iter(inside.values())))
        for name in (*roles.quasi, *roles.shown):
            values, codes = np.unique(np.concatenate([inside[name], control[name]]), return_inverse=True)
            labels, of_rows = np.unique(copy[name], return_inverse=True)
            self._values[name] = codes[:cut], codes[cut:]
            self._labels[name] = of_rows
            fits = fitting(labels, values) if name in roles.quasi else labels[:, None] == values[None, :]
            if len(of_rows) == cut:  # a name of a hierarchy says nothing by itself: what stands in its rows is in it
                fits[of_rows, codes[:cut]] |= name in roles.quasi
            self._fits[name] = fits

    @cached_property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(_SEED)

    def singling_out(self) -> Attack:
        """Try the rows of the copy that look like no other."""
        names = [*self._roles.quasi, *self._roles.shown]
        looks = np.stack([self._labels[name] for name in names], axis=1)
        _, first, seen = np.unique(looks, axis=0, return_index=True, return_counts=True)
        tried = self._some(first[seen == 1])
        hits = [int((self._matching(names, tried, side) == 1).sum()) for side in (0, 1)]
        return Attack(SINGLING_OUT, len(tried), hits[0], len(tried), hits[1])

    def _matching(self, names: Sequence[str], tried: IntArray, side: int) -> IntArray:
        """Return how many rows of a side each tried row of the copy describes."""
        found = []
        for start in range(0, len(tried), _CHUNK):
            part = tried[start : start + _CHUNK]
            alike = np.ones((len(part), len(self._values[names[0]][side])), dtype=bool)
            for name in names:
                alike &= self._fits[name][self._labels[name][part]][:, self._values[name][side]]
            found.append(alike.sum(axis=1))
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    def inference(self, sensitive: str) -> Attack:
        """Guess the sensitive value of people on both sides."""
        tries, hits = [], []
        for side in (0, 1):
            targets = self._some(np.arange(len(self._values[sensitive][side])))
            truth = self._values[sensitive][side][targets]
            tries.append(len(targets))
            hits.append(int((self._guessed(sensitive, targets, side) == truth).sum()))
        return Attack(INFERENCE, tries[0], hits[0], tries[1], hits[1])

    @cached_property
    def _classes(self) -> tuple[IntArray, IntArray]:
        """Return a row of each class of the copy, and the class of each row."""
        looks = np.stack([self._labels[name] for name in self._roles.quasi], axis=1)
        _, first, class_of = np.unique(looks, axis=0, return_index=True, return_inverse=True)
        return first, class_of.reshape(-1)

    def _guessed(self, sensitive: str, targets: IntArray, side: int) -> IntArray:
        """Return the guess for each target, as codes of the table's values; -1 for one that the table has not."""
        first, class_of = self._classes
        counts, value_of = self._shown(sensitive, class_of, len(first))
        guesses = []
        for start in range(0, len(targets), _CHUNK):
            misses = self._misses(targets[start : start + _CHUNK], side)
            best = misses == misses.min(axis=1, keepdims=True)
            guesses.append(value_of[(best @ counts).argmax(axis=1)])
        return np.concatenate(guesses) if guesses else np.empty(0, dtype=np.int64)

    def _shown(self, sensitive: str, group_of: IntArray, number: int) -> tuple[FloatArray, IntArray]:
        """Return how often groups of rows show each value, and its code in the table; -1 for one that it has not."""
        shown = self._labels[sensitive]
        counts = np.zeros((number, int(shown.max(initial=0)) + 1))
        np.add.at(counts, (group_of, shown), 1)
        exact = self._fits[sensitive]
        return counts, np.where(exact.any(axis=1), exact.argmax(axis=1), -1)

    def _misses(self, targets: IntArray, side: int) -> npt.NDArray[np.int16]:
        """Return in how many quasi-identifiers each class does not cover each target: (targets, classes)."""
        first, _ = self._classes
        misses = np.zeros((len(targets), len(first)), dtype=np.int16)
        for name in self._roles.quasi:
            misses += ~self._fits[name][self._labels[name][first]][:, self._values[name][side][targets]].T
        return misses

    def joined(self, pseudonym: str, sensitive: str) -> Attack:
        """Guess the sensitive value of people on both sides, of whom several rows are known, by the pseudonyms."""
        names, group_of = np.unique(self._copy[pseudonym], return_inverse=True)
        counts, value_of = self._shown(sensitive, group_of, len(names))
        counts[names == MISSING] = 0
        tries, hits = [], []
        for side, people in enumerate((self._inside[pseudonym], self._control[pseudonym])):
            truth, right = self._values[sensitive][side], 0
            known = self._rows_of(people)
            for rows in known:
                covered = self._covered(rows, side, group_of, len(names))
                covered[names == MISSING] = -1
                guess = value_of[int(((covered == covered.max()) @ counts).argmax())]
                right += int(guess == np.bincount(truth[rows]).argmax())
            tries.append(len(known))
            hits.append(right)
        return Attack(INFERENCE, tries[0], hits[0], tries[1], hits[1])

    def _rows_of(self, people: Any) -> list[IntArray]:
        """Return the known rows of some people of a side."""
        names, person_of = np.unique(people, return_inverse=True)
        by_person = np.split(np.argsort(person_of, kind="stable"), np.cumsum(np.bincount(person_of))[:-1])
        stated = np.flatnonzero(names != MISSING)
        chosen = stated if len(stated) <= MOST_JOINED else np.sort(self._rng.choice(stated, MOST_JOINED, replace=False))
        return [by_person[person][:MOST_KNOWN] for person in chosen.tolist()]

    def _covered(self, rows: IntArray, side: int, group_of: IntArray, number: int) -> IntArray:
        """Return how many rows of one person are each covered by a class in which a pseudonym has a row."""
        _, class_of = self._classes
        covered = np.zeros(number, dtype=np.int64)
        for fits in self._misses(rows, side) == 0:
            covered[np.unique(group_of[fits[class_of]])] += 1
        return covered

    def _some(self, places: IntArray) -> IntArray:
        if len(places) <= MOST_ATTACKS:
            return places
        return np.sort(self._rng.choice(places, MOST_ATTACKS, replace=False))
