"""Flush in a thread: nothing that a flush raises ends it, and two flushes never run at once."""

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError

from common.counting import flushing

Flush = Callable[[], None]


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flushing, "close_old_connections", lambda: None)


@pytest.fixture
def at_the_end(monkeypatch: pytest.MonkeyPatch) -> list[Flush]:
    registered: list[Flush] = []
    monkeypatch.setattr(flushing.atexit, "register", registered.append)
    return registered


@pytest.mark.parametrize("error", [DatabaseError(), ArithmeticError()])
def test_the_thread_outlives_a_flush_that_fails(error: Exception, at_the_end: list[Flush]) -> None:
    """A thread that ends would leave the guards of a rollout blind, and a failing candidate in place."""
    again = threading.Event()
    failed: list[Exception] = []

    def flush() -> None:
        if not failed:
            failed.append(error)
            raise error
        again.set()
        threading.Event().wait()  # the thread, a daemon, rests until the process ends

    flushing.in_background(flush, every_s=0.001, name="counts")

    assert again.wait(120)
    assert failed == [error]


def test_the_end_of_the_process_flushes_once_more(at_the_end: list[Flush]) -> None:
    flushed: list[int] = []

    flushing.in_background(lambda: flushed.append(1), every_s=3600, name="counts")
    [last] = at_the_end
    last()

    assert flushed == [1]


def test_a_flush_waits_for_the_one_that_runs() -> None:
    is_in, may_go = threading.Event(), threading.Event()
    order: list[str] = []

    def flush() -> None:
        order.append("in")
        is_in.set()
        assert may_go.wait(120)
        order.append("out")

    once = flushing._OneAtATime(flush, "counts")
    threads = [threading.Thread(target=once) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert is_in.wait(120)
    may_go.set()
    for thread in threads:
        thread.join()

    assert order == ["in", "out"] * 2
