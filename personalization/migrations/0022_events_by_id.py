"""An index of events by their id alone, built while events come in, and one less that serves nothing.

Django indexes a text that points to another table a second time, for searches by its beginning; events are never looked
for like that. The recent part of a person's row stays within it, where it moved out as soon as there was an older part.
"""

import time

import psycopg
from django.db import migrations, models, transaction
from django.db.utils import OperationalError

_TABLE, _INDEX = "personalization_event", "personalization_event_by_id"
_ATTEMPTS, _PATIENCE = 30, "2s"
_MISSING = f"""
SELECT c.oid::regclass::text, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = '{_TABLE}'::regclass AND NOT EXISTS (
  SELECT FROM pg_index x JOIN pg_inherits p ON p.inhrelid = x.indexrelid
  WHERE x.indrelid = c.oid AND p.inhparent = '{_INDEX}'::regclass
)
"""
_LIKE = f"""
SELECT x.indexrelid::regclass::text FROM pg_index x JOIN pg_opclass o ON o.oid = x.indclass[0]
WHERE x.indrelid = '{_TABLE}'::regclass AND x.indnatts = 1 AND o.opcname = 'varchar_pattern_ops'
"""


def _forward(apps, schema_editor):
    connection = schema_editor.connection
    _within(connection, f"CREATE INDEX IF NOT EXISTS {_INDEX} ON ONLY {_TABLE} (id)")
    concurrently = "" if connection.in_atomic_block else "CONCURRENTLY"
    with connection.cursor() as cursor:
        cursor.execute(_MISSING)
        for partition, name in cursor.fetchall():
            index = f"{name[:57]}_by_id"
            # One that an interrupted run left behind may be invalid.
            cursor.execute(f"DROP INDEX {concurrently} IF EXISTS {index}")
            cursor.execute(f"CREATE INDEX {concurrently} {index} ON {partition} (id)")
            cursor.execute(f"ALTER INDEX {_INDEX} ATTACH PARTITION {index}")
        cursor.execute(_LIKE)
        unused = [index for (index,) in cursor.fetchall()]
    _within(
        connection,
        *(f"DROP INDEX {index}" for index in unused),
        "ALTER TABLE personalization_onlinefeatures ALTER recent SET STORAGE MAIN",
    )


def _back(apps, schema_editor):
    _within(
        schema_editor.connection,
        f"DROP INDEX IF EXISTS {_INDEX}",
        "ALTER TABLE personalization_onlinefeatures ALTER recent SET STORAGE EXTERNAL",
    )


def _within(connection, *statements):
    """Run statements that wait for readers of the tables: for a short time, several times over."""
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
                for statement in statements:
                    cursor.execute(statement)
                cursor.execute("SET LOCAL lock_timeout = DEFAULT")
        except OperationalError as exc:
            if not isinstance(exc.__cause__, psycopg.errors.LockNotAvailable) or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(1)
        else:
            return


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("personalization", "0021_frequency_caps")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(_forward, _back)],
            state_operations=[
                migrations.AddIndex(
                    model_name="event", index=models.Index(fields=["id"], name="personalization_event_by_id")
                )
            ],
        )
    ]
