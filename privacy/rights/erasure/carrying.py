"""Carry an erasure out: one commit puts it in force, then each store is emptied in a transaction of its own.

Each step is noted where it is done. Killed anywhere, the erasure goes on behind the last noted step, and a step that
was noted is not done again. The line of the erasure ledger is on disk before the commit that it is about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
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
    work = _Work(request, Erasure(request.pk, str(actor)), requests.reworks(request), now)
    return all(_take(work, stage) for stage in _stages(work)) and elsewhere.reach(request, now)


@dataclass(frozen=True)
class _Work:
    """An erasure at work. A step that is noted under a round that has just ended is done again in the next."""

    request: RightsRequest
    erasure: Erasure
    round: int
    now: datetime


@dataclass(frozen=True)
class _Stage:
    """Stores of one transaction. ``is_look``: those that are empty anyway are noted, and nothing is removed."""

    stores: tuple[Store, ...]
    is_look: bool = False


def _stages(work: _Work) -> Iterator[_Stage]:
    """Yield the transactions: what puts the erasure in force, what is empty anyway, then one by one."""
    noted = _noted(work)
    if not {store.description.name for store in _FIRST} <= noted:
        yield _Stage(_FIRST)
    others = [each for each in seam.emptied() if each not in _FIRST and each.description.name not in noted]
    if others:
        yield _Stage(tuple(others), is_look=True)
        noted = _noted(work)
    for store in others:
        if store.description.name not in noted:
            yield _Stage((store,))


def _noted(work: _Work) -> set[str]:
    """Return the stores that are done in a round."""
    return set(work.request.erasure_steps.filter(round=work.round).values_list("store", flat=True))


@transaction.atomic
def _take(work: _Work, stage: _Stage) -> bool:
    """Empty stores and note it, unless another worker did or a hold came; return whether the erasure goes on."""
    turns.take(*_data_sets(stage))
    request = requests.locked(work.request.pk)
    if request.state != State.IN_PROGRESS:
        return False
    if blocking.block_if_kept(request, actor=work.erasure.actor, now=work.now):
        return False
    noted = _noted(work)
    stores = [each for each in stage.stores if each.description.name not in noted]
    steps = [_note(work, *done) for done in (_looked if stage.is_look else _removed)(stores, request, work.erasure)]
    if stage.stores == _FIRST and work.round == 0 and not noted:
        # Before the commit: a line without its commit is repeated, a commit without its line is lost.
        (entry,) = ledger.append([line(request.subject_ref, work.erasure, work.now)])
        steps[0].also["ledger"] = {"line": entry["seq"], "digest": entry["digest"]}
    ErasureStep.objects.bulk_create(steps)
    return True


def _data_sets(stage: _Stage) -> set[str]:
    """Return the data sets of a stage whose other deleters are waited for; a look deletes nothing."""
    if stage.is_look:
        return set()
    return {each.name for each in schedules.stores()} & {store.description.name for store in stage.stores}


def _looked(stores: list[Store], request: RightsRequest, _erasure: Erasure) -> list[tuple[Store, Removed]]:
    counts = count_all(stores, request.subject_ref)
    return [(store, Removed()) for store in stores if not counts[store.description.name]]


def _removed(stores: list[Store], request: RightsRequest, erasure: Erasure) -> list[tuple[Store, Removed]]:
    return [(store, remove(store, request.subject_ref, erasure)) for store in stores]


def remove(store: Store, ref: UUID, erasure: Erasure) -> Removed:
    """Empty one store of a person, by what it says of itself."""
    if store.description.fate is Fate.ANONYMISED:
        return store.anonymise(ref, erasure)
    return store.erase(ref, erasure) if store.locate(ref) else Removed()


def _note(work: _Work, store: Store, removed: Removed) -> ErasureStep:
    return ErasureStep(
        request=work.request,
        round=work.round,
        store=store.description.name,
        fate=store.description.fate,
        rows=removed.rows,
        keys_sha256=removed.keys_sha256,
        also=dict(removed.also),
        done_at=work.now,
    )


def line(ref: UUID, erasure: Erasure, now: datetime) -> ledger.Line:
    """Return the line of the erasure ledger."""
    return {"kind": KIND, "who": ledger.marker()(ref), "erasure": str(erasure.id), "cut_off": now.isoformat()}
