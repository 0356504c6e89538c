"""Bounded pools: a full one is an answer, and no class of work waits for another."""

import contextlib
import threading

import pytest

from governance.front import limits
from governance.front.pools import Job, Pool
from tests.helpers.front_server import PATHS, PATIENCE_S, Client, ask, request, serving
from tests.helpers.polling import until


class Held:
    """An application that keeps the requests of one path until it is let go."""

    def __init__(self, path):
        self.path, self.go, self.entered = path, threading.Event(), threading.Semaphore(0)

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == self.path:
            self.entered.release()
            assert self.go.wait(PATIENCE_S)
        start_response("200 OK", [])
        return [b"done"]


@pytest.mark.parametrize("name", PATHS)
def test_full_class_of_work_holds_up_no_other(name):
    held = Held(PATHS[name])
    same = {"batches": "searches", "searches": "batches", "people": "banner", "banner": "people"}.get(name)
    with serving(held) as address, contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(Client(address, request(held.path, method="POST", body=b"{}")))
        assert held.entered.acquire(timeout=PATIENCE_S)

        others = [path for other, path in PATHS.items() if other not in (name, same)]
        assert [ask(address, request(path)).status for path in [*others, "/health/live"]] == [200] * (len(others) + 1)
        held.go.set()


def test_full_pool_answers_503_with_retry_after():
    held = Held("/access/v1/evaluations")
    with serving(held) as address, contextlib.ExitStack() as stack:
        data = request(held.path, method="POST", body=b"{}")
        waiting = [stack.enter_context(Client(address, data)) for _ in range(65)]
        assert held.entered.acquire(timeout=PATIENCE_S)
        refused = _refusal(address, data)

        assert (refused.status, refused.document()["code"]) == (503, "busy")
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["content-type"] == "application/problem+json"
        held.go.set()
        assert {client.response().status for client in waiting} <= {200, 503}


def _refusal(address, data):
    """The pool is full once the loop has read all that was sent before."""
    refused = []

    def is_refused():
        with Client(address, data) as client:
            client.socket.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                refused.append(client.response())
        return bool(refused)

    until(is_refused, "the pool is full")
    return refused[0]


def test_request_that_waits_too_long_for_a_thread_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "QUEUE_S", 0.05)
    monkeypatch.setattr(limits, "SWEEP_S", 0.05)
    held = Held("/metrics")
    with serving(held) as address, Client(address, request(held.path)) as first:
        assert held.entered.acquire(timeout=PATIENCE_S)
        refused = ask(address, request(held.path))
        held.go.set()

        assert (refused.status, refused.document()["code"]) == (503, "busy")
        assert first.response().status == 200
    assert not held.entered.acquire(blocking=False)


def test_connection_is_kept_after_a_refusal_of_a_full_pool(monkeypatch):
    monkeypatch.setattr(limits, "QUEUE_S", 0.05)
    monkeypatch.setattr(limits, "SWEEP_S", 0.05)
    held = Held("/metrics")
    with serving(held) as address, Client(address, request(held.path)), Client(address, request(held.path)) as second:
        assert second.response().status == 503
        held.go.set()
        second.send(request("/other"))

        assert second.response().status == 200


def test_thread_of_a_pool_ends_when_idle_and_says_so(monkeypatch):
    monkeypatch.setattr(limits, "THREAD_IDLE_S", 0.01)
    ended, done = threading.Event(), threading.Event()
    pool = Pool("test", threads=1, queue=1, on_thread_end=ended.set)

    assert pool.submit(Job(done.set))
    assert done.wait(PATIENCE_S)
    assert ended.wait(PATIENCE_S)
    done.clear()
    assert pool.submit(Job(done.set))
    assert done.wait(PATIENCE_S)


def test_job_is_claimed_once():
    job = Job(lambda: None)

    assert [job.claim(), job.claim()] == [True, False]
