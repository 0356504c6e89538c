"""Log of decisions that OPA servers reported: chained report by report, verified, exported, and deleted with age.

Decisions of a report and its batch are written in one transaction, under a lock that makes one chain of them.
Forgetting takes whole batches from the old end and writes into the audit trail with which digest the rest goes on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import IO, Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit import trail
from audit.models import AuditEvent
from common import actors
from common.canonical import digest_of
from common.merkle import merkle_root
from common.postgres.snapshot import one_snapshot
from consent.exporting import AS_IT_IS, opened_whole
from policies.decision_log import parquet
from policies.decision_log.ageing import exports, files
from policies.decision_log.chain import LogVerdict
from policies.decision_log.drainer import GENESIS
from policies.models import ExternalBatch, ExternalDecision

FORGOTTEN = exports.REPORTED
_NAME = "decisions of OPA servers"
_LOCK = 0x6578746C  # "extl"
_PAGE = 5_000
_BATCHES_AT_ONCE = 500


@transaction.atomic
def append(rows: Sequence[ExternalDecision], *, caller: str) -> int:
    """Store the decisions not reported before under the next batch; return their number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    known = set(ExternalDecision.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    new = [row for row in rows if row.pk not in known]
    if not new:
        return 0
    batch = _new_batch(new, caller)
    for position, row in enumerate(new):
        row.batch_id, row.position = batch.sequence, position
    ExternalDecision.objects.bulk_create(new, batch_size=1_000)
    return len(new)


def _new_batch(rows: Sequence[ExternalDecision], caller: str) -> ExternalBatch:
    last = ExternalBatch.objects.first()
    sequence, previous = (last.sequence, bytes(last.digest)) if last else _after_the_forgotten()
    batch = ExternalBatch(
        sequence=sequence + 1,
        created_at=timezone.now(),
        caller=caller[:120],
        decision_count=len(rows),
        root=merkle_root([_leaf(row) for row in rows]),
        previous=previous,
    )
    batch.digest = _digest(batch)
    batch.save(force_insert=True)
    return batch


def _after_the_forgotten() -> tuple[int, bytes]:
    """Return the last batch that was deleted: its number, and the digest the next one continues."""
    event = AuditEvent.objects.filter(action=FORGOTTEN).order_by("-position").first()
    return (event.details["upto"], bytes.fromhex(event.details["digest"])) if event else (0, GENESIS)


def _leaf(row: ExternalDecision) -> bytes:
    return digest_of(
        {
            "id": str(row.pk),
            "decided_at": row.decided_at.isoformat(timespec="microseconds"),
            "received_at": row.received_at.isoformat(timespec="microseconds"),
            "instance": row.instance,
            "caller": row.caller,
            "bundle_revision": row.bundle_revision,
            "path": row.path,
            "outcome": str(row.outcome),
            "level": row.level,
            "reasons": row.reasons,
            "facts": row.facts,
        }
    )


def _digest(batch: ExternalBatch) -> bytes:
    return digest_of(
        {
            "sequence": batch.sequence,
            "created_at": batch.created_at.isoformat(timespec="microseconds"),
            "caller": batch.caller,
            "decision_count": batch.decision_count,
            "root": bytes(batch.root).hex(),
            "previous": bytes(batch.previous).hex(),
        }
    )


def verify() -> LogVerdict:
    """Recompute every leaf, root and link that has not been deleted; stop at the first that does not hold."""
    with one_snapshot():
        sequence, previous = _after_the_forgotten()
        batches = decisions = 0
        for batch in ExternalBatch.objects.order_by("sequence").iterator(chunk_size=_PAGE):
            sequence += 1
            broken = _broken_batch(batch, sequence, previous) or _broken_decisions(batch)
            if broken:
                return LogVerdict(batches=batches, decisions=decisions, broken=broken, head=previous.hex())
            batches, decisions, previous = batches + 1, decisions + batch.decision_count, bytes(batch.digest)
        return LogVerdict(batches=batches, decisions=decisions, broken=_stray(), head=previous.hex())


def _broken_batch(batch: ExternalBatch, sequence: int, previous: bytes) -> str | None:
    if batch.sequence != sequence:
        return f"{_NAME}: batch {sequence} is missing"
    if bytes(batch.previous) != previous:
        return f"{_NAME}: batch {sequence} does not continue batch {sequence - 1}"
    return None if bytes(batch.digest) == _digest(batch) else f"{_NAME}: batch {sequence} was changed"


def _broken_decisions(batch: ExternalBatch) -> str | None:
    rows = ExternalDecision.objects.filter(batch_id=batch.sequence).order_by("position")
    leaves = [_leaf(row) for row in rows.iterator(chunk_size=_PAGE)]
    if len(leaves) != batch.decision_count:
        return f"{_NAME}: batch {batch.sequence} sealed {batch.decision_count} and {len(leaves)} are there"
    if merkle_root(leaves) != bytes(batch.root):
        return f"{_NAME}: those of batch {batch.sequence} are not the ones it sealed"
    return None


def _stray() -> str | None:
    """Find a decision of a batch that never was, or one without a batch from after batches were begun."""
    batches = ExternalBatch.objects.order_by("sequence")
    stray = ExternalDecision.objects.exclude(batch_id=0).exclude(batch_id__in=batches.values("pk")).first()
    first = batches.first()
    if stray is None and first is not None:
        stray = ExternalDecision.objects.filter(batch_id=0, received_at__gte=first.created_at).first()
    return f"{_NAME}: {stray.pk} belongs to no batch" if stray else None


def forget_old(*, now: datetime | None = None) -> int:
    """Delete what came in longer ago than ``OPA_DECISIONS_KEEP_DAYS``; return the number of decisions."""
    before = (now or timezone.now()) - timedelta(days=settings.OPA_DECISIONS_KEEP_DAYS)
    unchained, _ = ExternalDecision.objects.filter(batch_id=0, received_at__lt=before).delete()
    forgotten = unchained
    while some := _forget_some(before):
        forgotten += some
    return forgotten


@transaction.atomic
def _forget_some(before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    old = list(ExternalBatch.objects.filter(created_at__lt=before).order_by("sequence")[:_BATCHES_AT_ONCE])
    if not old:
        return 0
    last = old[-1]
    exported = _exported(old[0].sequence, last.sequence)
    count, _ = ExternalDecision.objects.filter(batch_id__gt=0, batch_id__lte=last.sequence).delete()
    ExternalBatch.objects.filter(sequence__lte=last.sequence).delete()
    details: dict[str, Any] = {"upto": last.sequence, "digest": bytes(last.digest).hex(), "decisions": count}
    if exported is not None:
        details["export"] = exported
    trail.record(FORGOTTEN, "opa-servers", actor=actors.job("retention"), details=details)
    return max(count, 1)


def _exported(first: int, last: int) -> dict[str, Any] | None:
    """Write what is to be deleted where days of the decision log go, too; a failure keeps it. Raises OSError.

    The name is that of the first batch: one that was killed before its commit writes the same file again.
    """
    folder = files.folder()
    if folder is None:
        return None
    path = folder / f"reported-{first}.parquet"
    with opened_whole(path) as file:
        rows = parquet.write(_PARQUET, _BATCHES, [first, last], file)
    return files.described(path, rows)


_COLUMNS = """id, to_char(decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS decided_at,
 to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS received_at,
 instance, caller, outcome, level, array_to_string(reasons, ' ') AS reasons, bundle_revision, path, facts,
 batch_id AS batch, position"""
_PARQUET: dict[str, tuple[str, parquet.Kind]] = {
    "id": ("id::text", "text"),
    "decided_at": ("decided_at", "moment"),
    "received_at": ("received_at", "moment"),
    **{name: (name, "text") for name in ("instance", "caller", "outcome", "level")},
    "reasons": ("reasons", "texts"),
    **{name: (name, "text") for name in ("bundle_revision", "path")},
    "facts": ("facts::text", "text"),
    "batch": ("batch_id", "number"),
    "position": ("position", "number"),
}

_BATCHES = "FROM policies_externaldecision WHERE batch_id >= %s AND batch_id <= %s ORDER BY batch_id, position"
_WINDOW = (
    "FROM policies_externaldecision WHERE received_at >= %s AND received_at < %s"
    " ORDER BY received_at, batch_id, position"
)


def export(kind: str, output: IO[bytes], *, since: datetime, until: datetime) -> int:
    """Write a period's reported decisions, oldest first, as JSON lines, CSV or Parquet; return their number."""
    if kind == "parquet":
        return parquet.write(_PARQUET, _WINDOW, [since, until], output)
    query = f"SELECT {_COLUMNS} {_WINDOW}"
    statement = (
        f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)"
        if kind == "csv"
        else f"COPY (SELECT row_to_json(line) FROM ({query}) AS line) TO STDOUT {AS_IT_IS}"  # noqa: S608 (constants)
    )
    with connection.cursor() as cursor:
        with cursor.copy(statement, [since, until]) as lines:
            for piece in lines:
                output.write(piece)
        return int(cursor.rowcount)
