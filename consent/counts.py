"""Daily counts: dashboards opened, links issued, receipts downloaded. No count names a person.

Kept out of saving choices and of decisions, whose numbers come from the ledger and the decision log.
"""

from datetime import date
from enum import StrEnum

from django.db import connection, transaction
from django.utils import timezone


class What(StrEnum):
    LINK_ISSUED = "link_issued"
    DASHBOARD_OPENED = "dashboard_opened"
    RECEIPT_DOWNLOADED = "receipt_downloaded"


_UPSERT = """
INSERT INTO consent_dailycount AS c (day, what, purpose, region, notice_version, count) VALUES (%s, %s, %s, %s, %s, 1)
ON CONFLICT (day, what, purpose, region, notice_version) DO UPDATE SET count = c.count + 1
"""


def count(what: What, *, purpose: str = "", region: str = "", notice_version: int = 0) -> None:
    """Add one to today's count, in one statement once the caller's transaction is committed.

    What is rolled back is not counted, no transaction waits for the row of the day, and a failure is logged instead of
    raised: a page does not fail for its count.
    """
    row: tuple[date, str, str, str, int] = (timezone.now().date(), what, purpose, region, notice_version)

    def add() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, row)

    transaction.on_commit(add, robust=True)
