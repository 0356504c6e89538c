"""Legal holds and deletions take turns: from its commit on, a hold keeps the person's data.

What holds and restrictions say of a person stands in the person's row: ``held`` and ``restricted`` for every purpose,
``limits`` for single ones. Whoever sets them takes the lock, a trigger does so for statements by hand, and a deletion
waits for the holds that are being set (docs/decisions/0025).
"""

from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from consent.models import DataSubject

LOCK = 0x686F6C64  # "hold"; the trigger of migration 0009 takes it
# Its answer's second column goes to require_read_committed().
WAIT = f"SELECT pg_advisory_xact_lock_shared({LOCK}), current_setting('transaction_isolation')"


def wait_for_holds() -> None:
    """Wait for holds in flight, and keep new ones waiting until this transaction ends.

    A statement of its own, before the one that reads ``held``: only the next statement sees what was waited for. That
    is so under READ COMMITTED only, so anything else is refused.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAIT)
        require_read_committed(cursor.fetchone()[1])


def require_read_committed(isolation: str) -> None:
    """Raise RuntimeError where the next statement would not see what was waited for."""
    if not connection.in_atomic_block or isolation != "read committed":
        raise RuntimeError("A deletion needs a READ COMMITTED transaction: it would not see the hold it waited for.")


def take_turn() -> None:
    """Wait for the deletions in flight, and keep new ones waiting until this transaction ends. Before any hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def kept(purpose: str) -> QuerySet[DataSubject]:
    """Return the people whose data of a purpose is neither used nor deleted: under a hold, or restricted."""
    return DataSubject.objects.filter(Q(held=True) | Q(restricted=True) | Q(limits__has_key=purpose))


def is_kept(subject_ref: UUID, purpose: str) -> bool:
    """Return whether a hold or a restriction keeps this person's data of a purpose."""
    return kept(purpose).filter(ref=subject_ref).exists()
