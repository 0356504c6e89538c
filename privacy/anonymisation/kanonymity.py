"""k-anonymity of tables: every released row looks like at least k - 1 others.

Sweeney, "k-anonymity: a model for protecting privacy", 2002; with l-diversity and t-closeness of sensitive columns.
``partition`` forms the classes. Pure functions of arrays: no files, no database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from privacy.anonymisation.describing import Description, describe
from privacy.anonymisation.errors import AnonymisationError, TooFewRows, TooLittleDiversity, UnknownColumn, quoted
from privacy.anonymisation.generalisation import Coded, Column, Domain, Hierarchy, IntArray, encode
from privacy.anonymisation.measuring.queries import Questions
from privacy.anonymisation.measuring.report import AnonymisationReport, report_on
from privacy.anonymisation.measuring.result import Part, Result, measure
from privacy.anonymisation.partition.conditions import Condition
from privacy.anonymisation.partition.items import Items, group_rows
from privacy.anonymisation.partition.method import SUPPRESSED, Goal, partition
from privacy.anonymisation.sensitive import Sensitive, combined, laid_out
from privacy.anonymisation.wish import Wish

SUPPRESSED_LABEL = "*"


@dataclass(frozen=True)
class Counted:
    """A table as its distinct combinations of quasi-identifiers, sensitive values and person, counted."""

    domains: Mapping[str, Domain]
    items: Items
    sensitive: Mapping[str, Sensitive] = field(default_factory=dict)


@dataclass(frozen=True)
class Anonymised:
    """The class of each row (SUPPRESSED for those left out), what each class is called, and the report."""

    classes: IntArray
    shown: Mapping[str, Description]
    report: AnonymisationReport

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Return the generalised columns in row order; a suppressed row has ``*`` in each."""
        return {
            name: np.append(each.labels, SUPPRESSED_LABEL)[label_codes(each, self.classes)]
            for name, each in self.shown.items()
        }


def label_codes(shown: Description, classes: IntArray) -> IntArray:
    """Return the label of each class or row; one past the last for what is suppressed."""
    return np.append(shown.label_of, len(shown.labels))[classes]


