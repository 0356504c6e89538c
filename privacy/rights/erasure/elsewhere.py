"""Erasure in other cells: each has a key and pseudonyms of its own, so it is asked by the id that the request showed.

Which cells there are, and how one is asked, a package above registers. The id is sealed under the request's key and
ends with the request. A cell that cannot be asked, or is not done yet, is asked again by the next sweep.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from privacy.rights.models import ErasureStep, RightsRequest
from privacy.rights.requests import requests, statements
from privacy.rights.stores.seam import Fate


@dataclass(frozen=True)
class Others:
    """The other cells, and the call that has one of them erase a person; returns whether it is done there."""

    names: Callable[[], Iterable[str]]
    erase: Callable[[str, Mapping[str, str], UUID], bool]


_others: list[Others] = []


def use(others: Others) -> None:
    """Register the other cells. Called in ``AppConfig.ready()``."""
    _others[:] = [others]


def reach(request: RightsRequest, now: datetime) -> bool:
    """Have every other cell erase the person whose id was shown; return whether all are done."""
    subject = statements.unseal(request.statement, request.statement_salt).subject
    if not subject:
        return True
    noted = set(request.erasure_steps.values_list("store", flat=True))
    waiting = [(each, name) for each in _others for name in each.names() if _store(name) not in noted]
    reached = [_reach(request, each, name, subject, now) for each, name in waiting]  # each, also behind a failure
    return all(reached)


def _reach(request: RightsRequest, others: Others, name: str, subject: Mapping[str, str], now: datetime) -> bool:
    if not others.erase(name, subject, request.pk):
        return False
    with transaction.atomic():
        found = requests.locked(request.pk)
        ErasureStep.objects.get_or_create(
            request=found,
            round=requests.reworks(found),
            store=_store(name),
            defaults={"fate": Fate.ERASED, "rows": 0, "done_at": now},
        )
    return True


def _store(name: str) -> str:
    return f"cell {name}"
