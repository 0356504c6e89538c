"""Share of a rollout: a stable hash decides whose answers a candidate gives, so that no person goes to and fro."""

from collections.abc import Collection
from hashlib import blake2b
from typing import Final
from uuid import UUID

FULL: Final = 10_000  # shares are counted in ten-thousandths


def are_in_share(people: Collection[UUID], *, share: int, salt: bytes) -> bool:
    """Return whether all these people are in a share of ``share`` ten-thousandths; ``salt`` is the rollout.

    A person in a share is in every larger one of the same rollout, and in none for the sake of others: an answer about
    many people comes from the candidate only where it would for each of them. An answer about no person comes from it
    at the full share.
    """
    if share >= FULL:
        return True
    return bool(share and people) and all(_place(ref, salt) < share for ref in people)


def _place(ref: UUID, salt: bytes) -> int:
    # 2^64 is so far beyond 10,000 that the remainder has no bias.
    return int.from_bytes(blake2b(ref.bytes, digest_size=8, key=salt).digest(), "big") % FULL
