"""Tables of other databases: who may name one, what is read of it, and that nothing is kept of what fails."""

import csv
import io

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from common.postgres import other_databases
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from oversight import registers, rows
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from oversight.problems import ChangeRefused, SecondOfficerNeeded
from privacy.models import ExternalTable, PrivacyBudget, TableRelease, UploadedTable
from privacy.releases import asking, publishing, running, uploads
from privacy.releases.inputs import external, external_register, sources
from privacy.releases.problems import TableRefused
from privacy.releases.profiling import Profile, Role, beginning
from tests.helpers.polling import until
from tests.helpers.registers import drafted, in_force, proposed_by, second_newest, without_writer
from tests.privacy.releases.conftest import ANN, BEN, PARTY, PURPOSE

pytestmark = pytest.mark.django_db
Kind = ChangeSet.Kind
SCHEMA = "warehouse"
_SESSIONS = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'assent-releases'"
ORDERS = {
    "slug": "orders", "title": "Orders", "connection": "shop", "schema": SCHEMA, "relation": "Orders of 2026",
    "person": "customer", "row_key": "id", "columns": ["city", "amount"], "is_active": True,
}  # fmt: skip


@pytest.fixture
def other(settings, monkeypatch):
    """Another session of the server, in the place of another database; what it writes is there for all sessions."""
    parameters = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name in ("host", "port", "user", "password", "dbname")
    }
    settings.EXTERNAL_DATABASES = {"shop": parameters}
    monkeypatch.setattr(external, "_CONNECT_TIMEOUT_S", 300)
    with psycopg.connect(**parameters, autocommit=True) as session:
        session.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
        session.execute(
            f'CREATE TABLE {SCHEMA}."Orders of 2026" (id int, customer text, city text, amount numeric, card text)'
        )
        session.execute(
            f"""INSERT INTO {SCHEMA}."Orders of 2026"
            SELECT n, 'customer-' || n % 60, (ARRAY['Rome', 'Oslo', 'Bonn'])[1 + n % 3], n % 7, '4111-' || n
            FROM generate_series(1, 120) AS n"""
        )
        try:
            yield session
        finally:
            session.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


@pytest.fixture
def orders(officers, other):
    in_force(ANN, BEN, _proposed())
    return ExternalTable.objects.get()


def _proposed(**members):
    return Proposed("external_table", members.get("slug", "orders"), {**ORDERS, **members})


def _read(table):
    return list(csv.DictReader(io.StringIO(b"".join(external.rows(table)).decode())))


def _made(asked, **changes):
    table = sources.take("orders", actor=ANN)
    begun = beginning(Profile(**column) for column in table.columns)
    wanted = asked(roles={**begun, "city": "quasi", "amount": "quasi"}, k=10, l=1, **changes)
    row = asking.ask(table, wanted, actor=ANN, state=TableRelease.State.RUNNING)
    running.carry_out(row)
    assert row.error == ""
    return row


def test_a_table_needs_two_officers_and_its_rows_are_those_of_the_moment(officers, other):
    assert drafted(ANN, _proposed()).kind == Kind.NORMAL

    with pytest.raises(TableRefused, match="no data set"):
        sources.take("orders", actor=ANN)
    in_force(ANN, BEN, _proposed())
    table = sources.take("orders", actor=ANN)

    assert (table.source, table.rows) == ("orders", 120)
    assert {column["name"]: column["role"] for column in table.columns} == {
        "row": Role.DIRECT, "person": Role.PERSON, "city": Role.QUASI, "amount": Role.OTHER,
    }  # fmt: skip
    with uploads.opened(table) as plain:
        assert "4111-" not in plain.read_text(), "a column that is not registered is not read"


def test_from_registration_to_an_approved_release_by_one_command(orders, capsys):
    call_command(
        "release", "data-set", "orders", "--qi", "city,amount", "-k", "10", "--as", "ann", "--to", PARTY,
        "--purpose", PURPOSE, "--people", "eea", "--region", "eu-central",
    )  # fmt: skip
    row = TableRelease.objects.get()
    published = publishing.approve(row, actor=BEN, seen=row.digest)

    assert published.document["source"]["data_set"] == "orders"
    assert published.report["result"]["person"] == "person"
    header, *lines = uploads.copy_of(row).read_text().splitlines()
    assert (header.split(","), len(lines)) == (["city", "amount"], 120)
    assert "Proposed" in capsys.readouterr().out


