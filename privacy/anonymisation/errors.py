"""Refusals: why a table is not anonymised, in a sentence with the way out. Nothing weaker is produced instead."""

from collections.abc import Iterable


class AnonymisationError(ValueError):
    """Failure to anonymise as requested; nothing weaker is produced instead."""


class UnusableColumn(AnonymisationError):
    """Refusal of a column with values that have no place in a domain (NaN, infinity, an unsupported type)."""


class BadHierarchy(AnonymisationError):
    """Refusal of a generalisation hierarchy that is not a tree, or does not cover its column."""


class TooFewRows(AnonymisationError):
    """Refusal of a table with fewer than k rows: no generalisation of it is k-anonymous."""


class TooLittleDiversity(AnonymisationError):
    """Refusal of a sensitive column whose values are too few or too unequal in the table as a whole."""


class UnknownColumn(AnonymisationError):
    """Refusal of a column that does not exist; the message lists those that do."""


class UnusableTable(AnonymisationError):
    """Refusal of a file that is not a readable table, or may not be written where asked."""


def quoted(names: Iterable[str]) -> str:
    """List column names for a message: ``'age', 'sex'``."""
    return ", ".join(f"'{name}'" for name in names)
