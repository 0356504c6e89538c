"""Traces: spans as described, about nobody, in the background; and nothing at all where they are off."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from policies.decisions import spans
from policies.decisions.rendering import render_verdict
from policies.engines import Verdict
from policies.engines.base import Reason
from tests.helpers.paths import CHECKOUT
from tests.policies.decisions.traced_calls import TRACEPARENT

HERE = Path(__file__).resolve().parent
NOBODY_LISTENS = "http://127.0.0.1:9"
Span = dict[str, Any]
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def run(own_database: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run traced_calls.py against the test database with these variables; return what it printed."""
    parts = connection.settings_dict
    url = f"postgresql://{parts['USER']}@/{parts['NAME']}?host={parts['HOST']}&port={parts['PORT']}"

    def started(mode: str, **variables: str) -> dict[str, Any]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
            "PYTHONPATH": str(CHECKOUT),
            "DATABASE_URL": url,
            "ASSENT_HOME": str(tmp_path_factory.mktemp("home")),
            "PGPASSWORD": parts["PASSWORD"],
            **variables,
        }
        command = [sys.executable, str(HERE / "traced_calls.py"), mode]
        done = subprocess.run(
            command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr[-4_000:]
        return json.loads(done.stdout)

    return started


@pytest.fixture(scope="module")
def traced(run: Run) -> dict[str, Any]:
    return run("cases", OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY_LISTENS)["result"]


@pytest.fixture(scope="module")
def untraced(run: Run) -> dict[str, Any]:
    return run("cases")


def _tree(spans: list[Span], parent: Span) -> Any:
    """The names below a span, in the order they began, with what is below them."""
    below = [span for span in spans if span["parent"] == parent["id"]]
    return [(span["name"], _tree(spans, span)) if _tree(spans, span) else span["name"] for span in below]


def _root(case: dict[str, Any]) -> Span:
    ids = {span["id"] for span in case["spans"]}
    (root,) = [span for span in case["spans"] if span["parent"] not in ids]
    return root


def _named(case: dict[str, Any], name: str) -> Span:
    return next(span for span in case["spans"] if span["name"] == name)


def test_a_decision_is_traced_from_the_request_to_the_log(traced: dict[str, Any]) -> None:
    case = traced["first"]

    assert _root(case)["name"] == "POST /access/v1/evaluation"
    assert _tree(case["spans"], _root(case)) == ["sql", ("decision", ["engine"]), "spool.append"]
    assert _named(case, "sql")["attributes"]["db.query.summary"] == "assent_information"


def test_a_decision_says_what_was_answered_and_why(traced: dict[str, Any]) -> None:
    answer = json.loads(traced["first"]["body"])["context"]

    attributes = _named(traced["first"], "decision")["attributes"]

    assert attributes == {
        "assent.outcome": "permit",
        "assent.level": answer["level"],
        "assent.reasons": [reason["code"] for reason in answer["reasons"]],
        "assent.bundle_revision": answer["bundle_revision"],
        "assent.engine": "embedded",
    }


def test_an_answer_from_the_memo_says_so(traced: dict[str, Any]) -> None:
    case = traced["again"]

    assert _tree(case["spans"], _root(case)) == ["sql", "decision", "spool.append"]
    assert _named(case, "decision")["attributes"]["assent.memo_hit"] is True


def test_the_callers_trace_is_continued_and_its_state_is_not(traced: dict[str, Any]) -> None:
    _version, trace, parent, _flags = TRACEPARENT.split("-")

    assert {span["trace"] for span in traced["first"]["spans"]} == {trace}
    assert _root(traced["first"])["parent"] == parent
    assert {span["state"] for span in traced["first"]["spans"]} == {""}
    assert _root(traced["again"])["parent"] is None
    assert _root(traced["unreadable"])["parent"] is None


def test_each_decision_of_a_batch_has_a_span_and_they_are_logged_once(traced: dict[str, Any]) -> None:
    case = traced["batch"]

    assert _tree(case["spans"], _root(case)) == ["sql", "decision", "decision", "spool.append"]


def test_a_request_has_only_so_many_spans(traced: dict[str, Any]) -> None:
    case = traced["many"]

    assert len(case["spans"]) == 251
    # 300 decisions, a statement and a write to the log.
    assert _root(case)["attributes"]["assent.spans_left_out"] == 52


def test_the_proxy_is_traced(traced: dict[str, Any]) -> None:
    case = traced["recommendations"]

    assert _root(case)["name"] == "POST /api/v1/recommendations"
    inside = _named(case, "personalization")
    assert _tree(case["spans"], inside) == [("decision", ["engine"]), "sql", "spool.append"]
    assert inside["attributes"] == {"assent.level": "none", "assent.fallback": "no_model"}


def test_a_failure_is_told_by_its_class_and_the_denial_by_its_code(traced: dict[str, Any]) -> None:
    case = traced["late engine"]

    assert json.loads(case["body"])["decision"] is False
    assert _named(case, "engine")["status"] == ["ERROR", None]
    assert _named(case, "engine")["attributes"] == {"error.type": "EngineTimeout"}
    assert _named(case, "decision")["attributes"]["assent.reasons"] == ["engine_timeout"]
    assert _named(case, "decision")["attributes"]["assent.outcome"] == "unknown"


def test_a_request_that_fails_is_an_error_and_one_that_is_refused_is_none(traced: dict[str, Any]) -> None:
    failed, refused = traced["failing recommender"], traced["credential"]

    assert _root(failed)["attributes"]["http.response.status_code"] == failed["status"] == 500
    assert _root(failed)["status"][0] == "ERROR"
    assert _named(failed, "recommender")["attributes"] == {"error.type": "EngineFailed"}
    assert (_root(refused)["attributes"]["http.response.status_code"], _root(refused)["status"][0]) == (404, "UNSET")


def test_paths_and_methods_are_named_only_as_this_house_knows_them(traced: dict[str, Any]) -> None:
    assert _root(traced["dashboard"])["name"] == "GET /privacy/open/<str:token>"
    assert _root(traced["nowhere"])["name"] == "_OTHER"
    assert "secret" not in json.dumps([case["spans"] for case in traced.values()])


def test_tracing_runs_no_statement_and_changes_no_answer(traced: dict[str, Any], untraced: dict[str, Any]) -> None:
    plain = untraced["result"]

    assert traced["again"]["statements"] == [1, 0]
    assert [case["statements"] for case in traced.values()] == [case["statements"] for case in plain.values()]
    assert [case["status"] for case in traced.values()] == [case["status"] for case in plain.values()]


def test_off_nothing_is_imported_and_no_function_is_another(untraced: dict[str, Any]) -> None:
    assert untraced["imported"] == []
    assert untraced["wrapped"] == [False, False, False]
    assert untraced["result"]["first"]["spans"] == []


def test_what_only_jobs_need_is_not_loaded_to_serve(untraced: dict[str, Any]) -> None:
    assert untraced["of_jobs"] == []


def test_only_the_share_asked_for_is_recorded_but_a_caller_who_traces_gets_all(run: Run) -> None:
    cases = run("cases", OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY_LISTENS, OTEL_TRACES_SAMPLER_ARG="0")["result"]

    assert [name for name, case in cases.items() if case["spans"]] == ["first"]


def test_no_span_leads_to_a_person(run: Run) -> None:
    seen = run("nobody", OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY_LISTENS)["result"]

    assert seen["spans"] > 500


def test_a_collector_that_is_away_touches_no_answer(run: Run) -> None:
    seen = run("sent", OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY_LISTENS)["result"]

    assert seen == {"statuses": [200] * 20, "in_the_main_thread": [False]}


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector on loopback, and what it was sent."""
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    serving.join()
    server.server_close()


def test_a_collector_is_sent_the_spans_past_any_proxy(run: Run, collector: tuple[str, list[tuple[str, bytes]]]) -> None:
    url, received = collector

    run("sent", OTEL_EXPORTER_OTLP_ENDPOINT=f"{url}/", HTTP_PROXY=NOBODY_LISTENS, http_proxy=NOBODY_LISTENS)

    assert {path for path, _body in received} == {"/v1/traces"}
    assert b"POST /access/v1/evaluation" in b"".join(body for _path, body in received)


def test_without_the_packages_nothing_starts_and_the_way_out_is_named(tmp_path: Path) -> None:
    (tmp_path / "opentelemetry.py").write_text("raise ImportError('not here')")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{CHECKOUT}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": NOBODY_LISTENS,
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert "-r requirements/tracing.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_words_of_a_policys_own_are_not_told() -> None:
    verdict = Verdict("sha256:0", False, "alice", [Reason("objection"), Reason("alice", "alice")], [], None, False)

    told = spans.of_verdict(render_verdict(verdict, b'{"who":"alice"}', "embedded"))

    assert (told["assent.level"], told["assent.reasons"]) == ("other", ["objection", "other"])
    assert "alice" not in repr(told)
