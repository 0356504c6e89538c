"""Run by test_traces.py in a process of its own, because what is traced is decided when modules are imported.

Prints one JSON document: what each case was answered, which statements ran, and the spans it left.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from common import tracing  # noqa: E402
from consent.pseudonyms import subject_ref  # noqa: E402
from governance.demo import register  # noqa: E402
from personalization import engine as recommender  # noqa: E402
from policies import engines  # noqa: E402
from policies.bundles import loading  # noqa: E402
from policies.decisions import evaluate, information  # noqa: E402
from policies.endpoints import credentials  # noqa: E402
from policies.endpoints import wsgi as bare  # noqa: E402
from policies.engines import EngineTimeout  # noqa: E402
from policies.registers import defaults  # noqa: E402
from tests.helpers.wsgi_calls import EVALUATION, EVALUATIONS, WsgiResponse, call, question  # noqa: E402

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
RECOMMENDATIONS = "/api/v1/recommendations"
_SETTINGS = settings(max_examples=40, deadline=None, database=None)


def collected() -> Any:
    """Keep spans in memory instead of sending them, from the first request on; None where tracing is off."""
    if not tracing.ON:
        return None
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    tracing._exporter = lambda: memory
    tracing.BatchSpanProcessor = SimpleSpanProcessor
    return memory


def told(span: Any) -> dict[str, Any]:
    """Everything a collector would be told about a span, but times."""
    return {
        "name": span.name,
        "trace": f"{span.context.trace_id:032x}",
        "id": f"{span.context.span_id:016x}",
        "parent": span.parent and f"{span.parent.span_id:016x}",
        "kind": span.kind.name,
        "status": [span.status.status_code.name, span.status.description],
        "attributes": dict(span.attributes),
        "state": span.context.trace_state.to_header(),
        "events": [repr(event.attributes) for event in span.events],
        "links": len(span.links),
        "resource": dict(span.resource.attributes),
    }


@contextmanager
def shop() -> Iterator[str]:
    """A register in force and a person who has agreed, in a transaction nobody sees."""
    with transaction.atomic():
        defaults.ensure_defaults()
        register.ensure_register()
        token = credentials.create_credential(name="shop", scopes=credentials.SERVICE_SCOPES, actor="test")[0]
        save("customer-1", token)
        yield token
        transaction.set_rollback(True)


def save(person: str, token: str, **environ: str) -> WsgiResponse:
    subject = {"id": person, "region": "DE", "age_band": "adult"}
    choices = [{"purpose": "recommendations", "choice": "give"}]
    return call({"subject": subject, "choices": choices}, token, path="/api/v1/consents", **environ)


@contextmanager
def late_engine() -> Iterator[None]:
    late = mock.Mock()
    late.name = "late"
    late.evaluate.side_effect = EngineTimeout("secret words of an exception")
    with mock.patch.object(engines, "configured", return_value=late):
        yield


def asked_of_a_late_engine(token: str) -> WsgiResponse:
    with late_engine():
        return call(question(context={"processing_region": "eu-west"}), token)


def failing_recommender(token: str) -> WsgiResponse:
    """The span of the model itself needs a trained one; a failing one is enough to see where it stands."""
    bundle = loading.loaded(information.read(subject_ref("customer-1")).bundle_revision or "")

    def recommend(*_args: Any, **_more: Any) -> Any:
        recommender.recommend("secret-model", bundle)

    with mock.patch("personalization.proxy.recommend", recommend):
        return call({"subject": {"id": "customer-1"}}, token, path=RECOMMENDATIONS)


CASES: dict[str, Callable[[str], WsgiResponse]] = {
    "first": lambda token: call(question(), token, HTTP_TRACEPARENT=TRACEPARENT, HTTP_TRACESTATE="shop=customer-1"),
    "again": lambda token: call(question(), token),
    "batch": lambda token: call({**question(), "evaluations": [{}, {}]}, token, path=EVALUATIONS),
    "many": lambda token: call({**question(), "evaluations": [{}] * 300}, token, path=EVALUATIONS),
    "recommendations": lambda token: call({"subject": {"id": "customer-1"}}, token, path=RECOMMENDATIONS),
    "late engine": asked_of_a_late_engine,
    "failing recommender": failing_recommender,
    "dashboard": lambda token: call(b"", None, path="/privacy/open/secret-token", method="GET"),
    "nowhere": lambda token: call(b"", None, path="/secret/path", method="BREW"),
    "credential": lambda token: call(question(), token, path="/access/v1/secret"),
    "unreadable": lambda token: call(question(), token, HTTP_TRACEPARENT="secret-nonsense"),
}


def cases(memory: Any) -> dict[str, Any]:
    seen = {}
    with shop() as token:
        for name, ask in CASES.items():
            before = statements()
            cursors: list[str] = []
            if memory is not None:
                memory.clear()
            with connection.execute_wrapper(lambda run, sql, *rest, to=cursors: (to.append(sql), run(sql, *rest))[1]):
                answer = ask(token)
            seen[name] = {
                "status": answer.status,
                "body": answer.body.decode(),
                "statements": [statements() - before, len(cursors)],
                "spans": [] if memory is None else [told(span) for span in memory.get_finished_spans()],
            }
    return seen


def statements() -> int:
    return sum(each.executions for each in (information.STATEMENT, information.STATEMENT_FOR_MANY, bare._CREDENTIAL))


def nobody_is_named(memory: Any) -> dict[str, Any]:
    """Whoever is asked about, nothing in any span leads to them. Raises for the person it fails for."""
    spans = 0

    @_SETTINGS
    @given(st.text(min_size=1, max_size=100).map("person-{}".format))
    def check(person: str) -> None:
        nonlocal spans
        memory.clear()
        for answer in everywhere(person, token):
            assert answer.status in (200, 201, 400, 404), answer.body
        ref = subject_ref(person)
        tag = evaluate.pseudonyms.tag(ref, evaluate.time.time()).decode()
        found = [told(span) for span in memory.get_finished_spans()]
        spans += len(found)
        for text in strings_of(found):
            for secret in (person, str(ref), ref.hex, tag, token):
                assert secret not in text, (secret, text)

    with shop() as token:
        check()
    return {"spans": spans}


def everywhere(person: str, token: str) -> Iterator[WsgiResponse]:
    """The person's id wherever a caller can put it."""
    header = person.encode().decode("latin-1")
    named = {"HTTP_TRACESTATE": f"a={header}", "HTTP_BAGGAGE": header, "HTTP_X_REQUEST_ID": header}
    yield save(person, token, **named)
    yield call(question(person), token, **named)
    yield call({"evaluations": [question(person), {}]}, token, path=EVALUATIONS, **named)
    yield call(question(person), token, path="/api/v1/decisions", **named)
    yield call({"subject": {"id": person}}, token, path=RECOMMENDATIONS, **named)
    yield call({"subject": {"id": person}, "choices": person}, token, path="/api/v1/consents", **named)
    yield call(b"", None, path=f"/privacy/open/{header}", method="GET", QUERY_STRING=header, **named)
    yield call(question(person), token, path=f"{EVALUATION}/{header}", **named)