def anonymise(
    columns: Mapping[str, Column | Coded],
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
    wish.check(quasi_identifiers)
    _check_columns(columns, [*quasi_identifiers, *wish.roles])
    trees = hierarchies or {}
    encoded = {name: encode(name, columns[name], trees.get(name)) for name in (*quasi_identifiers, *wish.roles)}
    if wish.person is not None:
        check_people(wish.person, encoded[wish.person][0])
    first, item_of, rows = _grouped(list(encoded.values()))
    table = count(
        {name: (domain, codes[first]) for name, (domain, codes) in encoded.items()}, rows, quasi_identifiers, wish
    )
    result, classes = form_classes(table, wish)
    return Anonymised(classes[item_of], result.shown, report_on(result))


def count(
    encoded: Mapping[str, tuple[Domain, IntArray]], rows: IntArray, quasi_identifiers: Sequence[str], wish: Wish
) -> Counted:
    """Return a table from its distinct combinations: the domain of each column, codes, and the rows of each."""
    combination, sensitive = combined({name: encoded[name] for name in wish.sensitive_columns}, rows)
    items = Items(
        np.stack([encoded[name][1] for name in quasi_identifiers]),
        rows,
        combination,
        None if wish.person is None else encoded[wish.person][1],
        *laid_out(sensitive),
    )
    return Counted({name: encoded[name][0] for name in quasi_identifiers}, items, sensitive)


def form_classes(table: Counted, wish: Wish) -> tuple[Result, IntArray]:
    """Form the classes of a counted table and name them; return what was measured, and the class of each item.

    Raises TooFewRows or TooLittleDiversity.
    """
    questions = Questions(table.domains, len(table.items))
    part, classes = form_part(table, wish, questions)
    return Result(
        **vars(part), wish=wish, domains=table.domains, sensitive=table.sensitive, questions=questions
    ), classes


def form_part(table: Counted, wish: Wish, questions: Questions) -> tuple[Part, IntArray]:
    """Do the same with a part of a table, whose domains and sensitive columns are those of the whole."""
    conditions = conditions_of(wish, table.sensitive)
    items, item_of = table.items, np.arange(len(table.items))
    if not conditions and items.sensitive is not None:
        items, item_of = _without_sensitive(items, list(table.domains.values()))
    _check_feasible(items, wish, table.sensitive)
    classes = partition(items, list(table.domains.values()), goal_of(table, wish))
    shown, classes = _described(items, classes, table.domains)
    of_item = classes[item_of]
    return measure(table.items, of_item, shown, table.domains, table.sensitive, questions), of_item


def goal_of(table: Counted, wish: Wish) -> Goal:
    """Return what every class of a table, or of a part of it, has to be."""
    return Goal(
        k=wish.k,
        weights=[wish.weights.get(name, 1.0) for name in table.domains],
        conditions=conditions_of(wish, table.sensitive),
        suppressible=int(wish.suppress * int(table.items.rows.sum())),
        fast=wish.fast,
    )


def check_people(name: str, domain: Domain) -> None:
    """Refuse a column of the person that is empty in some rows: each would count as the same person."""
    if domain.missing >= 0:
        raise AnonymisationError(f"'{name}' names the person, but is empty in some rows.")


def smallest_class(columns: Mapping[str, Column], quasi_identifiers: Sequence[str]) -> int:
    """Return the k of a table: the size of its smallest set of equal rows; 0 for an empty table."""
    _check_columns(columns, quasi_identifiers)
    if len(columns[quasi_identifiers[0]]) == 0:
        return 0
    _, _, rows = _grouped([encode(name, columns[name]) for name in quasi_identifiers])
    return int(rows.min())


def conditions_of(wish: Wish, sensitive: Mapping[str, Sensitive]) -> list[Condition]:
    """Return the conditions on the sensitive columns; none where they are only measured."""
    return [condition for column in sensitive.values() for condition in column.conditions(wish)]


def _check_columns(columns: Mapping[str, Column | Coded], names: Sequence[str]) -> None:
    if not names or len(set(names)) != len(names):
        raise AnonymisationError("Name at least one quasi-identifier, and each only once.")
    absent = [name for name in names if name not in columns]
    if absent:
        raise UnknownColumn(f"No column {quoted(absent)}; there are {quoted(columns)}.")
    if len({len(columns[name]) for name in names}) != 1:
        raise AnonymisationError("The columns differ in length.")


def _check_feasible(items: Items, wish: Wish, sensitive: Mapping[str, Sensitive]) -> None:
    whole = np.zeros(len(items), dtype=np.int64)
    people = int(items.people_in(whole, 1)[0]) if len(items) else 0
    if people < wish.k:
        counted = "rows" if wish.person is None else "people"
        raise TooFewRows(f"The table has {people} {counted}; k={wish.k} needs at least as many.")
    for name, column in sensitive.items():
        if not all(condition.holds(items.values_of(whole, 1))[0] for condition in column.conditions(wish)):
            raise TooLittleDiversity(
                f"'{name}' has too few distinct values, or too unequal ones, in the table as a whole "
                f"for l={wish.l} ({wish.diversity})."
            )


def _grouped(encoded: Sequence[tuple[Domain, IntArray]]) -> tuple[IntArray, IntArray, IntArray]:
    return group_rows([codes for _, codes in encoded], [domain.size for domain, _ in encoded])


def _without_sensitive(items: Items, domains: Sequence[Domain]) -> tuple[Items, IntArray]:
    """Count together what differs in the sensitive value only: the items, and which of them each had become."""
    keys, sizes = list(items.codes), [domain.size for domain in domains]
    if items.person is not None:
        keys.append(items.person)
        sizes.append(int(items.person.max(initial=0)) + 1)
    first, item_of, _ = group_rows(keys, sizes)
    rows = np.bincount(item_of, weights=items.rows).astype(np.int64)
    person = None if items.person is None else items.person[first]
    return Items(items.codes[:, first], rows, None, person), item_of


def _described(
    items: Items, classes: IntArray, domains: Mapping[str, Domain]
) -> tuple[dict[str, Description], IntArray]:
    """Describe the classes; those with equal labels are one to a reader of them, so they become one."""
    kept = classes != SUPPRESSED
    number = int(classes.max(initial=-1)) + 1
    shown = [
        describe(domain, codes[kept], classes[kept], number)
        for domain, codes in zip(domains.values(), items.codes, strict=True)
    ]
    first, same, _ = group_rows([each.label_of for each in shown], [max(len(each.labels), 1) for each in shown])
    rows = np.bincount(classes[kept], weights=items.rows[kept], minlength=number)
    merged = dict(zip(domains, (each.joined(first, same, rows) for each in shown), strict=True))
    return merged, np.append(same, SUPPRESSED)[classes]
