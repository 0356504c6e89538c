"""Events in partitions by month, keyed by time and identifier. The table there is becomes the first partition.

Nothing is copied: a unique index is built while events come in, then the table is swapped in one short transaction
(docs/decisions/0038-events-by-month.md).
"""

import time
from datetime import UTC, datetime, timedelta

import psycopg
from django.db import migrations, transaction
from django.db.utils import OperationalError

_TABLE, _FIRST, _KEY, _BOUND = (
    "personalization_event",
    "personalization_event_first",
    "personalization_event_key",
    "personalization_event_bound",
)
_ATTEMPTS, _PATIENCE = 30, "2s"
_AHEAD = 3


def _forward(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind FROM pg_class WHERE oid = %s::regclass", [_TABLE])
        if cursor.fetchone()[0] == "p":
            return
        bound = _bound(cursor)
        concurrently = "" if connection.in_atomic_block else "CONCURRENTLY"
        # One that an interrupted run left behind may be invalid.
        cursor.execute(f"DROP INDEX {concurrently} IF EXISTS {_KEY}")
        cursor.execute(f"CREATE UNIQUE INDEX {concurrently} {_KEY} ON {_TABLE} (occurred_at, id)")
        cursor.execute(f"ALTER TABLE {_TABLE} DROP CONSTRAINT IF EXISTS {_BOUND}")
        cursor.execute(
            f"ALTER TABLE {_TABLE} ADD CONSTRAINT {_BOUND}"
            f" CHECK (occurred_at IS NOT NULL AND occurred_at < '{bound.isoformat()}') NOT VALID"
        )
        cursor.execute(f"ALTER TABLE {_TABLE} VALIDATE CONSTRAINT {_BOUND}")
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
                _swap(cursor, bound)
        except OperationalError as exc:
            if not isinstance(exc.__cause__, psycopg.errors.LockNotAvailable) or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(1)
        else:
            return


def _bound(cursor):
    """Return the first month that begins after every stored event, and at least a day from now."""
    cursor.execute(f"SELECT max(occurred_at) FROM {_TABLE}")
    newest = max(cursor.fetchone()[0] or datetime.min.replace(tzinfo=UTC), datetime.now(UTC) + timedelta(days=1))
    return _next(newest.astimezone(UTC))


def _next(moment):
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _swap(cursor, bound):
    cursor.execute(f"LOCK TABLE {_TABLE} IN ACCESS EXCLUSIVE MODE")
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
        [_TABLE],
    )
    foreign_keys = cursor.fetchall()
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass AND NOT indisunique",
        [_TABLE],
    )
    indexes = cursor.fetchall()
    cursor.execute(
        f"ALTER TABLE {_TABLE} DROP CONSTRAINT {_TABLE}_pkey,"
        f" ADD CONSTRAINT {_FIRST}_pkey PRIMARY KEY USING INDEX {_KEY}"
    )
    for name, _ in indexes:
        cursor.execute(f"ALTER INDEX {name} RENAME TO {_shortened(name)}")
    cursor.execute(f"ALTER TABLE {_TABLE} RENAME TO {_FIRST}")
    cursor.execute(
        f"CREATE TABLE {_TABLE} (LIKE {_FIRST} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        " PARTITION BY RANGE (occurred_at)"
    )
    cursor.execute(f"ALTER TABLE {_TABLE} DROP CONSTRAINT {_BOUND}, ADD PRIMARY KEY (occurred_at, id)")
    for name, definition in foreign_keys:
        cursor.execute(f"ALTER TABLE {_TABLE} ADD CONSTRAINT {name} {definition}")
    for _, definition in indexes:
        cursor.execute(definition)
    # Attached as it is: the check says that every row belongs, and each index is taken for the new table's.
    cursor.execute(
        f"ALTER TABLE {_TABLE} ATTACH PARTITION {_FIRST} FOR VALUES FROM (MINVALUE) TO ('{bound.isoformat()}')"
    )
    cursor.execute(f"ALTER TABLE {_FIRST} DROP CONSTRAINT {_BOUND}")
    for _ in range(_AHEAD):
        end = _next(bound)
        cursor.execute(
            f"CREATE TABLE {_TABLE}_{bound:%Y_%m} PARTITION OF {_TABLE}"
            f" FOR VALUES FROM ('{bound.isoformat()}') TO ('{end.isoformat()}')"
        )
        bound = end


def _shortened(name):
    return f"{name[:57]}_first"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("personalization", "0003_ratings")]
    operations = [migrations.RunPython(_forward, migrations.RunPython.noop)]
