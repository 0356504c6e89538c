"""Residence check: whether this installation may hold a person, as one of several cells (docs/decisions/0017).

The rules are known to a package above, which registers a check; where none is, every person may be held. This is the
last check: by any way of entry, no row of a person is made or given another region past it.
"""

from collections.abc import Callable
from uuid import UUID

from common.http.problems import Problem
from consent.models import DataSubject

# Checks a region as stated, None for none; ``known`` where the person has a row here. None: may be held.
Guard = Callable[[str | None, bool], Problem | None]
GuardFactory = Callable[[], Guard]

_factory: GuardFactory | None = None


def use_guard(factory: GuardFactory | None) -> None:
    """Register the factory of the check, which goes by the rules in force at the call."""
    global _factory
    _factory = factory


def is_shared() -> bool:
    """Return whether this installation is one of several cells."""
    return _factory is not None


def guard() -> Guard | None:
    return None if _factory is None else _factory()


def check(region: str | None, *, known: bool) -> None:
    """Raise the problem why a person may not be held here, if there is one."""
    current = guard()
    problem = None if current is None else current(region, known)
    if problem is not None:
        raise problem


def check_person(subject_ref: UUID, region: str | None = None) -> None:
    """Check a person who is looked up first, where there is anything to check."""
    if _factory is not None:
        check(region, known=DataSubject.objects.filter(pk=subject_ref).exists())
