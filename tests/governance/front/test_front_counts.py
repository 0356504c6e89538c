"""The front's own answers are counted by class of work, status and code, with no word of the client in a label."""

import contextlib
import threading

import pytest

from governance.front import limits
from tests.helpers.front_server import PATHS, PATIENCE_S, Client, Echo, ask, request, serving


@pytest.fixture
def own():
    return []


@pytest.fixture
def counting(own):
    with serving(Echo(), count_own=lambda *answer: own.append(answer)) as address:
        yield address


@pytest.mark.parametrize(
    ("data", "counted"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", ("front:unread", 400, "invalid_request")),
        (b"\x16\x03\x01\r\n\r\n", ("front:unread", 400, "invalid_request")),
        (request("/" + "a" * limits.URI_BYTES), ("front:unread", 414, "uri_too_long")),
        (request("/", "X: " + "a" * limits.HEAD_BYTES), ("front:unread", 431, "headers_too_large")),
        (
            request(PATHS["services"], f"Content-Length: {limits.BODY_BYTES + 1}", method="POST"),
            ("front:services", 413, "body_too_large"),
        ),
        (request("/health/live"), ("/health/live", 200, "")),
        (request("/health/live", method="POST"), ("/health/live", 405, "")),
    ],
    ids=["two hosts", "no http", "address", "head", "body", "live", "live, other method"],
)
def test_own_answer_is_counted_by_class_and_status(counting, own, data, counted):
    status = ask(counting, data).status

    assert own == [counted]
    assert status == counted[1]


def test_answer_of_the_application_is_counted_by_itself(counting, own):
    assert ask(counting, request("/no-page-of-ours")).status == 200
    assert own == []


@pytest.mark.parametrize(
    ("sent", "route"),
    [
        (request("/privacy/a-secret-token")[:-4], "front:unread"),
        (request("/privacy/a-secret-token", "Content-Length: 9", method="POST"), "front:people"),
    ],
    ids=["head", "body"],
)
def test_slow_request_is_counted_as_timed_out(monkeypatch, counting, own, sent, route):
    for name in ("HEAD_S", "BODY_S", "SWEEP_S"):
        monkeypatch.setattr(limits, name, 0.05)

    assert ask(counting, sent).status == 408
    assert own == [(route, 408, "request_timeout")]


def test_request_no_thread_takes_in_time_is_counted_busy(monkeypatch, own):
    monkeypatch.setattr(limits, "QUEUE_S", 0.05)
    monkeypatch.setattr(limits, "SWEEP_S", 0.05)
    go = threading.Event()

    def application(_environ, start_response):
        assert go.wait(PATIENCE_S)
        start_response("200 OK", [])
        return [b""]

    with serving(application, count_own=lambda *answer: own.append(answer)) as address, contextlib.ExitStack() as stack:
        stack.callback(go.set)
        clients = [stack.enter_context(Client(address, request("/metrics"))) for _ in range(2)]
        for client in clients[1:]:
            assert client.response().status == 503
        go.set()
        assert clients[0].response().status == 200
    assert own == [("front:monitoring", 503, "busy")]


def test_application_that_fails_is_counted_as_500(own):
    def failing(_environ, _start_response):
        raise ValueError

    with serving(failing, count_own=lambda *answer: own.append(answer)) as address:
        assert ask(address, request("/admin/")).status == 500
    assert own == [("front:officers", 500, "internal_error")]
