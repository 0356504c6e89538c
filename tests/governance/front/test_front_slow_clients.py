"""Clients that send or take too slowly, of every kind and on every class of work: others are answered, and they end."""

import contextlib
import itertools
import select

import pytest

from governance.front import limits
from governance.front.connections import Phase
from tests.helpers.front_server import PATHS, PATIENCE_S, Client, Echo, ask, request, serving

_FEW = 8  # more than any pool has threads
_LARGE = b"x" * (4 * limits.SEND_BUFFER_BYTES)
_CHUNKED = "Transfer-Encoding: chunked"


def answering(environ, start_response):
    """Answer small, but for one path, whose answer no buffer takes whole."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return iter([_LARGE]) if environ["QUERY_STRING"] == "large" else [b"small"]


def half_a_head(path):
    return request(path)[:-4]


def body_that_is_never_sent(path):
    return request(path, "Content-Length: 200", method="POST") + b"csrf"


def chunk_that_never_ends(path):
    return request(path, _CHUNKED, method="POST") + b"5\r\nab"


def nothing_at_all(_path):
    return b""


def answer_that_is_not_read(path):
    return request(f"{path}?large")


def pipelined_answers_that_are_not_read(path):
    return request(f"{path}?large") * 6


SLOW_SENDERS = (half_a_head, body_that_is_never_sent, chunk_that_never_ends)
KINDS = (*SLOW_SENDERS, nothing_at_all, answer_that_is_not_read, pipelined_answers_that_are_not_read)


@pytest.fixture
def patient(monkeypatch):
    """Limits that do not pass while a test runs: requests are answered while the slow clients are there."""
    for name in ("IDLE_S", "HEAD_S", "BODY_S", "WRITE_STALL_S"):
        monkeypatch.setattr(limits, name, 600.0)


@pytest.fixture
def impatient(monkeypatch):
    """Limits that pass at once."""
    for name in ("IDLE_S", "HEAD_S", "BODY_S", "WRITE_STALL_S", "LINGER_S", "SWEEP_S"):
        monkeypatch.setattr(limits, name, 0.05)
    monkeypatch.setattr(limits, "SLOWEST_BYTES_PER_S", 1e9)


def _occupy(stack, address, kind, path, count):
    return [
        stack.enter_context(Client(address, kind(path), receive_buffer=4096 if "read" in kind.__name__ else None))
        for _ in range(count)
    ]


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("kind", KINDS)
def test_others_are_answered_beside_slow_clients(patient, kind, path):
    with serving(answering) as address, contextlib.ExitStack() as stack:
        _occupy(stack, address, kind, path, _FEW)

        assert [ask(address, request(other, method="POST", body=b"{}")).status for other in PATHS.values()] == [
            200
        ] * len(PATHS)


@pytest.mark.long
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("kind", KINDS)
def test_others_are_answered_beside_64_slow_clients(patient, kind, path):
    with serving(answering) as address, contextlib.ExitStack() as stack:
        _occupy(stack, address, kind, path, 64)

        for other in itertools.islice(itertools.cycle(PATHS.values()), 300):
            assert ask(address, request(other, method="POST", body=b"{}")).status == 200


@pytest.mark.long
def test_others_are_answered_beside_1500_idle_connections(patient):
    with serving(answering) as address, contextlib.ExitStack() as stack:
        for client in _occupy(stack, address, nothing_at_all, "/", 1_500):
            client.send(request("/health/live"))
            assert client.response().status == 200

        for other in itertools.islice(itertools.cycle(PATHS.values()), 300):
            assert ask(address, request(other, method="POST", body=b"{}")).status == 200


@pytest.mark.parametrize("kind", SLOW_SENDERS)
def test_slow_request_is_ended_with_408(impatient, kind):
    application = Echo()
    with serving(application) as address, Client(address, kind("/privacy/open")) as client:
        answer = client.response()

        assert (answer.status, answer.document()["code"]) == (408, "request_timeout")
        assert client.is_ended()
    assert application.paths == []


def test_idle_connection_is_ended_without_an_answer(impatient):
    with serving(Echo()) as address, Client(address) as client:
        assert client.is_ended()


def test_kept_connection_is_ended_when_idle(impatient):
    with serving(Echo()) as address, Client(address, request("/health/live")) as client:
        assert client.response().status == 200
        assert client.is_ended()


@pytest.mark.parametrize("kind", [answer_that_is_not_read, pipelined_answers_that_are_not_read])
def test_reader_that_takes_nothing_is_reset(impatient, kind):
    with serving(answering) as address, Client(address, kind("/static/a"), receive_buffer=4096) as client:
        ended = select.poll()
        ended.register(client.socket, 0)

        events = ended.poll(1_000 * PATIENCE_S)

        assert events
        assert events[0][1] & select.POLLERR
        with pytest.raises(AssertionError, match="cut off"):
            client.response()


def test_slow_bytes_do_not_extend_the_time_of_a_head(impatient):
    with serving(Echo()) as address, Client(address, b"GET / HTTP/1.1\r\n") as client:
        with contextlib.suppress(OSError):
            for _ in range(10_000):
                client.send(b"X")

        answer = client.response()

        assert answer is None or answer.status in (408, 431)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/?large", request), ("/", lambda path: request(path, "Content-Length: 200000", method="POST") + b"x" * 100_000)],
)
def test_slowest_clients_end_where_too_much_is_kept_for_them(patient, monkeypatch, path, kind):
    monkeypatch.setattr(limits, "HELD_BYTES", 450_000)
    monkeypatch.setattr(limits, "SWEEP_S", 0.05)
    with serving(answering) as address, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(address, kind(path), receive_buffer=4096)) for _ in range(6)]
        ended = select.poll()
        ended.register(clients[0].socket, 0)

        assert ended.poll(1_000 * PATIENCE_S)[0][1] & select.POLLERR
        assert ask(address, request("/")).status == 200


def test_longest_idle_connections_make_room(monkeypatch):
    monkeypatch.setattr(limits, "CONNECTIONS", 10)
    with serving(Echo()) as address, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(address)) for _ in range(10)]
        for client in clients[1:]:
            client.send(request("/health/live"))
            assert client.response().status == 200

        assert ask(address, request("/health/live")).status == 200
        assert clients[0].is_ended()
        clients[-1].send(request("/health/live"))
        assert clients[-1].response().status == 200


def test_phases_that_wait_for_clients_have_an_end():
    """A connection that waits for its client in a further way needs a limit of its own."""
    assert {phase for phase in Phase if "client" in phase.value or "rest" in phase.value or "first" in phase.value} == {
        Phase.IDLE, Phase.HEAD, Phase.BODY, Phase.WRITING, Phase.LINGERING,
    }  # fmt: skip