def test_people_whose_processing_is_restricted_are_left_out_by_id_and_by_pseudonym(orders, other):
    first, second = (subject_ref(f"customer-{n}") for n in (7, 8))
    DataSubject.objects.create(ref=first, restricted=True)
    DataSubject.objects.create(ref=second, restricted=True)
    other.execute(f"""UPDATE {SCHEMA}."Orders of 2026" SET customer = '{second}' WHERE customer = 'customer-8'""")
    other.execute(f"""UPDATE {SCHEMA}."Orders of 2026" SET customer = NULL WHERE id = 1""")

    found = _read(orders)

    assert len(found) == 116
    assert {"customer-7", str(second)} & {row["person"] for row in found} == set()
    assert [row["person"] for row in found if row["row"] == "1"] == [""], "no person is named: none is restricted"


def test_releases_of_two_moments_are_laid_on_each_other_by_the_key(orders, other, asked):
    proposed = publishing.propose(_made(asked), actor=ANN)
    publishing.approve(proposed, actor=BEN, seen=proposed.digest)
    other.execute(f"""INSERT INTO {SCHEMA}."Orders of 2026" VALUES (121, 'customer-61', 'Rome', 3, '')""")

    [laid] = _made(asked).figures["overlaps"]

    assert laid["rows"] == 1, "who knows that one came between finds the row"


ODD = {
    "json": """'{"a": [1, null]}'::jsonb""", "array": "ARRAY['x,y', NULL]", "bytes": r"'\x00ff'::bytea",
    "composite": "ROW(1, 'a\"b')::warehouse.pair", "lines": "E'two\\nlines; \"quoted\"'", "nan": "'NaN'::numeric",
    "ages ago": "'0044-03-15 BC'::date", "ever": "'infinity'::timestamptz",
    "time": "'2026-01-01 12:00+02'::timestamptz",
    "span": "interval '1 month 2 days'", "xml": "'<a/>'::text", "formula": "'=cmd()'", "yes": "true",
    "nothing": "NULL::int",
    "range": "int4range(1, 9)", "é∑": "'ﬀ'",
}  # fmt: skip


def test_columns_of_any_type_and_name_are_read_as_texts(orders, other):
    columns = ", ".join(f'{value} AS "{name}"' for name, value in ODD.items())
    other.execute(f"CREATE TYPE {SCHEMA}.pair AS (n int, t text)")
    other.execute(
        f"CREATE VIEW {SCHEMA}.odd AS SELECT n AS id, n % 3 AS customer, {columns} FROM generate_series(1, 30) n"
    )
    orders.relation, orders.columns = "odd", list(ODD)

    rows_read = _read(orders)
    table = uploads.take("odd.csv", external.rows(orders), actor=ANN)

    assert len(rows_read) == table.rows == 30
    shown = {name: rows_read[0][name] for name in ("array", "lines", "ages ago", "time", "span", "nothing")}
    assert shown == {
        "array": '{"x,y",NULL}', "lines": 'two\nlines; "quoted"', "ages ago": "0044-03-15 BC",
        "time": "2026-01-01 10:00:00+00", "span": "P1M2D", "nothing": "",
    }  # fmt: skip


# What a table of others can do to whoever reads it; each is refused in a sentence without a value of a row.
_HOSTILE = {
    "SELECT 1 AS id, pg_sleep(600)::text AS customer, 1 AS city, 2 AS amount": "did not answer",
    "SELECT 1 AS id, 'a' AS customer, nextval('warehouse.s') AS city, 2 AS amount": "would have to write",
    "SELECT 1 AS id, 'secret'::text::int AS customer, 1 AS city, 2 AS amount": "refused a statement",
    "SELECT 1 AS id, 'a' AS customer, 1 AS city": "not all of its columns",
    "SELECT 1 AS id, 'a' AS customer, 1 AS city, 2 AS amount FROM generate_series(1, 2)": "2 rows, 1 keys",
    "SELECT ''::text AS id, 'a' AS customer, 1 AS city, 2 AS amount": "1 rows, 0 keys",
    "SELECT n AS id, 'a' AS customer, 1 / (30000 - n) AS city, repeat('x', 99) AS amount"
    " FROM generate_series(1, 30000) AS n": "refused a statement",
}


