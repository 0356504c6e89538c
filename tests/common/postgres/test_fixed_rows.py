"""Rows of fixed width: what comes out is what the database holds, and anything else is refused."""

from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pytest

from common.postgres import fixed_rows
from common.postgres.fixed_rows import NotFixed

pytestmark = pytest.mark.django_db
ALL = {
    "small": fixed_rows.INT2,
    "number": fixed_rows.INT4,
    "large": fixed_rows.INT8,
    "share": fixed_rows.FLOAT8,
    "moment": fixed_rows.TIMESTAMPTZ,
    "ref": fixed_rows.UUID,
}


def _read(statement, columns, parameters=()):
    return [row for rows in fixed_rows.read(statement, columns, parameters) for row in rows]


def test_every_type_comes_out_as_it_is():
    at, ref = datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC), UUID(int=2**127 + 5)

    [row] = _read(
        "SELECT -7::int2, (-2147483648)::int4, 9223372036854775807::int8, .1::float8, %s::timestamptz, %s::uuid",
        ALL,
        [at, ref],
    )

    assert (row["small"], row["number"], row["large"], row["share"]) == (-7, -(2**31), 2**63 - 1, 0.1)
    assert row["moment"] + fixed_rows.EPOCH_US == round(at.timestamp()) * 1_000_000 - 1
    assert row["ref"].tobytes() == ref.bytes


@pytest.mark.parametrize("rows", [0, 1, 2, 400_000])
def test_no_row_is_lost_between_pieces(rows):
    found = list(fixed_rows.read(f"SELECT n FROM generate_series(1, {rows}) n", {"n": fixed_rows.INT4}))

    numbers = np.concatenate([piece["n"] for piece in found])
    assert numbers.tolist() == list(range(1, rows + 1))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT NULL::int4",
        "SELECT n FROM (VALUES (1::int4), (NULL), (3)) v (n)",
        "SELECT 1::int8",
        "SELECT 'texts'::text",
        "SELECT 1::int4, 2::int4",
    ],
)
def test_a_null_or_another_shape_is_refused(statement):
    with pytest.raises(NotFixed):
        _read(statement, {"n": fixed_rows.INT4})
