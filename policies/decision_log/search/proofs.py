"""Proof of a logged decision: its path to the Merkle root of the batch it was stored with, and the batch's own link."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection

from common.merkle import MerkleTree
from policies.decision_log.ageing import checkpoints
from policies.models import Decision, DecisionBatch

_TREES = 16  # kept at once: processes write at the same time, so their batches alternate
# Leaves are hashed by the database: only 32 bytes of an entry travel.
_LEAVES = """
SELECT position, sha256(convert_to(entry, 'UTF8')) FROM policies_decision WHERE batch_id = %s"""


@dataclass(frozen=True)
class _Batch:
    fields: dict[str, Any]
    tree: MerkleTree


def proven(decisions: Iterable[Decision]) -> Iterator[dict[str, Any]]:
    """Yield decisions as they were written, each with its batch and its path to the batch's root."""
    batch_of = lru_cache(maxsize=_TREES)(_batch)
    for decision in decisions:
        batch = batch_of(decision.batch_id)
        if batch is None:
            yield {"entry": decision.entry, "batch": None}
            continue
        path = [[side, node.hex()] for side, node in batch.tree.path(decision.position)]
        yield {"entry": decision.entry, "batch": batch.fields, "path": path}


def newest() -> dict[str, Any]:
    """Return the newest batch, which a kept head can be compared with."""
    last = DecisionBatch.objects.order_by("-sequence").first()
    return {"sequence": last.sequence, "digest": bytes(last.digest).hex()} if last else {"sequence": 0, "digest": ""}


def _batch(sequence: int) -> _Batch | None:
    row = DecisionBatch.objects.filter(pk=sequence).first()
    if row is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES, [sequence])
        leaves = {position: bytes(leaf) for position, leaf in cursor.fetchall()}
    if len(leaves) < row.decision_count:
        # A part of the batch was dropped for its age: its leaves are kept under a signed checkpoint.
        leaves |= checkpoints.dropped().leaves(sequence)
    tree = MerkleTree([leaves[position] for position in sorted(leaves)])
    fields = {
        "sequence": row.sequence,
        "created_at": row.created_at.isoformat(timespec="microseconds"),
        "spool": row.spool,
        "decision_count": row.decision_count,
        "root": bytes(row.root).hex(),
        "previous": bytes(row.previous).hex(),
        "digest": bytes(row.digest).hex(),
    }
    return _Batch(fields, tree)
