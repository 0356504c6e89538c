"""Advisory locks of long work have one holder, and end with the block."""

import pytest
from django.db import connection

from common.postgres import advisory

pytestmark = pytest.mark.django_db
KEY = 0x74657374


def test_a_lock_has_one_holder_until_its_block_ends() -> None:
    with advisory.held(KEY) as first, advisory.held(KEY) as second:
        assert (first, second) == (True, False)

    with advisory.held(KEY) as again:
        assert again


def test_a_lock_is_not_in_the_session_of_the_work() -> None:
    with advisory.held(KEY), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")

        assert cursor.fetchone() == (0,)
