"""Carry an erasure out: one commit puts it in force, then each store is emptied in a transaction of its own.

Each step is noted where it is done. Killed anywhere, the erasure goes on behind the last noted step, and a step that
was noted is not done again. The line of the erasure ledger is on disk before the commit that it is about.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction

from privacy.erasures import ledger
from privacy.retention import schedules, turns
from privacy.rights.erasure import elsewhere
from privacy.rights.models import ErasureStep, RightsRequest
from privacy.rights.requests import blocking, requests
from privacy.rights.requests.states import State
from privacy.rights.stores import seam
from privacy.rights.stores.links import LINKS
from privacy.rights.stores.person import PERSON
from privacy.rights.stores.seam import Erasure, Fate, Removed, Store
from privacy.rights.stores.tables import count_all

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
    """Yield the stores of each transaction: what puts the erasure in force, what is empty anyway, then one by one."""
    noted = _noted(request, requests.reworks(request))
    if not {store.description.name for store in _FIRST} <= noted:
        yield _FIRST
    others = [each for each in seam.emptied() if each not in _FIRST and each.description.name not in noted]
    counts = count_all(others, request.subject_ref)
    empty = tuple(store for store in others if not counts[store.description.name])
    if empty:
        yield empty
    for store in others:
        if store not in empty:
            yield (store,)


def _noted(request: RightsRequest, round_: int) -> set[str]:
    """Return the stores that are done in a round."""
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
    round_ = requests.reworks(request)
    noted = _noted(request, round_)
    steps = [
        _note(request, round_, store, remove(store, request.subject_ref, erasure), now)
        for store in stores
        if store.description.name not in noted
    ]
    if stores == _FIRST and round_ == 0 and not noted:
        # Before the commit: a line without its commit is repeated, a commit without its line is lost.
        (entry,) = ledger.append([line(request.subject_ref, erasure, now)])
        steps[0].also["ledger"] = {"line": entry["seq"], "digest": entry["digest"]}
    ErasureStep.objects.bulk_create(steps)
    return True


def _wait_for_holds(stores: tuple[Store, ...]) -> None:
    """Take turns with holds that are being set, and with other deleters of these data sets."""
    data_sets = {each.name for each in schedules.stores()}
    turns.take(*data_sets & {store.description.name for store in stores})


def remove(store: Store, ref: UUID, erasure: Erasure) -> Removed:
    """Empty one store of a person, by what it says of itself."""
    if store.description.fate is Fate.ANONYMISED:
        return store.anonymise(ref, erasure)
    return store.erase(ref, erasure) if store.locate(ref) else Removed()


def _note(request: RightsRequest, round_: int, store: Store, removed: Removed, now: datetime) -> ErasureStep:
    return ErasureStep(
        request=request,
        round=round_,
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
