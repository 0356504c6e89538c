"""Erasure in other cells: each is asked by the id that the request showed (``requests.other_cells``).

A cell that cannot be asked, or is not done yet, is asked again by the next sweep. Where no door has shown the id, the
request waits for an officer who knows it.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from privacy.rights.models import ErasureStep, RightsRequest
from privacy.rights.requests import other_cells, requests, statements
from privacy.rights.requests.other_cells import Others
from privacy.rights.stores.seam import Fate


def reach(request: RightsRequest, now: datetime) -> bool:
    """Have every other cell erase the person; return whether all are done."""
    if not other_cells.are_asked(request.right, request.door):
        return True
    noted = set(request.erasure_steps.values_list("store", flat=True))
    waiting = [(each, name) for each, name in other_cells.registered() if _store(name) not in noted]
    if not waiting:
        return True
    subject = statements.unseal(request.statement, request.statement_salt).subject
    reached = [_reach(request, each, name, subject, now) for each, name in waiting]  # each, also behind a failure
    return all(reached)


def _reach(request: RightsRequest, others: Others, name: str, subject: Mapping[str, str], now: datetime) -> bool:
    if not subject or not others.erase(name, subject, request.pk):
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
