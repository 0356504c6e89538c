"""No way leads into a register's tables past change sets, and a guard that is switched off is found."""

from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from governance.evidence import guards
from oversight import registers

pytestmark = pytest.mark.django_db
MODELS = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
TABLES = [table for table in registers.tables() if table != "auth_user"]  # accounts: test_provenance_of_pages


def _orm(table: str) -> None:
    field = MODELS[table]._meta.concrete_fields[1]
    MODELS[table]._default_manager.update(**{field.name: F(field.attname)})


def _deletion(table: str) -> None:
    MODELS[table]._default_manager.all()._raw_delete("default")


def _bulk(table: str) -> None:
    MODELS[table]._default_manager.bulk_create([MODELS[table]()])


def _run(statement: str) -> Any:
    def run(table: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table=table))

    return run


def _copied(table: str) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        copy.write(b"")


_BY_CHANGE_SET = "is a register: it is changed by a change set"
# What stands on the register is emptied with it, and may be guarded as append-only.
_REFUSED = {"TRUNCATE": f"{_BY_CHANGE_SET}|append-only"}
WAYS = {
    "ORM": _orm,
    "deletion": _deletion,
    "bulk": _bulk,
    "INSERT": _run("INSERT INTO {table} SELECT * FROM {table}"),
    "MERGE": _run("MERGE INTO {table} USING (SELECT 1) s ON false WHEN MATCHED THEN DELETE"),
    "COPY": _copied,
    "TRUNCATE": _run("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE {table} CASCADE"),
    "a WITH": _run("WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM gone"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("table", TABLES)
def test_no_way_leads_past_change_sets(guarded: None, table: str, way: str) -> None:
    refused = pytest.raises((DatabaseError, psycopg.Error), match=_REFUSED.get(way, _BY_CHANGE_SET))
    with refused, transaction.atomic():
        WAYS[way](table)


@pytest.mark.parametrize("table", registers.tables())
@pytest.mark.parametrize(
    "how", ["DISABLE TRIGGER {trigger}", "DISABLE TRIGGER USER", "ENABLE REPLICA TRIGGER {trigger}"]
)
def test_a_guard_that_sleeps_is_found(table: str, how: str) -> None:
    assert guards.broken() is None
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} {how.format(trigger=f'{table}_by_change_set')}")

    assert "is missing or switched off" in str(guards.broken())


def test_no_session_of_the_program_may_skip_triggers() -> None:
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")


@pytest.mark.parametrize("target", ["ROLE CURRENT_USER", "DATABASE {database}"])
def test_a_user_or_database_that_skips_triggers_is_found(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' user may not set it, so another setting stands in for it."""
    query = guards._SKIPPED.replace("session_replication_role=replica", "geqo_seed=0.5")
    monkeypatch.setattr(guards, "_SKIPPED", query)
    assert guards.broken() is None
    with connection.cursor() as cursor:
        database = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER {target.format(database=database)} SET geqo_seed = 0.5")

    assert guards.broken() == "this database user's sessions skip triggers (session_replication_role)"
