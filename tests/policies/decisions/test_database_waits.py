"""A database that is slow, gone or torn away ends in a refusal, never in a wait without end or a permit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction

from policies.decisions import evaluate, information
from policies.decisions.information import InformationUnavailable
from policies.endpoints.authzen import question_of
from tests.helpers.wsgi_calls import EVALUATIONS, assert_problem, call, question

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other_connection() -> Iterator[psycopg.Connection[Any]]:
    parameters = {**connection.get_connection_params(), "autocommit": True}
    for django_only in ("cursor_factory", "context"):
        parameters.pop(django_only, None)
    with psycopg.connect(**parameters) as other:
        yield other


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for statement in (information.STATEMENT, information.STATEMENT_FOR_MANY):
        monkeypatch.setattr(statement, "_timeout_ms", 50)


@pytest.mark.parametrize("table", ["consent_datasubject", "policies_servicecredential", "policies_activebundle"])
def test_a_locked_table_is_not_waited_for(
    consenting: Any, other_connection: psycopg.Connection[Any], little_patience: None, table: str
) -> None:
    assert call(question(), consenting.token).json()["decision"] is True

    with other_connection.transaction():
        other_connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")

        # These return while the lock is held, which nothing here releases.
        assert_problem(call(question(), consenting.token), 503, "information_unavailable")
        batch = {"evaluations": [question(), question("customer-2")]}
        assert_problem(call(batch, consenting.token, path=EVALUATIONS), 503, "information_unavailable")
        assert evaluate.decide(question_of(question()), caller="service:test").reasons == ["information_unavailable"]
        with pytest.raises(InformationUnavailable):
            information.read(question_of(question()).subject_ref)

    assert call(question(), consenting.token).json()["decision"] is True


def test_nobody_waits_longer_than_a_second() -> None:
    for statement in (information.STATEMENT, information.STATEMENT_FOR_MANY):
        assert statement._timeout_ms == information.TIMEOUT_MS <= 1_000


def test_a_lost_connection_is_replaced_without_notice(
    consenting: Any, other_connection: psycopg.Connection[Any]
) -> None:
    assert call(question(), consenting.token).json()["decision"] is True
    other_connection.execute(
        "SELECT pg_terminate_backend(%s, 5000)", [connection.connection.pgconn.backend_pid]
    ).fetchone()

    assert call(question(), consenting.token).json()["decision"] is True


def test_a_lost_connection_is_replaced_in_a_batch_too(
    consenting: Any, other_connection: psycopg.Connection[Any]
) -> None:
    batch = {"evaluations": [question(), question("customer-2")]}
    before = call(batch, consenting.token, path=EVALUATIONS).json()["evaluations"]
    other_connection.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.pgconn.backend_pid])

    after = call(batch, consenting.token, path=EVALUATIONS).json()["evaluations"]

    assert [one["decision"] for one in before] == [one["decision"] for one in after] == [True, False]


def test_a_connection_closed_under_a_transaction_decides_nothing(
    consenting: Any, other_connection: psycopg.Connection[Any]
) -> None:
    asked = question_of(question())

    with pytest.raises(psycopg.OperationalError), transaction.atomic():  # noqa: PT012 (the block ends the transaction)
        other_connection.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.pgconn.backend_pid])
        with pytest.raises(InformationUnavailable):
            information.read(asked.subject_ref)
        raise psycopg.OperationalError

    assert call(question(), consenting.token).json()["decision"] is True


@pytest.mark.parametrize("connected", [True, False], ids=["a connection is open", "no connection is open"])
def test_a_database_that_is_gone_is_503(
    consenting: Any,
    other_connection: psycopg.Connection[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    connected: bool,
) -> None:
    assert call(question(), consenting.token).json()["decision"] is True
    if connected:
        other_connection.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.pgconn.backend_pid])
    else:
        connections["default"].close()

    with monkeypatch.context() as gone:
        gone.setitem(connections["default"].settings_dict, "HOST", str(tmp_path))
        answers = [call(question(), consenting.token) for _ in range(2)]
        decision = evaluate.decide(question_of(question()), caller="service:test")

    for answer in answers:
        assert_problem(answer, 503, "information_unavailable")
    assert decision.reasons == ["information_unavailable"]
    assert call(question(), consenting.token).json()["decision"] is True


def test_a_denial_without_a_database_is_logged_under_a_tag_that_joins_nothing(
    consenting: Any, spooled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections["default"].close()

    with monkeypatch.context() as gone:
        gone.setitem(connections["default"].settings_dict, "HOST", str(tmp_path))
        for _ in range(2):
            evaluate.decide(question_of(question()), caller="service:test")

    first, second = spooled()
    assert (first["outcome"], second["outcome"]) == ("unknown", "unknown")
    assert first["subject"] != second["subject"]