def strings_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from strings_of(name)
            yield from strings_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings_of(part)
    else:
        yield str(value)


def sent(memory: None) -> dict[str, Any]:
    """Answer as shipped, with a real exporter; then hand over what waits."""
    threads, export = set(), tracing.OTLPSpanExporter.export

    def noted(exporter: Any, spans: Any) -> Any:
        threads.add(threading.current_thread() is threading.main_thread())
        return export(exporter, spans)

    with shop() as token, mock.patch.object(tracing.OTLPSpanExporter, "export", noted):
        statuses = [call(question(), token).status for _ in range(20)]
        tracing._tracer.span_processor.shutdown()
    return {"statuses": statuses, "in_the_main_thread": sorted(threads)}


if __name__ == "__main__":
    mode = {"cases": cases, "nobody": nobody_is_named, "sent": sent}[sys.argv[1]]
    result = mode(None if mode is sent else collected())
    from governance import wsgi

    imported = sorted(name for name in sys.modules if name.partition(".")[0] in ("opentelemetry", "google"))
    wrapped = [
        hasattr(each, "__wrapped__")
        for each in (evaluate.BatchEvaluation.decide, information.STATEMENT.execute, wsgi.application)
    ]
    of_jobs = sorted({"pyarrow", "duckdb", "jsonschema"} & sys.modules.keys())
    found = {"imported": imported, "of_jobs": of_jobs, "wrapped": wrapped, "result": result}
    json.dump(found, sys.stdout)
