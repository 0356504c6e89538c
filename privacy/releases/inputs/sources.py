"""Registered data sets as sources of releases: the rows of one moment, taken in as a table that was uploaded.

There are two registers: that of the privacy budgets, as what statistics may be computed of may leave as a table, too;
and that of tables of other databases (``external``). PostgreSQL streams the rows, one statement and one moment, in an
order of their own. People whose processing is restricted are left out. The column ``person`` names them, so k counts
people; ``row`` is the row in the register, by which two releases of different moments are compared.
"""

from collections.abc import Generator
from contextlib import closing

from django.db import connection

from privacy.budgets import data_sets
from privacy.budgets.data_sets import DataSet
from privacy.models import ExternalTable, UploadedTable
from privacy.releases import uploads
from privacy.releases.inputs import external
from privacy.releases.problems import TableRefused
from privacy.releases.profiling import Role

KEY, PERSON = "row", "person"
_ROLES = {
    PERSON: (Role.PERSON, "The person, by the register of data sets."),
    KEY: (Role.DIRECT, "The row in the register: another release is compared by it."),
}


def known() -> dict[str, str]:
    """Return the titles of the data sets that a release can be made of, by their names."""
    found = {name: each.title for name, each in data_sets.known().items()}
    found |= ExternalTable.objects.filter(is_active=True).values_list("slug", "title")
    return dict(sorted(found.items(), key=lambda each: each[1]))


def take(name: str, *, actor: str, days: int = uploads.KEPT_DAYS) -> UploadedTable:
    """Take in the rows that a data set has now. Raises TableRefused."""
    with closing(_rows(name)) as rows:
        return uploads.take(f"{name}.csv", rows, actor=actor, days=days, source=name, roles=_ROLES)


def _rows(name: str) -> Generator[bytes]:
    if name in data_sets.known():
        return _own_rows(data_sets.known()[name])
    table = ExternalTable.objects.filter(slug=name, is_active=True).first()
    if table is None:
        raise TableRefused(f"There is no data set “{name}”. There are: {', '.join(sorted(known()))}.")
    return external.rows(table)


def _own_rows(data_set: DataSet) -> Generator[bytes]:
    statement = (
        f"COPY (SELECT * FROM ({data_set.rows}) AS listed WHERE {PERSON} NOT IN ({external.RESTRICTED})"  # noqa: S608 (code)
        f" ORDER BY {KEY}) TO STDOUT (FORMAT csv, HEADER)"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        for part in copying:
            yield bytes(part)
