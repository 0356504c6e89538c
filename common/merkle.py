"""Merkle tree hash as in RFC 6962, section 2.1: leaves and inner nodes are hashed under different prefixes."""

import hashlib
from collections.abc import Sequence


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the 32-byte root over ``leaves`` in their order; of no leaves, SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def merkle_path(leaves: Sequence[bytes], index: int) -> list[tuple[str, bytes]]:
    """Return the audit path of one leaf (RFC 6962, section 2.1.1): the neighbours on the way up, and their side."""
    return MerkleTree(leaves).path(index)


class MerkleTree:
    """A tree whose nodes are all kept, for the paths of several leaves: they are hashed once."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [[hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]]
        while len(self._levels[-1]) > 1:
            self._levels.append(_parents(self._levels[-1]))

    def path(self, index: int) -> list[tuple[str, bytes]]:
        """Return the audit path of a leaf."""
        path = []
        for level in self._levels[:-1]:
            neighbour = index ^ 1
            if neighbour < len(level):
                path.append(("left" if neighbour < index else "right", level[neighbour]))
            index //= 2
        return path


def root_from_path(leaf: bytes, path: Sequence[tuple[str, bytes]]) -> bytes:
    """Return the root that a leaf and its path lead to."""
    node = hashlib.sha256(b"\x00" + leaf).digest()
    for side, neighbour in path:
        pair = neighbour + node if side == "left" else node + neighbour
        node = hashlib.sha256(b"\x01" + pair).digest()
    return node


def _parents(level: list[bytes]) -> list[bytes]:
    # An odd last node moves up unchanged: the same tree RFC 6962 builds by splitting at powers of two.
    paired = [
        hashlib.sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)
    ]
    return [*paired, level[-1]] if len(level) % 2 else paired


class MerkleStack:
    """The same root over leaves that come one by one: one node of each height is kept, and no leaf."""

    def __init__(self) -> None:
        self._nodes: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        height, node = 0, hashlib.sha256(b"\x00" + leaf).digest()
        while self._nodes and self._nodes[-1][0] == height:
            node = hashlib.sha256(b"\x01" + self._nodes.pop()[1] + node).digest()
            height += 1
        self._nodes.append((height, node))

    def root(self) -> bytes:
        if not self._nodes:
            return merkle_root([])
        *lower, (_, root) = self._nodes
        for _, left in reversed(lower):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        return root
