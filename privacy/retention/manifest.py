"""Manifest of a deletion run: the Merkle root over every removed key, streamed, so that its size needs no memory.

A leaf holds 1,024 keys of 16 bytes in the order of their removal. The run's totals and roots are canonical JSON; its
SHA-256 stands in the audit trail.
"""

from collections import defaultdict
from collections.abc import Iterator

from common.canonical import canonical_json, sha256
from common.merkle import MerkleStack
from privacy.models import Disposal

KEY_BYTES = 16
LEAF_BYTES = 1_024 * KEY_BYTES


class KeyTree:
    """Merkle tree over keys that are added in any portions and not kept."""

    def __init__(self) -> None:
        self._stack, self._rest = MerkleStack(), b""

    def add(self, keys: bytes) -> None:
        keys = self._rest + keys
        whole = len(keys) - len(keys) % LEAF_BYTES
        for start in range(0, whole, LEAF_BYTES):
            self._stack.add(keys[start : start + LEAF_BYTES])
        self._rest = keys[whole:]

    def root(self) -> bytes:
        """Return the root; no key can be added after it."""
        if self._rest:
            self._stack.add(self._rest)
        return self._stack.root()


def manifest(disposal: Disposal) -> bytes:
    """Return the proof of a run. Runs of earlier releases have JSON lines with a digest of each key."""
    if disposal.batches.filter(key_digests__isnull=False).exists():
        return _in_lines(disposal)
    trees: defaultdict[str, KeyTree] = defaultdict(KeyTree)
    for store, keys in _batches(disposal):
        trees[store].add(keys)
    document = {
        "format": 2,
        "disposal": str(disposal.id),
        "plan": disposal.plan.digest if disposal.plan else None,
        "removed": disposal.removed,
        "leaf_keys": LEAF_BYTES // KEY_BYTES,
        "roots": {store: tree.root().hex() for store, tree in trees.items()},
    }
    return canonical_json(document)


def _batches(disposal: Disposal) -> Iterator[tuple[str, bytes]]:
    """Yield each batch by a statement of its own: behind a pooler no cursor stays open."""
    batch = disposal.batches.order_by("pk").first()
    while batch is not None:
        yield batch.store, bytes(batch.keys or b"")
        batch = disposal.batches.filter(pk__gt=batch.pk).order_by("pk").first()


def _in_lines(disposal: Disposal) -> bytes:
    lines = [
        canonical_json({"store": batch.store, "key_sha256": digest})
        for batch in disposal.batches.order_by("pk")
        for digest in _digests(batch.key_digests, bytes(batch.keys or b""))
    ]
    return b"\n".join([*lines, canonical_json({"disposal": str(disposal.id), "removed": disposal.removed})]) + b"\n"


def _digests(listed: list[str] | None, keys: bytes) -> list[str]:
    """Return the digests of a batch of an earlier release, or of one that a run begun then added later."""
    if listed is not None:
        return listed
    return [sha256(keys[at : at + KEY_BYTES]).hex() for at in range(0, len(keys), KEY_BYTES)]
