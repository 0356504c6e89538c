"""Requests are counted by route, status and code, over all processes, ended ones included."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common.counting.counts import MOMENTARY, Counts
from governance.monitoring import jobs, requests
from policies.endpoints import credentials
from tests.helpers.wsgi_calls import call, question

pytestmark = pytest.mark.django_db


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    found = Counts(tmp_path / "requests")
    monkeypatch.setattr(requests, "counts", lambda: found)
    return found


@pytest.fixture
def shop_token():
    return credentials.create_credential(name="shop", scopes=["decisions"], actor="test")[0]


def samples():
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for metric in requests.metrics()
        for sample in metric.samples
    }


def test_answers_are_counted_by_route_and_status(fresh, shop_token):
    for token in (shop_token, shop_token, "junk"):
        call(question(), token)
    call(b"", None, path="/privacy/open/a-secret-token", method="GET")
    call(b"", None, path="/nowhere/4711", method="GET")
    found = samples()
    assert found["assent_requests_total", "/access/v1/evaluation", "200"] == 2
    assert found["assent_requests_total", "/access/v1/evaluation", "401"] == 1
    assert found["assent_requests_total", "/privacy/open/<str:token>", "200"] == 1
    assert found["assent_requests_total", "404", "other"] == 1
    assert found["assent_request_seconds_count", "/access/v1/evaluation"] == 3
    assert found["assent_request_seconds_bucket", "+Inf", "/access/v1/evaluation"] == 3
    assert found["assent_request_seconds_sum", "/access/v1/evaluation"] > 0
    assert not any("secret" in part or "4711" in part for key in found for part in key)


def test_a_503_is_counted_by_its_code(fresh, shop_token, monkeypatch):
    def failing(*_args, **_named):
        raise credentials_unavailable

    from policies.decisions.information import InformationUnavailable

    credentials_unavailable = InformationUnavailable()
    monkeypatch.setattr("policies.decisions.information.asked", failing)
    assert call(question(), shop_token).status == 503
    assert samples()["assent_unavailable_total", "information_unavailable"] == 1


def test_the_fronts_own_answers_are_requests_without_a_duration(fresh):
    requests.count_own("front:unread", 408, "request_timeout")
    requests.count_own("front:batches", 503, "busy")
    requests.count_own("front:batches", 503, "busy")
    requests.count_own("/health/live", 200, "")
    found = samples()
    assert found["assent_requests_total", "408", "front:unread"] == 1
    assert found["assent_requests_total", "503", "front:batches"] == 2
    assert found["assent_requests_total", "/health/live", "200"] == 1
    assert found["assent_unavailable_total", "busy"] == 2
    assert not any(name.startswith("assent_request_seconds") for name, *_ in found)


class Pool:
    refused = 3

    def waiting(self):
        return 5


def test_pools_report_what_waits_and_what_they_refused(fresh, monkeypatch):
    monkeypatch.setattr(requests, "_refused", {})
    requests.watch_pools({"batches": Pool()})
    requests.watch_pools({"batches": Pool()})
    found = samples()
    assert (found["assent_pool_refused_total", "batches"], found["assent_pool_waiting", "batches"]) == (3, 5)


def test_counts_of_processes_add_up_and_outlive_them(tmp_path):
    code = (
        "import sys, pathlib; from common.counting.counts import Counts\n"
        "counts = Counts(pathlib.Path(sys.argv[1])); counts.add('a b', {0: 2.0}); counts.put('now x', [7.0])\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    own = Counts(tmp_path)
    own.add("a b", {0: 1.0, 3: 0.5})
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"ready\n"
    assert own.total()["a b"][:4] == [3.0, 0, 0, 0.5]
    assert own.total()[f"{MOMENTARY}x"][0] == 7.0

    other.send_signal(signal.SIGKILL)
    other.communicate()
    assert own.total()["a b"][0] == 3.0
    assert f"{MOMENTARY}x" not in own.total()

    later = Counts(tmp_path)
    assert later.total()["a b"][0] == own.total()["a b"][0] == 3.0
    assert len(list(Path(tmp_path).glob("*.counts"))) == 2


def test_more_names_than_rows_are_counted_as_the_rest(tmp_path):
    counts = Counts(tmp_path)
    for number in range(2_000):
        counts.add(f"name {number}", {0: 1.0})
    total = counts.total()
    assert sum(numbers[0] for numbers in total.values()) == 2_000
    assert len(total) <= 1_024


def test_the_scrape_answers_with_what_runs(token, fresh):
    answer = call(
        b"", credentials.create_credential(name="p", scopes=["metrics"], actor="test")[0], path="/metrics", method="GET"
    )
    text = answer.body.decode()
    for name in (
        "assent_build{",
        "assent_jobs_waiting ",
        'assent_scrape_failed{part="web"} 0.0',
        'assent_scrape_failed{part="jobs"} 0.0',
    ):
        assert name in text, name


class Store(dict):
    set = dict.__setitem__


def test_the_last_beat_is_noted_in_the_broker_and_its_age_given(monkeypatch):
    from kombu.transport.virtual import Channel

    monkeypatch.setattr(Channel, "client", Store(), raising=False)
    assert "assent_beat_age_seconds" not in {metric.name for metric in jobs.metrics(0.0)}
    jobs.note_beat()
    ages = {metric.name: metric.samples[0].value for metric in jobs.metrics(time.time() + 40)}
    assert 39 < ages["assent_beat_age_seconds"] < 60
    assert ages["assent_jobs_waiting"] >= 0


@pytest.mark.parametrize("queue", ["urgent", "periodic", "long"])
def test_jobs_of_each_queue_are_counted_as_waiting(queue):
    def waiting():
        return next(metric.samples[0].value for metric in jobs.metrics(0.0) if metric.name == "assent_jobs_waiting")

    before = waiting()
    with jobs.app.connection_for_write() as broker, broker.SimpleQueue(queue) as one:
        one.put({"job": 1})
        try:
            assert waiting() == before + 1
        finally:
            one.get(timeout=60).ack()
    assert waiting() == before


def test_a_broker_that_is_away_costs_the_part_and_no_beat(monkeypatch):
    def away():
        raise ConnectionRefusedError

    for name in ("connection_for_read", "connection_for_write"):
        monkeypatch.setattr(jobs.app, name, away)
    jobs.note_beat()
    with pytest.raises(OSError):
        list(jobs.metrics(0.0))
