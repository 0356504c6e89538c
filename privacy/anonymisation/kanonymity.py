"""k-anonymity of tables: every released row looks like at least k - 1 others.

Sweeney, "k-anonymity: a model for protecting privacy", 2002; with l-diversity and t-closeness on one sensitive column.
``partition`` forms the classes. Pure functions of arrays: no files, no database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from privacy.anonymisation.describing import Description, describe
from privacy.anonymisation.generalisation import (
    MISSING,
    AnonymisationError,
    Column,
    Domain,
    Hierarchy,
    IntArray,
    encode,
)
from privacy.anonymisation.partition.conditions import (
    Closeness,
    Condition,
    DistinctDiversity,
    EntropyDiversity,
    RecursiveDiversity,
)
from privacy.anonymisation.partition.items import Items, group_rows
from privacy.anonymisation.partition.method import SUPPRESSED, Goal, partition

Diversity = Literal["distinct", "entropy", "recursive"]


class TooFewRows(AnonymisationError):
    """Refusal of a table with fewer than k rows: no generalisation of it is k-anonymous."""


class TooLittleDiversity(AnonymisationError):
    """Refusal of a sensitive column with fewer than l distinct values in the whole table."""


class UnknownColumn(AnonymisationError):
    """Refusal of a column that does not exist; the message lists those that do."""


@dataclass(frozen=True)
class Wish:
    """What an anonymised table has to be.

    ``l`` counts the sensitive values of a class as ``diversity`` says; ``recursive_c`` is the factor of recursive
    (c, l)-diversity. ``t`` limits the distance of their shares from those of the whole table. ``person`` names the
    column by which k counts people instead of rows. ``suppress`` is the share of rows that may be left out where
    keeping them would cost the others too much. ``weights`` say what losses of quasi-identifiers count (1 each).
    ``fast`` takes a quicker method with a greater loss where only k is asked for.
    """

    k: int
    sensitive: str | None = None
    l: int = 1  # noqa: E741 - the literature's name
    diversity: Diversity = "distinct"
    recursive_c: float = 3.0
    t: float | None = None
    person: str | None = None
    suppress: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)
    fast: bool = False


@dataclass(frozen=True)
class AnonymisationReport:
    """Parameters of an anonymisation and the measures of its result.

    ``ncp`` is the normalised certainty penalty, averaged over all cells of the quasi-identifiers: 0 nothing lost, 1
    everything; a suppressed row loses everything. ``discernibility`` is the sum of squared class sizes (Bayardo and
    Agrawal 2005). ``smallest_class`` counts people where a column names the person. ``fewest_sensitive`` is the least
    number of distinct sensitive values in a class and ``furthest`` the greatest distance of their shares from the whole
    table's, None without a sensitive column; a missing value counts as no value, but has a share.
    ``generalised_as`` says range, set or hierarchy for each quasi-identifier, ``loss`` its part of the penalty.
    """

    k: int
    l: int  # noqa: E741 - the literature's name
    t: float | None
    smallest_class: int
    fewest_sensitive: int | None
    furthest: float | None
    classes: int
    rows: int
    suppressed: int
    ncp: float
    discernibility: int
    generalised_as: Mapping[str, str]
    loss: Mapping[str, float]


@dataclass(frozen=True)
class Anonymised:
    """The class of each row (SUPPRESSED for those left out), the generalised columns in row order, and the report.

    A suppressed row has ``*`` in each generalised column.
    """

    classes: IntArray
    columns: Mapping[str, Column]
    report: AnonymisationReport


def anonymise(
    columns: Mapping[str, Column],
    quasi_identifiers: Sequence[str],
    wish: Wish,
    *,
    hierarchies: Mapping[str, Hierarchy] | None = None,
) -> Anonymised:
    """Generalise ``quasi_identifiers`` until every class is what ``wish`` says.

    ``columns`` maps names to arrays of equal length; only the quasi-identifiers, the sensitive column and that of the
    person are read. The order of the rows has no influence on the classes.

    Raises TooFewRows, TooLittleDiversity, UnknownColumn, UnusableColumn or BadHierarchy, and AnonymisationError if the
    question itself makes no sense; never returns a weaker result.
    """
    _check_question(columns, quasi_identifiers, wish)
    named = hierarchies or {}
    encoded = [encode(name, columns[name], named.get(name)) for name in quasi_identifiers]
    domains = [domain for domain, _ in encoded]
    sensitive = None if wish.sensitive is None else encode(wish.sensitive, columns[wish.sensitive])
    person = None if wish.person is None else _people(wish.person, columns[wish.person])
    conditions = _conditions(wish, sensitive)
    items, item_of = _grouped(encoded, sensitive if conditions else None, person)
    _check_feasible(items, wish, conditions)
    goal = Goal(
        k=wish.k,
        weights=[wish.weights.get(name, 1.0) for name in quasi_identifiers],
        conditions=conditions,
        suppressible=int(wish.suppress * len(item_of)),
        fast=wish.fast,
    )
    classes = partition(items, domains, goal)
    shown, classes = _described(items, classes, domains)
    generalised = {
        name: np.append(each.labels[each.label_of], "*")[classes][item_of]
        for name, each in zip(quasi_identifiers, shown, strict=True)
    }
    report = _report(items, classes, dict(zip(quasi_identifiers, shown, strict=True)), wish)
    kinds = {name: domain.kind for name, domain in zip(quasi_identifiers, domains, strict=True)}
    of_row = classes[item_of]
    if sensitive is not None:
        report |= _sensitive_measures(of_row, sensitive)
    return Anonymised(of_row, generalised, AnonymisationReport(**report, generalised_as=kinds))


def smallest_class(columns: Mapping[str, Column], quasi_identifiers: Sequence[str]) -> int:
    """Return the k of a table: the size of its smallest set of equal rows; 0 for an empty table."""
    _check_columns(columns, quasi_identifiers)
    if len(columns[quasi_identifiers[0]]) == 0:
        return 0
    items, _ = _grouped([encode(name, columns[name]) for name in quasi_identifiers])
    return int(items.rows.min())


def _check_question(columns: Mapping[str, Column], quasi_identifiers: Sequence[str], wish: Wish) -> None:
    if wish.k < 2:
        raise AnonymisationError(f"k must be at least 2, not {wish.k}: a class of one row hides no one.")
    if wish.l < 1 or ((wish.l > 1 or wish.t is not None) and wish.sensitive is None):
        raise AnonymisationError(f"l={wish.l} and t need a sensitive column; l is 1 or more.")
    if wish.t is not None and not 0 <= wish.t <= 1:
        raise AnonymisationError(f"t must be between 0 and 1, not {wish.t}.")
    if not 0 <= wish.suppress < 1:
        raise AnonymisationError(f"The share of rows to suppress must be at least 0 and below 1, not {wish.suppress}.")
    strange = [name for name, weight in wish.weights.items() if name not in quasi_identifiers or not weight > 0]
    if strange:
        raise AnonymisationError(f"A weight needs a quasi-identifier and a number above 0, unlike {quoted(strange)}.")
    _check_columns(columns, quasi_identifiers)
    for role, name in (("sensitive", wish.sensitive), ("the person's", wish.person)):
        if name in quasi_identifiers:
            raise AnonymisationError(f"'{name}' cannot be both {role} and a quasi-identifier.")
        if name is not None:
            _check_columns(columns, [quasi_identifiers[0], name])


def _conditions(wish: Wish, sensitive: tuple[Domain, IntArray] | None) -> list[Condition]:
    """Return the conditions on the sensitive column; none where it is only measured."""
    found: list[Condition] = []
    if sensitive is None:
        return found
    domain, codes = sensitive
    unstated = _code_of_missing(domain)
    if wish.l > 1 and wish.diversity == "distinct":
        found.append(DistinctDiversity(wish.l, unstated))
    elif wish.l > 1 and wish.diversity == "entropy":
        found.append(EntropyDiversity(wish.l, unstated))
    elif wish.l > 1:
        found.append(RecursiveDiversity(wish.recursive_c, wish.l, unstated))
    if wish.t is not None:
        found.append(Closeness(wish.t, np.bincount(codes, minlength=domain.size)))
    return found


def _people(name: str, column: Column) -> IntArray:
    """Number the people of a column. A row without a person's name would count as one more: refused."""
    domain, codes = encode(name, column)
    if _code_of_missing(domain) >= 0:
        raise AnonymisationError(f"'{name}' names the person, but is empty in some rows.")
    return codes


