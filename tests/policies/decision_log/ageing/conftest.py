"""A log without days at the beginning."""

import pytest
from django.db import connection

from policies.decision_log.ageing import days


@pytest.fixture(autouse=True)
def no_days(db: None) -> None:
    """No day that a test which commits has left: its rows are flushed after it, its partitions are not."""
    with connection.cursor() as cursor:
        for day in days.stored():
            cursor.execute(f"SELECT EXISTS (SELECT FROM {day.partition})")
            assert cursor.fetchone() == (False,), f"{day.partition} holds decisions before the test"
            cursor.execute(f"DROP TABLE {day.partition}")
