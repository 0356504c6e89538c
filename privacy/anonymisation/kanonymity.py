"""k-anonymity of tables: every released row looks like at least k - 1 others.

Sweeney, "k-anonymity: a model for protecting privacy", 2002; partitioned by strict Mondrian.
Pure functions of arrays: no files, no database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from privacy.anonymisation import mondrian
from privacy.anonymisation.generalisation import (
    MISSING,
    AnonymisationError,
    Column,
    Domain,
    FloatArray,
    Hierarchy,
    IntArray,
    encode,
)


class TooFewRows(AnonymisationError):
    """Refusal of a table with fewer than k rows: no generalisation of it is k-anonymous."""


class TooLittleDiversity(AnonymisationError):
    """Refusal of a sensitive column with fewer than l distinct values in the whole table."""


class UnknownColumn(AnonymisationError):
    """Refusal of a column that does not exist; the message lists those that do."""


@dataclass(frozen=True)
class AnonymisationReport:
    """Parameters of an anonymisation and the measures of its result.

    ``ncp`` is the normalised certainty penalty, averaged over all cells of the quasi-identifiers: 0 nothing
    lost, 1 everything. ``discernibility`` is the sum of squared class sizes (Bayardo and Agrawal 2005).
    ``fewest_sensitive`` is the least number of distinct sensitive values in a class, None without a sensitive
    column; a missing value is none. ``generalised_as`` says range, set or hierarchy for each quasi-identifier.
    """

    k: int
    l: int  # noqa: E741 - the literature's name
    smallest_class: int
    fewest_sensitive: int | None
    classes: int
    rows: int
    suppressed: int
    ncp: float
    discernibility: int
    generalised_as: Mapping[str, str]


@dataclass(frozen=True)
class Anonymised:
    """The class of each row (0..classes-1), the generalised text columns in row order, and the report."""

    classes: IntArray
    columns: Mapping[str, Column]
    report: AnonymisationReport


def anonymise(
    columns: Mapping[str, Column],
    quasi_identifiers: Sequence[str],
    k: int,
    sensitive: str | None = None,
    l: int = 1,  # noqa: E741 - the literature's name
    *,
    hierarchies: Mapping[str, Hierarchy] | None = None,
) -> Anonymised:
    """Generalise ``quasi_identifiers`` until every class has ``k`` rows and ``l`` distinct sensitive values.

    ``columns`` maps names to arrays of equal length; only the quasi-identifiers and ``sensitive`` are read.
    No row is suppressed. The order of the rows has no influence on the classes.

    Raises TooFewRows, TooLittleDiversity, UnknownColumn, UnusableColumn or BadHierarchy, and
    AnonymisationError if the question itself makes no sense; never returns a weaker result.
    """
    _check_question(columns, quasi_identifiers, k=k, sensitive=sensitive, least=l)
    named = hierarchies or {}
    encoded = [encode(name, columns[name], named.get(name)) for name in quasi_identifiers]
    domains = [domain for domain, _ in encoded]
    groups, group_of = _grouped(encoded, None if sensitive is None else encode(sensitive, columns[sensitive]))
    _check_feasible(groups, k=k, least=l)
    tests = [mondrian.at_least_k(k)] + ([mondrian.distinct_l(l)] if l > 1 else [])
    classes = mondrian.partition(groups, domains, tests)
    texts, losses = _generalised(groups, classes, domains)
    generalised = {name: text[classes][group_of] for name, text in zip(quasi_identifiers, texts, strict=True)}
    kinds = {name: domain.kind for name, domain in zip(quasi_identifiers, domains, strict=True)}
    return Anonymised(classes[group_of], generalised, _report(groups, classes, losses, kinds, k=k, least=l))


def smallest_class(columns: Mapping[str, Column], quasi_identifiers: Sequence[str]) -> int:
    """Return the k of a table: the size of its smallest set of equal rows; 0 for an empty table."""
    _check_columns(columns, quasi_identifiers)
    if len(columns[quasi_identifiers[0]]) == 0:
        return 0
    groups, _ = _grouped([encode(name, columns[name]) for name in quasi_identifiers], None)
    return int(groups.counts.min())


def _check_question(
    columns: Mapping[str, Column],
    quasi_identifiers: Sequence[str],
    *,
    k: int,
    sensitive: str | None,
    least: int,
) -> None:
    if k < 2:
        raise AnonymisationError(f"k must be at least 2, not {k}: a class of one row hides nobody.")
    if least < 1 or (least > 1 and sensitive is None):
        raise AnonymisationError(f"l={least} needs to be 1, or more together with a sensitive column.")
    if sensitive in quasi_identifiers:
        raise AnonymisationError(f"'{sensitive}' cannot be both sensitive and a quasi-identifier.")
    _check_columns(columns, quasi_identifiers)
    if sensitive is not None:
        _check_columns(columns, [quasi_identifiers[0], sensitive])


def _check_columns(columns: Mapping[str, Column], names: Sequence[str]) -> None:
    if not names or len(set(names)) != len(names):
        raise AnonymisationError("Name at least one quasi-identifier, and each only once.")
    absent = [name for name in names if name not in columns]
    if absent:
        raise UnknownColumn(f"No column {quoted(absent)}; there are {quoted(columns)}.")
    if len({len(columns[name]) for name in names}) != 1:
        raise AnonymisationError("The columns differ in length.")


def _check_feasible(groups: mondrian.Groups, *, k: int, least: int) -> None:
    rows = int(groups.counts.sum())
    if rows < k:
        raise TooFewRows(f"The table has {rows} rows; k={k} needs at least as many.")
    if groups.sensitive is not None and least > 1:
        whole = mondrian.distinct_sensitive(groups, np.zeros_like(groups.counts), 1)
        if int(whole[0]) < least:
            raise TooLittleDiversity(f"The sensitive column has fewer than l={least} distinct values.")


def _grouped(
    encoded: Sequence[tuple[Domain, IntArray]], sensitive: tuple[Domain, IntArray] | None
) -> tuple[mondrian.Groups, IntArray]:
    """Group equal rows: the groups, and the group of each row."""
    keys = [*encoded, *([] if sensitive is None else [sensitive])]
    first, group_of, counts = mondrian.group_rows([codes for _, codes in keys], [domain.size for domain, _ in keys])
    codes = np.stack([codes[first] for _, codes in encoded])
    if sensitive is None:
        return mondrian.Groups(codes, counts), group_of
    domain, values = sensitive
    return mondrian.Groups(codes, counts, values[first], _code_of_missing(domain)), group_of


def _code_of_missing(domain: Domain) -> int:
    """Return the code that stands for a missing value; -1 where none is missing."""
    return next((code for code in range(domain.size) if domain.label(np.array([code])) == MISSING), -1)


def _generalised(
    groups: mondrian.Groups, classes: IntArray, domains: Sequence[Domain]
) -> tuple[list[Column], list[FloatArray]]:
    """Describe every class once per quasi-identifier: its label, and the information it loses."""
    texts, losses = [], []
    for domain, codes in zip(domains, groups.codes, strict=True):
        present = np.unique(classes * domain.size + codes)
        starts = np.flatnonzero(np.diff(present // domain.size, prepend=-1))
        members = np.split(present % domain.size, starts[1:])
        texts.append(np.array([domain.label(member) for member in members], dtype=object))
        losses.append(np.array([domain.loss(member) for member in members], dtype=np.float64))
    return texts, losses


def _report(
    groups: mondrian.Groups,
    classes: IntArray,
    losses: Sequence[FloatArray],
    kinds: Mapping[str, str],
    *,
    k: int,
    least: int,
) -> AnonymisationReport:
    number = int(classes.max()) + 1
    sizes = mondrian.class_sizes(groups, classes, number)
    rows = int(sizes.sum())
    has_sensitive = groups.sensitive is not None
    return AnonymisationReport(
        k=k,
        l=least,
        smallest_class=int(sizes.min()),
        fewest_sensitive=int(mondrian.distinct_sensitive(groups, classes, number).min()) if has_sensitive else None,
        classes=number,
        rows=rows,
        suppressed=0,
        ncp=float(sum(loss @ sizes for loss in losses) / (rows * len(losses))),
        discernibility=int((sizes**2).sum()),
        generalised_as=kinds,
    )


def quoted(names: Iterable[str]) -> str:
    """List column names for a message: ``'age', 'sex'``."""
    return ", ".join(f"'{name}'" for name in names)