def _check_columns(columns: Mapping[str, Column], names: Sequence[str]) -> None:
    if not names or len(set(names)) != len(names):
        raise AnonymisationError("Name at least one quasi-identifier, and each only once.")
    absent = [name for name in names if name not in columns]
    if absent:
        raise UnknownColumn(f"No column {quoted(absent)}; there are {quoted(columns)}.")
    if len({len(columns[name]) for name in names}) != 1:
        raise AnonymisationError("The columns differ in length.")


def _check_feasible(items: Items, wish: Wish, conditions: Sequence[Condition]) -> None:
    whole = np.zeros(len(items), dtype=np.int64)
    people = int(items.people_in(whole, 1)[0]) if len(items) else 0
    if people < wish.k:
        counted = "rows" if wish.person is None else "people"
        raise TooFewRows(f"The table has {people} {counted}; k={wish.k} needs at least as many.")
    for condition in conditions:
        if not condition.holds(items.values_of(whole, 1))[0]:
            raise TooLittleDiversity(f"The sensitive column has too few distinct values for l={wish.l}.")


def _grouped(
    encoded: Sequence[tuple[Domain, IntArray]],
    sensitive: tuple[Domain, IntArray] | None = None,
    person: IntArray | None = None,
) -> tuple[Items, IntArray]:
    """Group equal rows: the items, and the item of each row."""
    keys = [(codes, domain.size) for domain, codes in encoded]
    if sensitive is not None:
        keys.append((sensitive[1], sensitive[0].size))
    if person is not None:
        keys.append((person, int(person.max(initial=0)) + 1))
    first, item_of, rows = group_rows([codes for codes, _ in keys], [size for _, size in keys])
    items = Items(
        np.stack([codes[first] for _, codes in encoded]),
        rows,
        None if sensitive is None else sensitive[1][first],
        None if person is None else person[first],
        0 if sensitive is None else sensitive[0].size,
    )
    return items, item_of


