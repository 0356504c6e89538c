"""Small-group suppression: which groups of a published table to withhold, so that subtraction reveals none either.

Primary suppression: a group of fewer than ``smallest_group()`` people, a value of the officers' register.
Complementary suppression: what is withheld is always at least two groups which together have that many people, else the
total minus what is shown would be the answer.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

_AS_SHIPPED = 20


def _shipped() -> int:
    return _AS_SHIPPED


_read: Callable[[], int] = _shipped

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Withheld(Generic[Key]):
    """The groups to withhold, and whether their total must be withheld too."""

    groups: frozenset[Key]
    total: bool


def use(read: Callable[[], int]) -> None:
    """Register what reads the value in force. Called in ``AppConfig.ready()``."""
    global _read
    _read = read


def smallest_group() -> int:
    """Return the people that a group needs to be counted in public, by one statement."""
    return _read()


def withhold(people: Mapping[Key, int], *, smallest: int, overlapping: bool = False) -> Withheld[Key]:
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
