"""Verify the chain of the decision log: every batch, every decision, and nothing that belongs to no batch.

What was dropped for its age is excused by signed checkpoints, and by nothing else (``ageing.checkpoints``).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Sum

from common.canonical import sha256
from common.merkle import merkle_root
from common.postgres.snapshot import one_snapshot
from policies.decision_log.ageing import checkpoints
from policies.decision_log.ageing.checkpoints import CheckpointBroken, Dropped
from policies.decision_log.drainer import GENESIS, batch_digest
from policies.decision_log.log_lines import UNREADABLE, columns
from policies.models import Decision, DecisionBatch

_PAGE = 5_000


class LogVerdict:
    """Result of ``verify``. ``broken`` names the first link that does not hold, or is None."""

    def __init__(self, *, batches: int, decisions: int, broken: str | None, head: str) -> None:
        self.batches, self.decisions, self.broken, self.head = batches, decisions, broken, head

    @property
    def ok(self) -> bool:
        return self.broken is None


def verify(*, since: datetime | None = None, until: datetime | None = None, after_batch: int = 0) -> LogVerdict:
    """Recompute every entry's columns, every root and every link; stop at the first that does not hold.

    With bounds: of the batches sealed in that time, the first of which must continue the one before it. After a batch:
    of those up to it only the decisions are counted.
    """
    with one_snapshot():
        try:
            gone = checkpoints.dropped()
        except CheckpointBroken as exc:
            return LogVerdict(batches=0, decisions=0, broken=str(exc), head=GENESIS.hex())
        batches = DecisionBatch.objects.order_by("sequence")
        if until:
            batches = batches.filter(created_at__lt=until)
        if broken := _lost_up_to(after_batch, gone):
            return LogVerdict(batches=0, decisions=0, broken=broken, head=GENESIS.hex())
        before = batches.filter(created_at__lt=since).last() if since else batches.filter(sequence=after_batch).first()
        if before:
            batches = batches.filter(sequence__gt=before.sequence)
        return _verify(batches, before, gone, is_whole=since is None and until is None)


def _lost_up_to(sequence: int, gone: Dropped) -> str | None:
    """Count the batches up to one and their decisions, without what was dropped."""
    wanted = DecisionBatch.objects.filter(sequence__lte=sequence)
    expected = max(sequence - gone.upto, 0)
    batches, sealed = wanted.count(), _count(wanted) - _count_dropped(sequence, gone)
    if batches != expected:
        return f"up to decision batch {sequence} there are {batches} batches of {expected}"
    decisions = Decision.objects.filter(batch_id__lte=sequence).count() if sequence else 0
    return (
        None if decisions == sealed else f"up to decision batch {sequence} there are {decisions} of {sealed} decisions"
    )


def _count(batches: QuerySet[DecisionBatch]) -> int:
    return int(batches.aggregate(total=Sum("decision_count"))["total"] or 0)


def _count_dropped(sequence: int, gone: Dropped) -> int:
    """Return how many decisions of the batches that are there were dropped."""
    whole = sum(
        _count(DecisionBatch.objects.filter(sequence__gte=first, sequence__lte=min(last, sequence)))
        for first, last in gone.ranges
    )
    return whole + sum(len(leaves) for batch, leaves in gone.parts.items() if batch <= sequence)


def _verify(
    wanted: QuerySet[DecisionBatch], before: DecisionBatch | None, gone: Dropped, *, is_whole: bool
) -> LogVerdict:
    batches = decisions = 0
    sequence, previous = (before.sequence, bytes(before.digest)) if before else (gone.upto, gone.digest)
    for batch in wanted.iterator(chunk_size=_PAGE):
        sequence += 1
        broken = _broken_batch(batch, sequence, previous) or _broken_decisions(batch, gone)
        if broken:
            return LogVerdict(batches=batches, decisions=decisions, broken=broken, head=previous.hex())
        batches, previous = batches + 1, bytes(batch.digest)
        decisions += 0 if gone.is_whole(batch.sequence) else batch.decision_count - len(gone.leaves(batch.sequence))
    stray = _stray() if is_whole else None
    return LogVerdict(batches=batches, decisions=decisions, broken=stray, head=previous.hex())


def _broken_batch(batch: DecisionBatch, sequence: int, previous: bytes) -> str | None:
    if batch.sequence != sequence:
        return f"decision batch {sequence} is missing"
    if bytes(batch.previous) != previous:
        return f"decision batch {sequence} does not continue batch {sequence - 1}"
    expected = batch_digest(
        sequence=batch.sequence,
        created_at=batch.created_at,
        spool=batch.spool,
        decision_count=batch.decision_count,
        root=bytes(batch.root),
        previous=bytes(batch.previous),
    )
    return None if bytes(batch.digest) == expected else f"decision batch {sequence} was changed"


def _broken_decisions(batch: DecisionBatch, gone: Dropped) -> str | None:
    if gone.is_whole(batch.sequence):
        is_there = Decision.objects.filter(batch=batch).exists()
        return f"a decision of batch {batch.sequence} is there, though all of them were dropped" if is_there else None
    leaves = list(gone.leaves(batch.sequence).items())
    for decision in Decision.objects.filter(batch=batch).order_by("position").iterator(chunk_size=_PAGE):
        if not _columns_match(decision):
            return f"decision {decision.id} was changed"
        leaves.append((decision.position, sha256(decision.entry.encode())))
    if len(leaves) != batch.decision_count:
        return f"decision batch {batch.sequence} sealed {batch.decision_count} decisions and {len(leaves)} are there"
    if merkle_root([leaf for _, leaf in sorted(leaves)]) != bytes(batch.root):
        return f"the decisions of batch {batch.sequence} are not the ones it sealed"
    return None


def _columns_match(decision: Decision) -> bool:
    try:
        expected = columns(decision.entry)
        expected["id"] = UUID(expected["id"])
    except UNREADABLE:
        return False
    actual: dict[str, Any] = {name: getattr(decision, name) for name in expected}
    actual["subject_tag"] = bytes(decision.subject_tag)
    return actual == expected


def _stray() -> str | None:
    stray = Decision.objects.filter(~Exists(DecisionBatch.objects.filter(pk=OuterRef("batch_id")))).first()
    return f"decision {stray.id} belongs to no batch" if stray else None
