"""Answers: streamed ones are whole before their first byte leaves, failures are answers, and no thread waits."""

import threading

import pytest

from governance.front import limits
from governance.front.messages.answers import call
from tests.helpers.front_server import PATIENCE_S, Client, ask, request, serving


def test_streamed_answer_is_taken_whole_and_has_a_length():
    closed = threading.Event()

    class Streamed:
        def __iter__(self):
            yield from [b"x" * limits.KIB] * 5_000

        def close(self):
            closed.set()

    def application(_environ, start_response):
        start_response("200 OK", [("Content-Type", "text/csv")])
        return Streamed()

    with serving(application) as address:
        answer = ask(address, request("/admin/export"))

    assert len(answer.body) == 5_000 * limits.KIB
    assert closed.is_set()


def test_long_answer_is_held_in_a_file():
    def application(_environ, start_response):
        start_response("200 OK", [])
        return iter([b"x" * limits.ANSWER_MEMORY_BYTES, b"y"])

    answer = call(application, {"REQUEST_METHOD": "GET"})
    try:
        assert answer.body == b""
        assert answer.size() == limits.ANSWER_MEMORY_BYTES + 1
        assert answer.file.read()[-2:] == b"xy"
    finally:
        answer.close()


def test_thread_is_free_while_a_reader_takes_its_time():
    def application(environ, start_response):
        start_response("200 OK", [])
        return iter([b"x" * 4 * limits.SEND_BUFFER_BYTES] if environ["PATH_INFO"] == "/admin/large" else [b"small"])

    with serving(application) as address:
        readers = [Client(address, request("/admin/large"), receive_buffer=4096) for _ in range(4)]
        try:
            assert ask(address, request("/admin/other")).body == b"small"
            assert [len(reader.response().body) for reader in readers] == [4 * limits.SEND_BUFFER_BYTES] * 4
        finally:
            for reader in readers:
                reader.close()


def _raises(_environ, _start_response):
    raise RuntimeError("of the application")


def _raises_while_streaming(_environ, start_response):
    start_response("200 OK", [])
    yield b"x"
    raise RuntimeError("of the application")


def _breaks_a_header(_environ, start_response):
    start_response("200 OK", [("X-A", "b\r\nSet-Cookie: c")])
    return [b""]


@pytest.mark.parametrize("application", [_raises, _raises_while_streaming, _breaks_a_header])
def test_failure_of_the_application_is_one_answer(application, caplog):
    with serving(application) as address, Client(address, request("/") * 2) as client:
        answers = [client.response(), client.response()]

    assert [answer.status for answer in answers] == [500, 500]
    assert answers[0].document()["code"] == "internal_error"
    assert "An answer failed" in caplog.text


def test_answer_to_a_client_that_is_gone_is_dropped_and_the_work_done():
    entered, go, done = threading.Event(), threading.Event(), threading.Event()

    def application(_environ, start_response):
        entered.set()
        assert go.wait(PATIENCE_S)
        done.set()
        start_response("200 OK", [])
        return [b"saved"]

    with serving(application) as address:
        with Client(address, request("/api/v1/consents", method="POST", body=b"{}")):
            assert entered.wait(PATIENCE_S)
        go.set()

        assert done.wait(PATIENCE_S)
        assert ask(address, request("/api/v1/consents")).status == 200


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body_have_no_length(status):
    def application(_environ, start_response):
        start_response(status, [("ETag", '"a"')])
        return [b"ignored"]

    with serving(application) as address, Client(address, request("/") * 2) as client:
        answers = [client.response(), client.response()]

    assert [answer.status for answer in answers] == [int(status[:3])] * 2
    assert all("content-length" not in answer.headers and answer.headers["etag"] == '"a"' for answer in answers)


def test_answers_have_a_date_and_no_connection_header_of_the_application():
    def application(_environ, start_response):
        start_response("200 OK", [("Connection", "close"), ("Transfer-Encoding", "chunked"), ("Content-Length", "99")])
        return [b"abc"]

    with serving(application) as address:
        answer = ask(address, request("/"))

    assert answer.headers["date"].endswith(" GMT")
    assert answer.body == b"abc"
    assert "connection" not in answer.headers
    assert "transfer-encoding" not in answer.headers
