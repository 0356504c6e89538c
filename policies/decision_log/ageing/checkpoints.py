"""Checkpoints of the decision log: what was dropped for its age, signed, so that the rest is verified from there on.

Each names the one before, and the newest covers every part whose batches are still needed. So a checkpoint that was
forged, changed or taken away is found, and nothing but it excuses a decision that is missing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from audit import jws, signing, trail
from audit.models import AuditEvent
from common import actors
from common.canonical import digest_of
from common.merkle import MerkleStack
from policies.models import DroppedPart, LogCheckpoint

DROPPED = "decision_log.dropped"
GENESIS = bytes(32)
_TYPE = "assent-decision-log-checkpoint+jws"
_LEAF = 32


class CheckpointBroken(Exception):
    """Finding: the checkpoints do not say reliably what was dropped."""


@dataclass(frozen=True)
class Dropped:
    """What of the log is gone: all up to a batch, further batches as a whole, and parts of others."""

    upto: int = 0
    digest: bytes = GENESIS
    ranges: tuple[tuple[int, int], ...] = ()
    parts: dict[int, dict[int, bytes]] = field(default_factory=dict)

    def is_whole(self, batch: int) -> bool:
        return any(first <= batch <= last for first, last in self.ranges)

    def leaves(self, batch: int) -> dict[int, bytes]:
        return self.parts.get(batch, {})


def newest() -> LogCheckpoint | None:
    return LogCheckpoint.objects.order_by("-number").first()


def dropped() -> Dropped:
    """Return what was dropped, as checkpoints that hold together say. Raises CheckpointBroken."""
    last = _checked()
    found = [*_parts(last.document["upto"] if last else 0)]
    if last is None:
        if found:
            raise CheckpointBroken("parts of the decision log are marked as dropped, and no checkpoint says so")
        return Dropped()
    if parts_root(found) != last.document["parts"]:
        raise CheckpointBroken(f"the dropped parts are not the ones that checkpoint {last.number} of the log signed")
    ranges = tuple((part.first_batch, part.last_batch) for part in found if part.leaves is None)
    partial: dict[int, dict[int, bytes]] = defaultdict(dict)
    for part in found:
        partial[part.first_batch].update(leaves_of(part))
    return Dropped(last.document["upto"], bytes.fromhex(last.document["digest"]), ranges, dict(partial))


def _parts(upto: int) -> Iterable[DroppedPart]:
    parts = DroppedPart.objects.filter(last_batch__gt=upto)
    return parts.order_by("first_batch", "last_batch", "checkpoint_id").iterator(chunk_size=500)


def leaves_of(part: DroppedPart) -> dict[int, bytes]:
    """Return the digests of a part's decisions by their positions in the batch; empty for whole batches."""
    if part.leaves is None:
        return {}
    leaves = bytes(part.leaves)
    cut = (leaves[at : at + _LEAF] for at in range(0, len(leaves), _LEAF))
    return dict(zip(part.positions or [], cut, strict=True))


def parts_root(parts: Iterable[DroppedPart]) -> str:
    """Return the Merkle root over parts in the order of their batches, as hexadecimal digits."""
    tree = MerkleStack()
    for part in sorted(parts, key=lambda each: (each.first_batch, each.last_batch, each.checkpoint_id)):
        tree.add(digest_of(_fields(part)))
    return tree.root().hex()


def _fields(part: DroppedPart) -> dict[str, Any]:
    return {
        "checkpoint": part.checkpoint_id,
        "first": part.first_batch,
        "last": part.last_batch,
        "rows": part.rows,
        "positions": part.positions,
        "leaves": None if part.leaves is None else bytes(part.leaves).hex(),
    }


def write(document: dict[str, Any]) -> LogCheckpoint:
    """Sign and store the next checkpoint in the transaction of the drop; the trail names it."""
    last = newest()
    number = last.number + 1 if last else 1
    document = {**document, "number": number, "previous": bytes(last.digest).hex() if last else GENESIS.hex()}
    digest = digest_of(document)
    made = LogCheckpoint.objects.create(
        number=number, document=document, digest=digest, signature=signing.sign(digest, typ=_TYPE)
    )
    details = {name: document[name] for name in ("day", "rows", "kept", "upto", "export")}
    sealed = {"checkpoint": number, "digest": digest.hex(), **details}
    trail.record(DROPPED, "decision_log", actor=actors.job("retention"), details=sealed)
    return made


def _checked() -> LogCheckpoint | None:
    """Return the newest checkpoint after all are checked: chain, signature, and the trail's word for it."""
    previous, last = GENESIS, None
    for number, each in enumerate(LogCheckpoint.objects.order_by("number").iterator(chunk_size=500), start=1):
        if each.number != number or each.document.get("previous") != previous.hex():
            raise CheckpointBroken(f"checkpoint {number} of the decision log is missing")
        if bytes(each.digest) != digest_of(each.document) or each.document.get("number") != number:
            raise CheckpointBroken(f"checkpoint {number} of the decision log was changed")
        previous, last = bytes(each.digest), each
    if last is not None:
        _require_signature(last)
    _require_event(last)
    return last


def _require_signature(last: LogCheckpoint) -> None:
    trusted = {key["kid"]: key for key in signing.published_keys()["keys"]}
    try:
        payload, kid = jws.verify(last.signature, typ=_TYPE, trusted=trusted)
    except jws.NotGenuine as exc:
        raise CheckpointBroken(f"checkpoint {last.number} of the decision log is not signed by this instance") from exc
    if payload != bytes(last.digest):
        raise CheckpointBroken(f"checkpoint {last.number} of the decision log carries another's signature ({kid[:12]})")


def _require_event(last: LogCheckpoint | None) -> None:
    event = AuditEvent.objects.filter(action=DROPPED, object="decision_log").order_by("-position").first()
    said = (event.details["checkpoint"], event.details["digest"]) if event else None
    found = (last.number, bytes(last.digest).hex()) if last else None
    if said != found:
        number = max(said[0] if said else 0, found[0] if found else 0)
        raise CheckpointBroken(f"checkpoint {number} of the decision log is missing, or not the one the trail names")
