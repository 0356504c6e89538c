"""Classes as they were formed: what the measures of loss and risk are taken from.

A table is measured part by part where its combinations outgrow the memory; what is kept grows with the classes alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from privacy.anonymisation.describing import Description, appended
from privacy.anonymisation.generalisation import Domain, IntArray
from privacy.anonymisation.measuring.queries import QueryError, Questions
from privacy.anonymisation.partition.items import Items, group_rows
from privacy.anonymisation.partition.method import SUPPRESSED
from privacy.anonymisation.sensitive import Sensitive
from privacy.anonymisation.wish import Wish


@dataclass(frozen=True)
class Spread:
    """How the values of a sensitive column lie in classes: the fewest distinct ones, and the greatest distance."""

    fewest: int
    furthest: float


@dataclass(frozen=True)
class Part:
    """Classes of a part of a table, or of all of it: what is published of each, and what was counted.

    ``rows`` and ``people`` have one entry a class; people are rows where no column names them. ``total`` and ``unique``
    are rows, the latter those that had quasi-identifiers of their own. ``truths`` counts the rows that each question is
    about, where it is called: that takes as long as forming classes fast.
    """

    shown: Mapping[str, Description]
    rows: IntArray
    people: IntArray
    total: int
    unique: int
    spreads: Mapping[str, Spread]
    truths: Callable[[], IntArray]


@dataclass(frozen=True)
class Result(Part):
    """The same of the whole table, with what was asked of it."""

    wish: Wish
    domains: Mapping[str, Domain]
    sensitive: Mapping[str, Sensitive]
    questions: Questions

    @property
    def number(self) -> int:
        """Return how many classes there are."""
        return len(self.rows)

    @property
    def suppressed(self) -> int:
        """Return the rows that are left out."""
        return self.total - int(self.rows.sum())

    @property
    def query_error(self) -> QueryError:
        """Return how far counts that are asked of the copy are off."""
        return self.questions.error(self.truths(), self.shown, self.rows, self.total)


def measure(
    items: Items,
    classes: IntArray,
    shown: Mapping[str, Description],
    domains: Mapping[str, Domain],
    sensitive: Mapping[str, Sensitive],
    questions: Questions,
) -> Part:
    """Count a part by the class of each of its items, SUPPRESSED for those that are left out."""
    kept = classes != SUPPRESSED
    published, of_class = (items, classes) if kept.all() else (items.take(kept), classes[kept])
    number = int(classes.max(initial=-1)) + 1
    rows = np.bincount(of_class, weights=published.rows, minlength=number).astype(np.int64)
    _, tuple_of, _ = group_rows(list(items.codes), [domain.size for domain in domains.values()])
    values = published.values_of(of_class, number) if sensitive else np.zeros((number, 0), dtype=np.int64)
    return Part(
        shown,
        rows,
        published.people_in(of_class, number),
        int(items.rows.sum()),
        int((np.bincount(tuple_of, weights=items.rows) == 1).sum()),
        {name: _spread(column, column.counts(values)) for name, column in sensitive.items()},
        partial(questions.truths, items),
    )


def _spread(column: Sensitive, counts: IntArray) -> Spread:
    fewest = distinct_values(counts, column.domain.missing).min(initial=column.domain.size)
    return Spread(int(fewest), float(column.closeness.distance(counts).max(initial=0.0)))


def distinct_values(counts: IntArray, missing: int) -> IntArray:
    """Return how many stated values each class holds."""
    stated = np.delete(counts, missing, axis=1) if missing >= 0 else counts
    number: IntArray = (stated > 0).sum(axis=1)
    return number


def let_go(part: Part) -> Part:
    """Return a part with its truths counted, which no longer holds its items."""
    truths = part.truths()
    return replace(part, truths=lambda: truths)


def assembled(parts: Sequence[Part]) -> tuple[Part, list[IntArray]]:
    """Return several parts as one, and which class of it each class of each part is.

    Classes of two parts that read the same are one to a reader. Who is in both of them is not known any more: the
    people of the larger count, and what was measured of sensitive values stands for the union, which is no further
    from the table and has no fewer values.
    """
    shown = {name: appended([part.shown[name] for part in parts]) for name in parts[0].shown}
    rows, people = (np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "people"))
    first, same, _ = group_rows(
        [each.label_of for each in shown.values()], [len(each.labels) for each in shown.values()]
    )
    most = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(most, same, people)
    whole = Part(
        {name: each.joined(first, same, rows) for name, each in shown.items()},
        np.bincount(same, weights=rows, minlength=len(first)).astype(np.int64),
        most,
        sum(part.total for part in parts),
        sum(part.unique for part in parts),
        {
            name: Spread(
                min(part.spreads[name].fewest for part in parts), max(part.spreads[name].furthest for part in parts)
            )
            for name in parts[0].spreads
        },
        lambda: np.sum([part.truths() for part in parts], axis=0),
    )
    ends = np.cumsum([len(part.rows) for part in parts])
    return whole, np.split(same, ends[:-1])
