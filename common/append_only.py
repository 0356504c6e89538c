"""Append-only tables: a trigger in the database refuses changes of their rows, for every role."""

from collections.abc import Mapping

from django.db import migrations

_FUNCTION = """
CREATE OR REPLACE FUNCTION assent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
"""


def guard(*tables: str) -> migrations.RunSQL:
    """Return the migration step that refuses UPDATE, DELETE and TRUNCATE on ``tables``."""
    forward = _FUNCTION + "".join(_triggers(table) for table in tables)
    backward = "".join(
        f"DROP TRIGGER {table}_append_only ON {table}; DROP TRIGGER {table}_no_truncate ON {table};" for table in tables
    )
    return migrations.RunSQL(forward, backward)


def _triggers(table: str) -> str:
    return f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assent_refuse_change();
{no_truncate(table)}"""


def no_truncate(table: str) -> str:
    """Return SQL that refuses TRUNCATE on a partition: a trigger on the whole table does not cover its parts."""
    return f"""
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_change();
"""


_EARLY = """
CREATE OR REPLACE FUNCTION assent_refuse_early_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (to_jsonb(OLD) ->> TG_ARGV[0])::timestamptz < now() - TG_ARGV[1]::interval THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% is append-only for %: % is refused', TG_TABLE_NAME, TG_ARGV[1], TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
"""


def guard_until_old(tables: Mapping[str, str], age: str) -> migrations.RunSQL:
    """Return the step that refuses UPDATE and TRUNCATE, and DELETE of rows younger than ``age`` by the column named."""
    forward, backward = _FUNCTION + _EARLY, ""
    for table, column in tables.items():
        forward += f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assent_refuse_change();
CREATE TRIGGER {table}_no_early_delete BEFORE DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assent_refuse_early_delete('{column}', '{age}');
{no_truncate(table)}"""
        backward += "".join(
            f"DROP TRIGGER {table}_{name} ON {table};" for name in ("append_only", "no_early_delete", "no_truncate")
        )
    return migrations.RunSQL(forward, backward)


def guard_until_passed(*tables: str, column: str, upto: str) -> migrations.RunSQL:
    """Return the step that refuses UPDATE and TRUNCATE, and DELETE of rows whose number is above what ``upto`` selects.

    The tables may be under ``guard``, which refuses every DELETE: its trigger is replaced.
    """
    function = f"assent_refuse_unpassed_{tables[0]}"
    forward = (
        _FUNCTION
        + f"""
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.{column} <= ({upto}) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""
    )
    backward = ""
    for table in tables:
        forward += f"""
DROP TRIGGER IF EXISTS {table}_append_only ON {table};
DROP TRIGGER IF EXISTS {table}_no_truncate ON {table};
CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assent_refuse_change();
CREATE TRIGGER {table}_no_early_delete BEFORE DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION {function}();
{no_truncate(table)}"""
        backward += f"""
DROP TRIGGER {table}_append_only ON {table};
DROP TRIGGER {table}_no_early_delete ON {table};
DROP TRIGGER {table}_no_truncate ON {table};"""
    return migrations.RunSQL(forward, backward + f"DROP FUNCTION {function};")


_REDACTING = """
CREATE OR REPLACE FUNCTION assent_refuse_but_redaction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE stack text;
BEGIN
  GET DIAGNOSTICS stack = PG_CONTEXT;
  IF TG_OP = 'UPDATE' AND OLD.redacted_by IS NULL AND NEW.redacted_by IS NOT NULL
    AND stack ~ E'\\nPL/pgSQL function assent_redact\\\\('
    AND to_jsonb(OLD) - TG_ARGV::text[] = to_jsonb(NEW) - TG_ARGV::text[] THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
"""


def let_redact(table: str, *columns: str) -> migrations.RunSQL:
    """Return the step that lets the one function ``assent_redact`` replace some columns of a guarded table, once."""
    named = ", ".join(f"'{column}'" for column in ("redacted_by", *columns))
    trigger = f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION"
    dropped = f"DROP TRIGGER {table}_append_only ON {table};"
    return migrations.RunSQL(
        f"{_REDACTING}{dropped}{trigger} assent_refuse_but_redaction({named});",
        f"{dropped}{trigger} assent_refuse_change();",
    )
