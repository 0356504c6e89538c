"""Read the decision log: verify its chain, and find a person's own decisions."""

import json
from typing import Any
from uuid import UUID

from django.db.models import Q

from common.canonical import sha256
from common.merkle import merkle_root
from policies import pseudonyms
from policies.drainer import GENESIS, UNREADABLE, batch_digest, columns
from policies.models import Decision, DecisionBatch

_PAGE = 5_000


class LogVerdict:
    """What ``verify`` found. ``broken`` names the first link that does not hold, or is None."""

    def __init__(self, *, batches: int, decisions: int, broken: str | None, head: str) -> None:
        self.batches, self.decisions, self.broken, self.head = batches, decisions, broken, head

    @property
    def ok(self) -> bool:
        return self.broken is None


def verify() -> LogVerdict:
    """Recompute every entry's columns, every root and every link; stop at the first that does not hold."""
    batches = decisions = 0
    previous = GENESIS
    for batch in DecisionBatch.objects.order_by("sequence").iterator(chunk_size=_PAGE):
        broken = _broken_batch(batch, batches + 1, previous) or _broken_decisions(batch)
        if broken:
            return LogVerdict(batches=batches, decisions=decisions, broken=broken, head=previous.hex())
        batches, decisions, previous = batches + 1, decisions + batch.decision_count, bytes(batch.digest)
    return LogVerdict(batches=batches, decisions=decisions, broken=_stray(batches), head=previous.hex())


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


def _broken_decisions(batch: DecisionBatch) -> str | None:
    leaves = []
    for decision in Decision.objects.filter(batch=batch).order_by("position").iterator(chunk_size=_PAGE):
        if not _columns_match(decision):
            return f"decision {decision.id} was changed"
        leaves.append(sha256(decision.entry.encode()))
    if len(leaves) != batch.decision_count:
        return f"decision batch {batch.sequence} sealed {batch.decision_count} decisions and {len(leaves)} are there"
    if merkle_root(leaves) != bytes(batch.root):
        return f"the decisions of batch {batch.sequence} are not the ones it sealed"
    return None


def _columns_match(decision: Decision) -> bool:
    try:
        expected = columns(json.loads(decision.entry))
        expected["id"] = UUID(expected["id"])
    except UNREADABLE:
        return False
    actual: dict[str, Any] = {name: getattr(decision, name) for name in expected}
    actual["subject_tag"] = bytes(decision.subject_tag)
    return actual == expected


def _stray(batches: int) -> str | None:
    stray = Decision.objects.filter(Q(batch_id__lt=1) | Q(batch_id__gt=batches)).first()
    return f"decision {stray.id} belongs to no batch" if stray else None


def decisions_about(subject_ref: UUID, *, limit: int = 20) -> list[Decision]:
    """A person's own decisions, newest first, as far back as the keys of their pseudonyms are kept."""
    tags = pseudonyms.tags_of(subject_ref)
    return list(Decision.objects.filter(subject_tag__in=tags).order_by("-id")[:limit])
