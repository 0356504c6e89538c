"""Small-group suppression: which groups of a published table to withhold, so that subtraction reveals none either.

Primary suppression: a group of fewer than ``SMALLEST_GROUP`` people. Complementary suppression: what is withheld is
always at least two groups which together have that many people, else the total minus what is shown would be the answer.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

SMALLEST_GROUP = 20

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Withheld(Generic[Key]):
    """The groups to withhold, and whether their total must be withheld too."""

    groups: frozenset[Key]
    total: bool


def withhold(people: Mapping[Key, int], *, overlapping: bool = False, smallest: int = SMALLEST_GROUP) -> Withheld[Key]:
    """Return what to withhold of groups with so many people each.

    ``overlapping``: a person may be in several groups, so the people of two groups are at least those of the larger,
    not of both. Withholds from the smallest up, and the total as well where even all groups are not enough.
    """
    hidden: list[Key] = []

    def is_safe() -> bool:
        sizes = [people[key] for key in hidden]
        return not sizes or (len(sizes) > 1 and (max if overlapping else sum)(sizes) >= smallest)

    for key in sorted(people, key=lambda key: (people[key], str(key))):
        if people[key] >= smallest and is_safe():
            break
        hidden.append(key)
    return Withheld(frozenset(hidden), total=not is_safe())