@pytest.mark.parametrize("view", _HOSTILE)
def test_a_hostile_view_is_refused_and_nothing_is_kept(orders, other, folder, view, monkeypatch):
    if "pg_sleep" in view:
        monkeypatch.setattr(external, "_SETTINGS", external._SETTINGS.replace("'300s'", "'1s'", 1))
    other.execute(f"CREATE SEQUENCE {SCHEMA}.s; CREATE VIEW {SCHEMA}.hostile AS {view}")
    ExternalTable.objects.update(relation="hostile")

    with pytest.raises(TableRefused, match=_HOSTILE[view]) as refused:
        sources.take("orders", actor=ANN)

    assert "secret" not in refused.value.detail
    assert not UploadedTable.objects.exists()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_lock_of_others_is_not_waited_for(orders, other, monkeypatch):
    monkeypatch.setattr(
        external, "_SETTINGS", external._SETTINGS.replace("lock_timeout = '5s'", "lock_timeout = '10ms'")
    )

    with other.transaction():
        other.execute(f'LOCK TABLE {SCHEMA}."Orders of 2026"')
        with pytest.raises(TableRefused, match="lock"):
            sources.take("orders", actor=ANN)


def test_a_server_that_ends_the_connection_in_the_middle_leaves_nothing(orders, other, folder):
    def cut():
        for part in external.rows(orders):
            other.execute(f"SELECT pg_terminate_backend(pid) {_SESSIONS}")
            yield part

    other.execute(
        f"""INSERT INTO {SCHEMA}."Orders of 2026"
        SELECT n, 'c' || n, repeat('x', 900), 1, '' FROM generate_series(1000, 40000) n"""
    )  # more than the buffers of a socket hold

    with pytest.raises(TableRefused, match="ended the connection"):
        uploads.take("orders.csv", cut(), actor=ANN)

    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_who_takes_no_more_ends_the_statement(orders, other, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 100)

    with pytest.raises(TableRefused, match="GB at most"):
        sources.take("orders", actor=ANN)

    left = f"SELECT count(*) {_SESSIONS}"
    until(lambda: other.execute(left).fetchone() == (0,), "the other session ends")


def test_a_database_that_is_not_there_is_said_without_its_address(orders, settings):
    settings.EXTERNAL_DATABASES = {
        "shop": {"host": "127.0.0.1", "port": "9", "user": "u", "password": "pa55", "dbname": "d"}
    }
    with pytest.raises(TableRefused, match="cannot be reached") as refused:
        sources.take("orders", actor=ANN)
    assert "127.0.0.1" not in refused.value.detail

    settings.EXTERNAL_DATABASES = {}
    with pytest.raises(TableRefused, match="knows no database “shop”"):
        sources.take("orders", actor=ANN)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"connection": "elsewhere"}, "no database “elsewhere”"),
        ({"columns": []}, "cannot be blank"),
        ({"columns": [f"c{n}" for n in range(201)]}, "1 to 200 columns"),
        ({"columns": ["city", "city"]}, "named twice"),
        ({"columns": ["city", "customer"]}, "named twice"),
        ({"columns": ["row"]}, "another column “row”"),
        ({"slug": "consents"}, "another data set"),
        ({"slug": "tables-orders"}, "budget of uploaded tables"),
        ({"relation": "a\nb"}, "control characters"),
    ],
)
def test_what_cannot_be_read_or_compared_is_not_registered(officers, other, members, why):
    with pytest.raises(ChangeRefused, match=why):
        proposed_by(ANN, _proposed(**members))


