"""Erasures after a restore: a database from before one erases the person again, as the ledger's line says."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from audit import trail
from audit.models import AuditEvent
from common import actors
from consent.ledger.persons.erasing import ERASED
from consent.models import SubjectLink
from privacy.erasures.ledger import Line
from privacy.models import Disposal
from privacy.rights.erasure.carrying import remove
from privacy.rights.models import RightsRequest
from privacy.rights.stores import seam
from privacy.rights.stores.seam import Erasure

AGAIN = "erasures.erased_again"


@transaction.atomic
def replay(ref: UUID, line: Line) -> bool:
    """Erase a person again where this database does not have the erasure; return whether it had not.

    A database that has it may hold what the person agreed to since, and is left as it is. Holds of a restored past do
    not keep the erasure: when it came into force there was none.
    """
    is_known = AuditEvent.objects.filter(object=str(ref), action=ERASED, details__erasure=line["erasure"])
    if is_known.exists():
        return False
    erasure = Erasure(UUID(line["erasure"]), actors.job("replay"))
    removed = {}
    for store in seam.emptied():
        done = remove(store, ref, erasure)
        if done.rows:
            removed[store.description.name] = done.rows
    details = {"erasure": line["erasure"], "line": line["digest"], "removed": removed}
    trail.record(AGAIN, str(ref), actor=erasure.actor, details=details)
    return True


def people() -> Iterable[UUID]:
    """Return who is in this database also without a choice of their own: by a request, a link or a deletion."""
    named = (RightsRequest.objects, SubjectLink.objects, Disposal.objects)
    for rows in named:
        refs = rows.order_by().values_list("subject_ref", flat=True).distinct()
        yield from (ref for ref in refs.iterator(chunk_size=10_000) if ref is not None)
