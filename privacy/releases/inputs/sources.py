"""Registered data sets as sources of releases: the rows of one moment, taken in as a table that was uploaded.

The register is that of the privacy budgets: what statistics may be computed of may leave as a table, too. PostgreSQL
streams the rows, one statement and one moment, in an order of their own. People whose processing is restricted are left
out. The column ``person`` names them, so k counts people; ``row`` is the row in the register, by which two releases of
different moments are compared.
"""

from collections.abc import Iterator

from django.db import connection

from privacy.budgets import data_sets
from privacy.budgets.data_sets import DataSet
from privacy.models import UploadedTable
from privacy.releases import uploads
from privacy.releases.problems import TableRefused
from privacy.releases.profiling import Role

KEY = "row"
_ROLES = {
    "person": (Role.PERSON, "The person, by the register of data sets."),
    KEY: (Role.DIRECT, "The row in the register: another release is compared by it."),
}
_RESTRICTED = "SELECT ref FROM consent_datasubject WHERE restricted OR limits <> '{}'::jsonb"


def known() -> list[DataSet]:
    """Return the data sets that a release can be made of."""
    return sorted(data_sets.known().values(), key=lambda each: each.title)


def take(name: str, *, actor: str, days: int = uploads.KEPT_DAYS) -> UploadedTable:
    """Take in the rows that a data set has now. Raises TableRefused."""
    found = data_sets.known().get(name)
    if found is None:
        raise TableRefused(f"There is no data set “{name}”. There are: {', '.join(sorted(data_sets.known()))}.")
    return uploads.take(f"{name}.csv", _rows(found), actor=actor, days=days, source=name, roles=_ROLES)


def _rows(data_set: DataSet) -> Iterator[bytes]:
    statement = (
        f"COPY (SELECT * FROM ({data_set.rows}) AS listed WHERE person NOT IN ({_RESTRICTED})"  # noqa: S608 (code)
        f" ORDER BY {KEY}) TO STDOUT (FORMAT csv, HEADER)"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        for part in copying:
            yield bytes(part)