def test_one_table_has_one_name_for_ever(orders):
    for change in (
        _proposed(slug="again"), _proposed(relation="others"), _proposed(row_key="card"),
        Proposed("external_table", "orders", None),
    ):  # fmt: skip
        with pytest.raises(ChangeRefused):
            proposed_by(ANN, change)


def test_only_less_takes_one_officer(orders):
    for less in ({"columns": ["city"]}, {"is_active": False}):
        assert external_register.narrows(ORDERS, {**ORDERS, **less})
        assert not external_register.narrows({**ORDERS, **less}, ORDERS)
    assert not external_register.narrows(ORDERS, {**ORDERS, "columns": ["city"], "person": "card"})
    assert not external_register.narrows(None, ORDERS)
    in_force(ANN, BEN, _proposed(columns=["city"]))
    with pytest.raises(SecondOfficerNeeded):
        in_force(ANN, ANN, _proposed())


def test_a_table_out_of_use_is_read_no_more_and_the_register_has_its_guard(orders):
    in_force(ANN, BEN, _proposed(is_active=False))
    assert "orders" not in sources.known()
    with pytest.raises(TableRefused, match="no data set"):
        sources.take("orders", actor=ANN)

    with without_writer(), pytest.raises(Exception, match="change set"):
        ExternalTable.objects.update(is_active=True)


def test_its_budget_has_its_name(orders):
    in_force(ANN, BEN, Proposed("privacy_budget", "orders", {
        "data_set": "orders", "epsilon_total": "1", "delta": "0", "window": "ever",
    }))  # fmt: skip

    assert PrivacyBudget.objects.filter(data_set="orders").exists()


def test_an_officer_registers_one_in_the_browser_and_another_seconds_it(officer, other):
    form = {**ORDERS, "columns": "city\r\namount\r\n", "is_active": "on"}
    wrong = officer.post(reverse("admin:privacy_externaltable_add"), {**form, "connection": "10.0.0.1"})
    assert not ChangeSet.objects.exists()
    assert wrong.context["adminform"].form.errors

    answer = officer.post(reverse("admin:privacy_externaltable_add"), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    second_newest()

    assert rows.find_document(registers.find("external_table"), "orders") == ORDERS
    page = officer.get(reverse("admin:privacy_externaltable_change", args=[ExternalTable.objects.get().pk]))
    assert "amount" in page.content.decode()
    assert 'value="orders"' in officer.get(reverse("releases")).content.decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("shop=postgresql://u:pa55@db.example.org/d?sslmode=require", "sslmode=verify-full"),
        ("shop=postgresql://u:pa55@localhost/d?hostaddr=10.0.0.1", "must not have: hostaddr"),
        ("shop=postgresql://u:pa55@localhost/d?service=x", "must not have: service"),
        ("shop=postgresql://u:pa55@localhost/d?options=-csearch_path%3Dx", "must not have: options"),
        ("shop=postgresql://u:pa55@localhost,other/d", "two hosts"),
        ("shop=postgresql:///d?user=u", "the host"),
        ("shop=postgresql://localhost/pa55", "the user"),
        ("shop=postgresql://u:pa55@[::1/d", "no connection string"),
        ("shop=mysql://u:pa55@localhost/d", "must be NAME="),
        ("Shop=postgresql://u:pa55@localhost/d", "must be NAME="),
        ("a=postgresql://u@localhost/d a=postgresql://u@localhost/e", "a twice"),
    ],
)
def test_a_connection_that_could_lead_elsewhere_is_refused_at_start(text, why):
    with pytest.raises(ValueError, match=why) as refused:
        other_databases.read(text)

    assert "pa55" not in str(refused.value)


def test_a_connection_to_another_machine_verifies_its_certificate():
    found = other_databases.read("far=postgresql://u:p%20x@db.example.org:6432/d\nnear=postgresql://u@%2Frun%2Fpg/d\n")

    assert found["far"] == {
        "host": "db.example.org", "port": "6432", "user": "u", "password": "p x", "dbname": "d",
        "sslmode": "verify-full", "sslrootcert": "system",
    }  # fmt: skip
    assert found["near"] == {"host": "/run/pg", "user": "u", "dbname": "d"}
