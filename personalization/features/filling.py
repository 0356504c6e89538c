"""Online rows for people who have events and none: after an upgrade, and after a deletion of some of their events.

People are taken by pages of their pseudonyms, in short transactions that lock these rows alone. Where deletions are
under way, a page is left for the next night: the events themselves are read until then.
"""

import logging
from collections.abc import Iterator
from uuid import UUID

from django.db import OperationalError, connection, transaction

from consent.models import DataSubject

logger = logging.getLogger(__name__)
_PAGE, _AT_ONCE = 1_000, 20
_WAIT_MS = 200  # for an event or a deletion of the same people
_MISSING = """
SELECT s.ref, p.slug FROM unnest(%s::uuid[]) s (ref) CROSS JOIN consent_purpose p
LEFT JOIN personalization_onlinefeatures f ON f.subject_ref = s.ref AND f.purpose = p.slug
WHERE f.recent IS NULL
  AND EXISTS (SELECT FROM personalization_event e WHERE e.subject_ref = s.ref AND e.purpose = p.slug OFFSET 0)
"""


def fill() -> tuple[int, int]:
    """Make the rows that are missing or open; return how many were made and how many were left."""
    made = wanted = 0
    for page in _pages():
        with connection.cursor() as cursor:
            cursor.execute(_MISSING, [page])
            missing = cursor.fetchall()
        wanted += len(missing)
        for start in range(0, len(missing), _AT_ONCE):
            made += _fill(missing[start : start + _AT_ONCE])
    return made, wanted - made


def _pages() -> Iterator[list[UUID]]:
    last = UUID(int=0)
    while page := list(DataSubject.objects.filter(ref__gt=last).order_by("ref").values_list("ref", flat=True)[:_PAGE]):
        yield page
        last = page[-1]


def _fill(pairs: list[tuple[UUID, str]]) -> int:
    people, purposes = zip(*pairs, strict=True)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{_WAIT_MS}ms"])
            cursor.execute("SELECT assent_features_fill(%s::uuid[], %s::text[])", [list(people), list(purposes)])
            return int(cursor.fetchone()[0])
    except OperationalError:
        logger.info("Rows of %s people are in use just now and are made another night", len(people))
        return 0
