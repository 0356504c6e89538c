"""Erasures after a restore: a database from before one erases the person again, as the ledger's line says."""

from uuid import UUID

from django.db import transaction

from audit import trail
from audit.models import AuditEvent
from common import actors
from consent.ledger.erasing import ERASED
from privacy.erasures.ledger import Line
from privacy.rights.erasure.carrying import remove
from privacy.rights.stores import seam
from privacy.rights.stores.seam import Erasure

AGAIN = "erasures.erased_again"


@transaction.atomic
def replay(ref: UUID, line: Line) -> None:
    """Erase a person again where this database does not have the erasure. Holds of a restored past do not keep it.

    A database that has it may hold what the person agreed to since, and is left as it is.
    """
    is_known = AuditEvent.objects.filter(object=str(ref), action=ERASED, details__erasure=line["erasure"])
    if is_known.exists():
        return
    erasure = Erasure(UUID(line["erasure"]), actors.job("replay"))
    removed = {}
    for store in seam.emptied():
        done = remove(store, ref, erasure)
        if done.rows:
            removed[store.description.name] = done.rows
    details = {"erasure": line["erasure"], "line": line["digest"], "removed": removed}
    trail.record(AGAIN, str(ref), actor=erasure.actor, details=details)
