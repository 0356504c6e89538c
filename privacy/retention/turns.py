"""Deleters of one data set take turns, and holds that are being set go first.

Each lock is a statement of its own, before the one that deletes: only the next statement sees what was waited for.
"""

import hashlib
from uuid import UUID

from django.db import connection
from django.db.models import Q

from consent.ledger import holds
from privacy.models import HoldMember


def take(*data_sets: str) -> None:
    """Wait for other deleters of the data sets and for holds in flight; keep both waiting until this transaction ends.

    Holds last: who waits for a deleter must not keep a hold waiting. Raises RuntimeError where the transaction would
    not see what it waited for.
    """
    with connection.cursor() as cursor:
        for data_set in sorted(data_sets):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number(data_set)])
    holds.wait_for_holds()
    with connection.cursor() as cursor:
        # Whoever writes a hold, a page, an import or SQL by hand, takes ROW EXCLUSIVE and so waits, or is waited for.
        cursor.execute("LOCK TABLE privacy_holdmember IN SHARE MODE")


def is_kept(subject_ref: UUID, purpose: str) -> bool:
    """Return whether a hold or a restriction keeps this person's data of a purpose."""
    member = HoldMember.objects.filter(Q(purpose="") | Q(purpose=purpose), ref=subject_ref)
    return holds.is_kept(subject_ref, purpose) or member.exists()


def _number(data_set: str) -> int:
    return int.from_bytes(hashlib.sha256(f"delete {data_set}".encode()).digest()[:8], "big", signed=True)
