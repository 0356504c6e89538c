"""Arrays in PostgreSQL's binary format: the database reads what was written."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from django.db import connection

from common.postgres import arrays
from common.postgres.prepared import PreparedStatement

pytestmark = pytest.mark.django_db
_FAR = timezone(timedelta(hours=14))
VALUES = {
    "uuid": (arrays.uuids, arrays.UUIDS, [uuid4(), UUID(int=0)]),
    "text": (arrays.texts, arrays.TEXTS, ["", "a", None, 'Köln, "{}" \\', "NULL", "x" * 300]),
    "int8": (arrays.numbers, arrays.NUMBERS, [0, None, -1, 2**63 - 1, -(2**63)]),
    "float8": (arrays.floats, arrays.FLOATS, [0.0, 1.5, -1e300, float("inf")]),
    "timestamptz": (
        arrays.moments,
        arrays.MOMENTS,
        [
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(2026, 11, 29, 12, 0, 0, 1, tzinfo=_FAR),
            datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        ],
    ),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("is_empty", [False, True])
def test_the_database_reads_the_values(name, is_empty):
    write, kind, values = VALUES[name]
    values = [] if is_empty else values
    statement = PreparedStatement(f"own_{name}", "SELECT to_json($1)::text", [kind], binary=True, timeout_ms=60_000)

    read = (statement.execute([write(values)]).get_value(0, 0) or b"").decode()

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_json(%s::{name}[])::text", [values])
        assert read == cursor.fetchone()[0]
