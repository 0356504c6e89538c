"""Deleters of one data set take turns, and holds that are being set go first; what a run reads and notes in its turn.

Each lock is a statement of its own, before the one that deletes: only the next statement sees what was waited for. The
statements of a turn are few and prepared: with those of the ORM they took a tenth of a batch's time.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import OperationalError, connection
from django.db.models import Q

from consent.ledger import holds
from privacy.models import HoldMember
from privacy.retention.tables import one

_RUN = "SELECT status FROM privacy_disposal WHERE id = %(run)s FOR UPDATE"
# How many rows of a table this transaction has deleted; null where the server counts nothing, or rows are not deleted.
_DELETED = """
SELECT CASE WHEN current_setting('track_counts')::boolean THEN sum(pg_stat_get_xact_tuples_deleted(oid))::bigint END
FROM (SELECT %(table)s::text::regclass::oid AS oid
  UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::text::regclass) t
"""
_LAST = f"""
SELECT s.off, b.number, b.store, b.reached, b.reached_key, ({_DELETED})
FROM (SELECT EXISTS (SELECT FROM privacy_deletionswitch) AS off) s
LEFT JOIN LATERAL (
  SELECT coalesce(number, 0) AS number, store, reached, reached_key FROM privacy_disposalbatch
  WHERE disposal_id = %(run)s ORDER BY privacy_disposalbatch.number DESC NULLS LAST LIMIT 1
) b ON true
"""  # noqa: S608 (constants)
_NOTE = f"""
UPDATE privacy_disposal SET status = 'running', removed = CASE WHEN %(rows)s::bigint = 0 THEN removed
  ELSE removed || jsonb_build_object(%(store)s::text, coalesce((removed ->> %(store)s::text)::bigint, 0) + %(rows)s) END
WHERE id = %(run)s RETURNING removed, ({_DELETED})
"""  # noqa: S608 (constants)


class NotAlone(OperationalError):
    """Others deleted rows of a batch while it ran, and took no turn: it is rolled back and done again."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a run is, read under its lock; ``deleted`` is what this transaction had deleted of the table before."""

    status: str
    is_switched_off: bool
    number: int
    store: str | None
    reached: datetime | None
    reached_key: str | None
    deleted: int | None


def lock_run(run: UUID, table: str | None) -> Checkpoint:
    """Lock a run until this transaction ends, and return where it is: by a later statement, which sees the last batch.

    No other worker may find nothing left, and close the manifest, while this batch can still be rolled back.
    """
    [status] = one(_RUN, {"run": run})
    off, number, *reached = one(_LAST, {"run": run, "table": table})
    return Checkpoint(status, off, number or 0, *reached)


def note_batch(run: UUID, store: str, rows: int, before: Checkpoint, table: str | None) -> dict[str, int]:
    """Note how many rows a batch deleted; return what the run has removed. Raises NotAlone."""
    removed, deleted = one(_NOTE, {"run": run, "store": store, "rows": rows, "table": table})
    if deleted is not None and before.deleted is not None and deleted != before.deleted + rows:
        raise NotAlone(f"Rows of {store} were deleted by others while a batch of a run was.")
    return dict(removed)


def take(*data_sets: str) -> None:
    """Wait for other deleters of the data sets and for holds in flight; keep both waiting until this transaction ends.

    Holds last: who waits for a deleter must not keep a hold waiting. Raises RuntimeError where the transaction would
    not see what it waited for.
    """
    # Several statements in one message, each with a snapshot of its own. Whoever writes a hold, a page, an import or
    # SQL by hand, takes ROW EXCLUSIVE on the last table and so waits, or is waited for.
    with connection.cursor() as cursor:
        locks = "; ".join(f"SELECT pg_advisory_xact_lock({_number(each)})" for each in sorted(data_sets))
        cursor.execute(f"{locks}{'; ' * bool(locks)}{holds.WAIT}; LOCK TABLE privacy_holdmember IN SHARE MODE")
        for _lock in data_sets:
            cursor.nextset()
        holds.require_read_committed(cursor.fetchone()[1])


def is_kept(subject_ref: UUID, purpose: str) -> bool:
    """Return whether a hold or a restriction keeps this person's data of a purpose."""
    member = HoldMember.objects.filter(Q(purpose="") | Q(purpose=purpose), ref=subject_ref)
    return holds.is_kept(subject_ref, purpose) or member.exists()


def _number(data_set: str) -> int:
    return int.from_bytes(hashlib.sha256(f"delete {data_set}".encode()).digest()[:8], "big", signed=True)
