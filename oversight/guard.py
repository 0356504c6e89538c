"""Guard of the registers' tables: a trigger refuses every write whose transaction names no writer."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, migrations

SETTING = "assent.writer"

_FUNCTION = """
CREATE OR REPLACE FUNCTION assent_refuse_unapproved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('assent.writer', true), '') = '' THEN
    RAISE EXCEPTION '% is a register: it is changed by a change set, and % is refused', TG_TABLE_NAME, TG_OP
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
"""


def guard(*tables: str, columns: tuple[str, ...] = ()) -> migrations.RunSQL:
    """Return the migration step that refuses writes to ``tables`` outside ``writing``.

    ``columns``: those that only a change set may update, where jobs keep others in the same table.
    """
    update = f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"
    forward = _FUNCTION + "".join(
        f"""
CREATE TRIGGER {table}_by_change_set BEFORE INSERT OR {update} OR DELETE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_unapproved();
"""
        for table in tables
    )
    backward = "".join(f"DROP TRIGGER {table}_by_change_set ON {table};" for table in tables)
    return migrations.RunSQL(forward, backward)


def let_migration_write() -> migrations.RunSQL:
    """Return the step that lets the migration it stands in write registers, until its transaction ends."""
    statement = f"SELECT set_config('{SETTING}', 'migration', true)"
    return migrations.RunSQL(statement, statement)


@contextmanager
def writing(writer: str) -> Iterator[None]:
    """Let this transaction write registers until the block ends. Call it inside a transaction."""
    before = let_write(writer)
    yield
    # Not after an error: the transaction or its savepoint is rolled back then, and the setting with it.
    let_write(before)


def let_write(writer: str) -> str:
    """Name the writer until this transaction ends, or its savepoint is rolled back; return who was named before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting(%s, true), ''), set_config(%s, %s, true)", [SETTING, SETTING, writer]
        )
        return str(cursor.fetchone()[0])
