"""Queries and tables that every engine has to agree on: one query for each thing that the seam promises."""

import random
from typing import Any

import pyarrow as pa

from common.analytics.engine import Query, Type

_TEXTS = ["", "a", "A", "ä", "zebra", "Zebra", "日本", "😀", "a'b", 'a"b', None]


def tables(rows: int = 300) -> dict[str, Any]:
    chance = random.Random(18)
    numbers = [None if chance.random() < 0.1 else chance.randrange(-(10**15), 10**15) for _ in range(rows)]
    return {
        "facts": pa.table(
            {
                "row": pa.array(range(rows), pa.int64()),
                "grp": pa.array([chance.randrange(7) for _ in range(rows)], pa.int32()),
                "number": pa.array(numbers, pa.int64()),
                "share": pa.array([chance.random() for _ in range(rows)], pa.float64()),
                "label": pa.array([chance.choice(_TEXTS) for _ in range(rows)], pa.string()),
                "ref": pa.array([chance.randbytes(4) for _ in range(rows)], pa.binary()),
                "is_on": pa.array([chance.random() < 0.5 for _ in range(rows)], pa.bool_()),
            }
        ),
        "groups": pa.table(
            {"grp": pa.array([0, 1, 2, 9], pa.int32()), "title": pa.array(["none", "one", "two", "nine"])}
        ),
    }


def _query(sql: str, key: str, **columns: Type) -> Query:
    return Query(sql, columns, tuple(key.split()))


QUERIES = {
    "sums_and_quotients": _query(
        "SELECT grp, count(*) AS entries, count(number) AS known, sum(quotient(number, 1000)) AS thousands,"
        " max(share) AS most FROM facts GROUP BY grp",
        "grp",
        grp=Type.SMALL,
        entries=Type.INTEGER,
        known=Type.INTEGER,
        thousands=Type.INTEGER,
        most=Type.FLOAT,
    ),
    "texts_in_order": _query(
        "SELECT label, count(DISTINCT ref) AS refs, min(ref) AS first FROM facts GROUP BY label",
        "label",
        label=Type.TEXT,
        refs=Type.INTEGER,
        first=Type.BYTES,
    ),
    "digests": _query(
        "SELECT DISTINCT label, text_digest(label) AS digest FROM facts", "label", label=Type.TEXT, digest=Type.TEXT
    ),
    "joins": _query(
        "SELECT f.row, f.is_on, g.title || '-' || f.label AS name FROM facts f LEFT JOIN groups g ON g.grp = f.grp",
        "row",
        row=Type.INTEGER,
        is_on=Type.BOOLEAN,
        name=Type.TEXT,
    ),
    "windows": _query(
        "SELECT row, row_number() OVER (PARTITION BY grp ORDER BY row DESC) AS place,"
        " sum(CASE WHEN is_on THEN 1 ELSE 0 END) OVER (PARTITION BY grp ORDER BY row"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM facts",
        "row",
        row=Type.INTEGER,
        place=Type.SMALL,
        before=Type.INTEGER,
    ),
    "filters": _query(
        "WITH chosen AS (SELECT * FROM facts WHERE number IS NOT NULL AND number >= 0)"
        " SELECT grp, count(*) FILTER (WHERE is_on) AS on_count FROM chosen GROUP BY grp",
        "grp",
        grp=Type.SMALL,
        on_count=Type.INTEGER,
    ),
    "nothing": _query("SELECT row FROM facts WHERE row < 0", "row", row=Type.INTEGER),
    "key_with_null": _query("SELECT number, row FROM facts", "number row", number=Type.INTEGER, row=Type.INTEGER),
}
