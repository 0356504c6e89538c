"""Decisions through the front, the whole of Assent behind it: the loop answers what is remembered and never waits."""

import contextlib
import itertools
import json
import threading
import time

import psycopg
import pytest
from django.db import connection

from common.postgres.databases import end_sessions
from governance.front import limits, loop
from governance.front.django_threads import DjangoThreads
from policies import engines
from policies.bundles import loading
from policies.decisions import evaluate
from policies.endpoints import credentials
from policies.endpoints.authzen import single
from tests.helpers.front_server import PATHS, PATIENCE_S, Client, ask, request, serving
from tests.helpers.polling import until
from tests.helpers.wsgi_calls import EVALUATION, call, question

pytestmark = pytest.mark.django_db(transaction=True)
STATE = "/api/v1/consents/state"


@pytest.fixture
def front(token):
    from governance.wsgi import application, begin

    with serving(application, begin=begin, threads=DjangoThreads()) as address:
        yield address


@pytest.fixture
def other_connection():
    parameters = {**connection.get_connection_params(), "autocommit": True}
    for django_only in ("cursor_factory", "context"):
        parameters.pop(django_only, None)
    with psycopg.connect(**parameters) as other:
        yield other


def post(body, token, path=EVALUATION, *headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = [*headers, "Content-Type: application/json"]
    if token is not None:
        sent.append(f"Authorization: Bearer {token}")
    return request(path, *sent, method="POST", body=data)


class Engine:
    """The engine in force, with a hand on it: who asks, and how long that takes."""

    def __init__(self, engine):
        self._engine, self.name = engine, engine.name
        self.askers: list[str] = []
        self.go = threading.Event()
        self.go.set()

    def evaluate(self, *asked):
        self.askers.append(threading.current_thread().name)
        assert self.go.wait(PATIENCE_S)
        return self._engine.evaluate(*asked)


@pytest.fixture
def engine(monkeypatch):
    watched = Engine(engines.configured())
    evaluate.VERDICTS.clear()  # what earlier tests asked is not remembered
    monkeypatch.setattr(engines, "for_revision", lambda _revision, _candidate: watched)
    return watched


def test_engine_is_asked_by_a_pool_and_once(front, token, engine):
    answers = [ask(front, post(question(), token)) for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert engine.askers == ["front-decisions"]


def test_remembered_decisions_are_answered_while_the_engine_hangs(front, token, engine):
    ask(front, post(question(), token))
    engine.go.clear()
    unknown = [question(f"customer-{number}", context={"processing_region": f"r{number}"}) for number in range(4)]
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(Client(front, post(each, token))) for each in unknown]
        until(lambda: len(engine.askers) == 3, "two threads ask the engine")

        answers = [ask(front, post(question(), token)).status for _ in range(20)]
        engine.go.set()

        assert answers == [200] * 20
        assert [client.response().status for client in waiting] == [200] * 4


def test_row_that_has_grown_old_is_read_anew(monkeypatch):
    rest, whole = (lambda: "of the old row"), (lambda: "of a new row")
    young = loop._while_fresh(rest, whole, read_at=time.monotonic())
    monkeypatch.setattr(limits, "STATEMENT_S", 0.0)
    old = loop._while_fresh(rest, whole, read_at=time.monotonic())

    assert old() == "of a new row"
    monkeypatch.setattr(limits, "STATEMENT_S", 600.0)
    assert young() == "of the old row"


def test_each_answer_is_logged_once(front, token, own_spool):
    ids = set()
    with Client(front, post(question(), token) * 30 + post(question("customer-2"), token)) as client:
        for _ in range(31):
            ids.add(client.response().document()["context"]["decision_id"])

    logged = [json.loads(line)["id"] for path in own_spool.iterdir() for line in path.read_bytes().splitlines()]
    assert len(ids) == 31
    assert sorted(logged) == sorted(ids)


def _narrow(token):
    return credentials.create_credential(name="narrow", scopes=["metrics"], actor="test")[0]


ASKED = {
    "a decision": (EVALUATION, question(), "all"),
    "a decision about an unknown person": (EVALUATION, question("unknown"), "all"),
    "a question that is none": (EVALUATION, {"subject": 1}, "all"),
    "a question that is none, without leave": (EVALUATION, {"subject": 1}, "narrow"),
    "no JSON": (EVALUATION, b"{", "all"),
    "no credential": (EVALUATION, question(), None),
    "an unknown credential": (EVALUATION, question(), f"assent_{'x' * 43}"),
    "a credential of another scope": (EVALUATION, question(), "narrow"),
    "a large question": (EVALUATION, question(padding="x" * limits.LOOP_BODY_BYTES), "all"),
    "a state": (STATE, {"subject": {"id": "customer-1"}}, "all"),
    "a state without a person": (STATE, {"subject": 1}, "all"),
    "a state without leave": (STATE, {"subject": {"id": "customer-1"}}, "narrow"),
    "a state without a credential": (STATE, {"subject": {"id": "customer-1"}}, None),
}


def test_loop_answers_as_the_application_does(front, token):
    narrow = _narrow(token)
    for name, (path, body, who) in ASKED.items():
        bearer = {"all": token, "narrow": narrow}.get(who, who)
        expected = call(body, bearer, path=path)

        ask(front, post(body, bearer, path))  # by a pool, where it was not remembered
        answer = ask(front, post(body, bearer, path, "X-Request-ID: 17"))

        assert answer.status == expected.status, name
        assert _without_moments(answer.document()) == _without_moments(expected.json()), name
        assert {each.lower() for each in expected.headers} - {"content-length"} <= answer.headers.keys(), name
        assert answer.headers["x-request-id"] == "17", name


def _without_moments(document):
    document.get("context", {}).pop("decision_id", None)
    document.get("context", {}).pop("valid_until", None)
    return document


def test_bundle_that_is_not_loaded_is_loaded_by_a_pool(front, token, monkeypatch):
    loaders = []
    load = loading._load
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(loading, "_load", lambda it: loaders.append(threading.current_thread().name) or load(it))

    assert ask(front, post(question(), token)).status == 200
    assert loaders == ["front-decisions"]


def test_hanging_database_is_answered_503_and_holds_up_nothing(front, token, other_connection, monkeypatch):
    monkeypatch.setattr(limits, "STATEMENT_S", 0.2)
    monkeypatch.setattr(limits, "RENEW_S", 0.0)
    assert ask(front, post(question(), token)).status == 200

    with other_connection.transaction():
        other_connection.execute("LOCK TABLE policies_servicecredential IN ACCESS EXCLUSIVE MODE")
        with Client(front, post(question(), token)) as waiting:
            assert ask(front, request("/health/live")).status == 200
            answer = waiting.response()
        assert (answer.status, answer.document()["code"]) == (503, "information_unavailable")

    until(lambda: ask(front, post(question(), token)).status == 200, "decisions are answered again")


def test_lost_connection_of_the_loop_is_replaced(front, token, other_connection, engine, monkeypatch):
    monkeypatch.setattr(limits, "RENEW_S", 0.0)
    begun = []
    conclude = single.conclude
    monkeypatch.setattr(
        single, "conclude", lambda *asked: begun.append(threading.current_thread().name) or conclude(*asked)
    )
    ask(front, post(question(), token))
    ask(front, post(question(), token))
    assert begun[-1] != "front-decisions"

    own = connection.connection.pgconn.backend_pid if connection.connection else 0
    end_sessions(other_connection, other_connection.info.dbname, keep=[own])

    def is_the_loops():
        assert ask(front, post(question(), token)).status == 200
        return begun[-1] != "front-decisions"

    assert ask(front, post(question(), token)).status == 200
    until(is_the_loops, "the loop has a connection again")


KINDS = {
    "half a head": lambda path: request(path)[:-4],
    "body that is never sent": lambda path: request(path, "Content-Length: 200", method="POST") + b"csrf",
    "chunk that never ends": lambda path: request(path, "Transfer-Encoding: chunked", method="POST") + b"5\r\nab",
    "nothing at all": lambda _path: b"",
    "pages that are not read": lambda path: request("/api/schema") * 6,
}


def test_decisions_are_answered_beside_64_slow_clients_of_each_kind(front, token, monkeypatch):
    for name in ("IDLE_S", "HEAD_S", "BODY_S", "WRITE_STALL_S"):
        monkeypatch.setattr(limits, name, 600.0)
    with contextlib.ExitStack() as stack:
        for kind in KINDS.values():
            for _, path in zip(range(64), itertools.cycle(PATHS.values()), strict=False):
                stack.enter_context(Client(front, kind(path), receive_buffer=4096))

            assert [ask(front, post(question(), token)).status for _ in range(20)] == [200] * 20
