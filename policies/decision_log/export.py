"""Export the decision log: JSON lines as logged, CSV, or Parquet."""

from datetime import datetime
from typing import IO

from django.db import connection

from common.identifiers import uuid7_floor
from consent.exporting import AS_IT_IS
from policies.decision_log import parquet

_COLUMNS = """id, to_char(decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS decided_at, outcome, level,
 action, purpose, array_to_string(reasons, ' ') AS reasons, caller, bundle_revision,
 encode(subject_tag, 'hex') AS subject, batch_id AS batch, position"""
_PARQUET: dict[str, tuple[str, parquet.Kind]] = {
    "id": ("id::text", "text"),
    "decided_at": ("decided_at", "moment"),
    **{name: (name, "text") for name in ("outcome", "level", "action", "purpose")},
    "reasons": ("reasons", "texts"),
    "caller": ("caller", "text"),
    "bundle_revision": ("bundle_revision", "text"),
    "subject": ("encode(subject_tag, 'hex')", "text"),
    "batch": ("batch_id", "number"),
    "position": ("position", "number"),
}
# Of a day that leaves the log: the entries as they were written as well, so that their digests can be recomputed.
ARCHIVE: parquet.Columns = {**_PARQUET, "entry": ("entry", "text")}
FORMATS = ("jsonl", "csv", "parquet")


def export(kind: str, output: IO[bytes], *, since: datetime, until: datetime) -> int:
    """Write a period of the log, oldest first: its entries as written (jsonl), or their columns (csv, parquet).

    PostgreSQL itself writes lines, Parquet goes in row groups, both as of one moment: memory is flat. Returns how many
    decisions that were.
    """
    rows = "FROM policies_decision WHERE id >= %s AND id < %s ORDER BY id"
    statement = (
        f"COPY (SELECT {_COLUMNS} {rows}) TO STDOUT (FORMAT csv, HEADER)"
        if kind == "csv"
        else f"COPY (SELECT entry {rows}) TO STDOUT {AS_IT_IS}"
    )
    bounds = [uuid7_floor(since), uuid7_floor(until)]
    if kind == "parquet":
        return parquet.write(_PARQUET, rows, bounds, output)
    with connection.cursor() as cursor:
        with cursor.copy(statement, bounds) as lines:
            for piece in lines:
                output.write(piece)
        return int(cursor.rowcount)
