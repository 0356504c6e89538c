"""Register of external tables: two officers decide which table, or columns, of another database may be read."""

from typing import Any

from django.conf import settings

from oversight.problems import ChangeRefused
from oversight.registers import Document, Register
from privacy.budgets import data_sets
from privacy.budgets.descriptors import OF_TABLES
from privacy.models import ExternalTable
from privacy.releases.inputs import sources

MOST_COLUMNS = 200
_FIXED = ("connection", "schema", "relation", "row_key")


def narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether no more is read after the change, and nothing else of it changes."""
    if before is None or after is None:
        return False
    is_less = set(after["columns"]) <= set(before["columns"]) and after["is_active"] <= before["is_active"]
    return is_less and after == {**before, "columns": after["columns"], "is_active": after["is_active"]}


def save(table: Any, _created: bool) -> None:
    """Save a table. Raises ChangeRefused."""
    refuse_unfit(table)
    table.save()


def refuse_unfit(table: ExternalTable) -> None:
    """Raise ChangeRefused for a table that could not be read, or not be compared with its earlier releases."""
    if table.slug in data_sets.known() or table.slug.startswith(OF_TABLES):
        raise ChangeRefused(f"“{table.slug}” names another data set, or the budget of uploaded tables.")
    if table.is_active and table.connection not in settings.EXTERNAL_DATABASES:
        known = ", ".join(sorted(settings.EXTERNAL_DATABASES)) or "none"
        raise ChangeRefused(f"The operator has named no database “{table.connection}”. There are: {known}.")
    _refuse_columns(table)
    before = ExternalTable.objects.filter(pk=table.pk).first()
    if before is not None and any(getattr(before, name) != getattr(table, name) for name in _FIXED):
        raise ChangeRefused("Database, table and key stay: releases of other rows could not be compared with earlier.")


def _refuse_columns(table: ExternalTable) -> None:
    if not 1 <= len(table.columns) <= MOST_COLUMNS:
        raise ChangeRefused(f"Name 1 to {MOST_COLUMNS} columns.")
    taken = [*table.columns, table.person, table.row_key]
    if twice := [name for name in table.columns if taken.count(name) > 1]:
        raise ChangeRefused(f"“{twice[0]}” is named twice.")
    if reserved := {sources.PERSON, sources.KEY} & set(table.columns):
        raise ChangeRefused(f"A release calls another column “{min(reserved)}”: rename this one in a view.")


EXTERNAL_TABLE = Register(
    name="external_table",
    title="External table",
    model=ExternalTable,
    key=("slug",),
    keeps=True,  # taken away and registered anew by another name, it would not be compared with earlier releases
    in_bundle=False,
    in_emergency=False,
    is_local=True,
    narrows=narrows,
    save=save,
)
