"""The circuit breaker: when it opens, how long it rests, and how it closes again."""

import threading

import pytest

from common.waiting.breaker import CircuitBreaker

REST_S = 10.0


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(threshold=3, rest_s=REST_S, clock=clock)


def _fail(breaker, times):
    for _ in range(times):
        breaker.failed()


@pytest.mark.parametrize(("failures", "allows"), [(0, True), (2, True), (3, False), (4, False)])
def test_it_opens_at_the_threshold(breaker, failures, allows):
    _fail(breaker, failures)

    assert breaker.allows() is allows


def test_only_failures_in_a_row_count(breaker):
    _fail(breaker, 2)
    breaker.succeeded()
    _fail(breaker, 2)

    assert breaker.allows()


@pytest.mark.parametrize(("waited", "allows"), [(0.0, False), (REST_S - 0.01, False), (REST_S, True), (60.0, True)])
def test_it_rests_before_it_tries_again(breaker, clock, waited, allows):
    _fail(breaker, 3)

    clock.now += waited

    assert breaker.allows() is allows


def test_after_the_rest_one_caller_tries_and_the_others_wait(breaker, clock):
    _fail(breaker, 3)
    clock.now += REST_S

    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_a_trial_that_succeeds_closes_it_for_everybody(breaker, clock):
    _fail(breaker, 3)
    clock.now += REST_S
    breaker.allows()

    breaker.succeeded()

    assert [breaker.allows() for _ in range(3)] == [True, True, True]
    _fail(breaker, 2)
    assert breaker.allows()


def test_a_trial_that_fails_opens_it_for_another_rest(breaker, clock):
    _fail(breaker, 3)
    clock.now += REST_S
    breaker.allows()
    clock.now += 1

    breaker.failed()

    clock.now += REST_S - 0.01
    assert not breaker.allows()
    clock.now += 0.01
    assert breaker.allows()


def test_a_trial_that_never_reports_back_does_not_close_the_door_for_ever(breaker, clock):
    _fail(breaker, 3)
    clock.now += REST_S
    breaker.allows()

    clock.now += REST_S

    assert breaker.allows()


def test_of_many_threads_one_gets_the_trial(breaker, clock):
    _fail(breaker, 3)
    clock.now += REST_S
    start, answers = threading.Barrier(8), []

    def ask():
        start.wait()
        answers.append(breaker.allows())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [False] * 7 + [True]
