"""Legal holds and deletions take turns: from its commit on, a hold keeps the person's data.

A hold is a column of the person (``DataSubject.held``), set by a page, an import or by hand. A trigger makes each of
them wait for the deletions in flight, and a deletion waits for the holds that are being set (docs/decisions/0025).
"""

from uuid import UUID

from django.db import connection

from consent.models import DataSubject

LOCK = 0x686F6C64  # "hold"; the trigger of migration 0009 takes it


def wait_for_holds() -> None:
    """Wait for holds in flight, and keep new ones waiting until this transaction ends.

    A statement of its own, before the one that reads ``held``: only the next statement sees what was waited for. That
    is so under READ COMMITTED only, so anything else is refused.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s), current_setting('transaction_isolation')", [LOCK])
        isolation = cursor.fetchone()[1]
    if not connection.in_atomic_block or isolation != "read committed":
        raise RuntimeError("A deletion needs a READ COMMITTED transaction: it would not see the hold it waited for.")


def is_held(subject_ref: UUID) -> bool:
    return DataSubject.objects.filter(ref=subject_ref, held=True).exists()
