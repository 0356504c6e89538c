"""Export for leaving the system: every record of the ledger, or the current state, as CSV or JSON lines.

PostgreSQL itself writes the lines (COPY), as of one moment and without ever holding more than a few of them. People
appear by pseudonym only: a business finds its own people with the key it holds (``subject_key``).
"""

import contextlib
import gzip
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.db import connection

_TIME = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_RECORDS = f"""
SELECT r.subject_id AS subject_ref, r.subject_revision, r.purpose, r.scope, r.state, r.explicit, r.notice_version,
  r.source, r.actor, {_TIME.format("r.recorded_at")} AS recorded_at, {_TIME.format("r.expires_at")} AS expires_at,
  r.id AS record, r.supersedes_id AS supersedes, encode(r.previous_digest, 'hex') AS previous_digest,
  encode(r.digest, 'hex') AS digest, r.proof, encode(r.salt, 'hex') AS salt
FROM consent_consentrecord r ORDER BY r.subject_id, r.subject_revision, r.id
"""  # noqa: S608 (constants of ours)
_STATE = f"""
SELECT s.ref AS subject_ref, s.region, s.age_band, s.revision AS subject_revision, s.restricted, s.held,
  split_part(c.place, '?', 1) AS purpose, split_part(c.place, '?', 2) AS scope, c.entry->>'s' AS state,
  (c.entry->>'e')::boolean AS explicit, (c.entry->>'n')::int AS notice_version, c.entry->>'src' AS source,
  {_TIME.format("to_timestamp((c.entry->>'t')::bigint)")} AS recorded_at,
  {_TIME.format("to_timestamp((c.entry->>'x')::bigint)")} AS expires_at,
  c.entry->>'r' AS record, encode(r.digest, 'hex') AS digest, r.proof
FROM consent_datasubject s
CROSS JOIN LATERAL jsonb_each(s.consents) AS c(place, entry)
LEFT JOIN consent_consentrecord r ON r.id = (c.entry->>'r')::uuid
"""  # noqa: S608
_QUERIES = {"records": _RECORDS, "state": _STATE}
# JSON writes control characters as escapes, so with these two COPY never quotes a line or doubles anything in it.
AS_IT_IS = r"(FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01')"


def export(what: str, kind: str, output: IO[bytes]) -> None:
    """Write ``what`` (records or state) as ``kind`` (csv or jsonl) to ``output``: one statement, one moment."""
    query = _QUERIES[what]
    statement = (
        f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)"
        if kind == "csv"
        else f"COPY (SELECT row_to_json(line) FROM ({query}) AS line) TO STDOUT {AS_IT_IS}"  # noqa: S608
    )
    with connection.cursor() as cursor, cursor.copy(statement) as rows:
        for piece in rows:
            output.write(piece)


def export_to(path: Path, what: str, kind: str) -> None:
    """Export to a file for its owner alone, packed if its name ends in .gz; it appears only once it is whole."""
    with opened_whole(path) as file:
        export(what, kind, file)


@contextlib.contextmanager
def opened_whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for its owner alone, packed if its name ends in .gz; it appears only once it is whole."""
    with _appearing_whole(path) as file:
        if path.name.endswith(".gz"):
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        else:
            yield file


@contextlib.contextmanager
def _appearing_whole(path: Path) -> Iterator[IO[bytes]]:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
