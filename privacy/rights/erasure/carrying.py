"""Carry an erasure out: one commit puts it in force, then each store is emptied in a transaction of its own.

Each step is noted where it is done. Killed anywhere, the erasure goes on behind the last noted step, and a step that
was noted is not done again. The line of the erasure ledger is on disk before the commit that it is about.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction

from privacy.erasures import ledger
from privacy.retention import turns
from privacy.rights.erasure import elsewhere
from privacy.rights.models import ErasureStep, RightsRequest
from privacy.rights.requests import blocking, requests
from privacy.rights.requests.states import State
from privacy.rights.stores import seam
from privacy.rights.stores.links import LINKS
from privacy.rights.stores.person import PERSON
from privacy.rights.stores.seam import Erasure, Fate, Removed, Store

KIND = "erasure"
# With the commit that decisions see, sessions and links end: no page shows what is going.
_FIRST = (PERSON, LINKS)


def carry_out(request: RightsRequest, actor: str, now: datetime) -> bool:
    """Do every step that is not noted yet; return whether all are. A hold blocks the request, and nothing more goes.

    Other cells come last: what is here does not wait for them.
    """
    erasure = Erasure(request.pk, str(actor))
    is_done_here = all(_take(request.pk, erasure, stores, now) for stores in _stages(request))
    return is_done_here and elsewhere.reach(request, now)


def _stages(request: RightsRequest) -> Iterator[tuple[Store, ...]]:
    """Yield the stores of each transaction: first what puts the erasure in force, then the others one by one."""
    first = {store.description.name for store in _FIRST}
    noted = _noted(request)
    if not first <= noted:
        yield _FIRST
    for store in seam.emptied():
        if store.description.name not in first | noted:
            yield (store,)


def _noted(request: RightsRequest) -> set[str]:
    """Return the stores that are done in the present round."""
    round_ = requests.reworks(request)
    return set(request.erasure_steps.filter(round=round_).values_list("store", flat=True))


@transaction.atomic
def _take(pk: UUID, erasure: Erasure, stores: tuple[Store, ...], now: datetime) -> bool:
    """Empty stores and note it, unless another worker did or a hold came; return whether the erasure goes on."""
    _wait_for_holds(stores)
    request = requests.locked(pk)
    if request.state != State.IN_PROGRESS:
        return False
    if blocking.block_if_kept(request, actor=erasure.actor, now=now):
        return False
    noted, is_first = _noted(request), not request.erasure_steps.exists()
    for store in stores:
        if store.description.name not in noted:
            _note(request, store, remove(store, request.subject_ref, erasure), now)
    if is_first:
        # The last thing before the commit: a line without its commit is repeated, a commit without its line is lost.
        ledger.append([line(request.subject_ref, erasure, now)])
    return True


def _wait_for_holds(stores: tuple[Store, ...]) -> None:
    """Take turns with holds that are being set, and with other deleters of these data sets."""
    for store in stores:
        turns.take(store.description.name)


def remove(store: Store, ref: UUID, erasure: Erasure) -> Removed:
    """Empty one store of a person, by what it says of itself."""
    if store.description.fate is Fate.ANONYMISED:
        return store.anonymise(ref, erasure)
    return store.erase(ref, erasure) if store.locate(ref) else Removed()


def _note(request: RightsRequest, store: Store, removed: Removed, now: datetime) -> None:
    ErasureStep.objects.create(
        request=request,
        round=requests.reworks(request),
        store=store.description.name,
        fate=store.description.fate,
        rows=removed.rows,
        keys_sha256=removed.keys_sha256,
        also=dict(removed.also),
        done_at=now,
    )


def line(ref: UUID, erasure: Erasure, now: datetime) -> ledger.Line:
    """Return the line of the erasure ledger."""
    return {"kind": KIND, "who": ledger.marker()(ref), "erasure": str(erasure.id), "cut_off": now.isoformat()}