def _code_of_missing(domain: Domain) -> int:
    """Return the code that stands for a missing value; -1 where none is missing."""
    return next((code for code in range(domain.size) if domain.label(np.array([code])) == MISSING), -1)


def _described(
    items: Items, classes: IntArray, domains: Sequence[Domain]
) -> tuple[list[Description], IntArray]:
    """Describe the classes; those with equal labels are one to whoever reads them, so they become one."""
    kept = classes != SUPPRESSED
    number = int(classes.max(initial=-1)) + 1
    shown = [
        describe(domain, codes[kept], classes[kept], number) for domain, codes in zip(domains, items.codes, strict=True)
    ]
    first, same, _ = group_rows([each.label_of for each in shown], [len(each.labels) for each in shown])
    merged = [Description(each.labels, each.label_of[first], each.loss[first]) for each in shown]
    return merged, np.append(same, SUPPRESSED)[classes]


def _report(items: Items, classes: IntArray, shown: Mapping[str, Description], wish: Wish) -> dict[str, Any]:
    kept = classes != SUPPRESSED
    number = int(classes.max(initial=-1)) + 1
    of_kept = items.take(np.flatnonzero(kept))
    rows = np.bincount(classes[kept], weights=of_kept.rows, minlength=number).astype(np.int64)
    total, suppressed = int(items.rows.sum()), int(items.rows[~kept].sum())
    loss = {name: float((each.loss @ rows + suppressed) / total) for name, each in shown.items()}
    return {
        "k": wish.k,
        "l": wish.l,
        "t": wish.t,
        "smallest_class": int(of_kept.people_in(classes[kept], number).min(initial=total)),
        "fewest_sensitive": None,
        "furthest": None,
        "classes": number,
        "rows": total,
        "suppressed": suppressed,
        "ncp": sum(loss.values()) / len(loss),
        "discernibility": int((rows**2).sum()) + suppressed * total,
        "loss": loss,
    }


def _sensitive_measures(classes: IntArray, sensitive: tuple[Domain, IntArray]) -> dict[str, Any]:
    """Return the least diversity and the greatest distance of any class."""
    domain, codes = sensitive
    kept = classes != SUPPRESSED
    number = int(classes.max(initial=-1)) + 1
    cells = np.bincount(classes[kept] * domain.size + codes[kept], minlength=number * domain.size)
    counts = cells.reshape(number, domain.size)
    stated = np.delete(counts, [code for code in [_code_of_missing(domain)] if code >= 0], axis=1)
    whole = np.bincount(codes, minlength=domain.size)
    return {
        "fewest_sensitive": int((stated > 0).sum(axis=1).min(initial=domain.size)),
        "furthest": float(Closeness(1.0, whole).distance(counts).max(initial=0.0)),
    }


def quoted(names: Iterable[str]) -> str:
    """List column names for a message: ``'age', 'sex'``."""
    return ", ".join(f"'{name}'" for name in names)
