"""Residence check: whether this installation may hold a person, as one of several cells (docs/decisions/0017).

The rules are known to a package above, which registers a check; where none is, every person may be held. This is the
last check: by any way of entry, no row of a person is made or given another region past it.
"""

from collections.abc import Callable
from uuid import UUID

from common.http.problems import Problem
from consent.models import DataSubject

# Judges a region as stated, None for none; ``known`` where the person has a row here. None: may be held.
Judge = Callable[[str | None, bool], Problem | None]
Court = Callable[[], Judge]

_court: Court | None = None


def register(court: Court | None) -> None:
    """Register the factory of the check, which goes by the rules in force at the call."""
    global _court
    _court = court


def judge() -> Judge | None:
    return None if _court is None else _court()


def check(region: str | None, *, known: bool) -> None:
    """Raise the problem why a person may not be held here, if there is one."""
    judged = judge()
    problem = None if judged is None else judged(region, known)
    if problem is not None:
        raise problem


def check_person(subject_ref: UUID, region: str | None = None) -> None:
    """Check a person who is looked up first, where there is anything to check."""
    if _court is not None:
        check(region, known=DataSubject.objects.filter(pk=subject_ref).exists())
