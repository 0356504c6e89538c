"""Processes that drop days of the decision log are killed, or run at once: each day goes once, and all verifies."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from pyarrow import parquet

from common.postgres import advisory
from consent.pseudonyms import subject_ref
from policies.decision_log import chain, drainer
from policies.decision_log.ageing import days, dropping, exports
from policies.models import Decision, LogCheckpoint
from tests.helpers.aged_log import line, store
from tests.helpers.paths import CHECKOUT
from tests.helpers.polling import until_waiting_for_locks

pytestmark = pytest.mark.django_db(transaction=True)
_DAYS, _ROWS = 5, 40
_WORKER = """
import django, os, signal, sys
django.setup()
from django.conf import settings
from django.db import connection
connection.settings_dict["NAME"], settings.DECISION_LOG_EXPORTS = sys.argv[1:3]
from policies.decision_log.ageing import checkpoints, dropping
module, name, when = sys.argv[3:6]
if module:
    module = sys.modules["policies.decision_log.ageing." + module]
    original = getattr(module, name)
    def dies(*given, **more):
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        original(*given, **more)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(module, name, dies)
print(dropping.run().stopped)
"""
_STEPS = [
    ("dropping", "drop_read", "before"),
    ("dropping", "_take_out", "after"),
    ("checkpoints", "write", "after"),
    ("dropping", "_seal", "after"),
    ("dropping", "drop_read", "after"),
]


@pytest.fixture
def noon(own_spool: Path) -> datetime:
    """The noon of the day from which the log is kept; days before it are due."""
    noon = (timezone.now() - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    people = [subject_ref(f"customer-{number}") for number in range(_ROWS)]
    for ago in (*range(400, 400 - _DAYS, -1), 0):
        moment = noon - timedelta(days=ago)
        store(own_spool, *(line(moment, person) for person in people), at=moment)
    return noon


def _worker(folder: Path, *step: str) -> subprocess.Popen[str]:
    name = connection.settings_dict["NAME"]
    command = [sys.executable, "-c", _WORKER, str(name), str(folder), *(step or ("", "", ""))]
    return subprocess.Popen(command, cwd=CHECKOUT, env=dict(os.environ), stdout=subprocess.PIPE, text=True)


def _assert_dropped(folder: Path, noon: datetime) -> None:
    assert chain.verify().broken is None
    assert [day.date for day in days.stored()] == [noon.date()]
    assert Decision.objects.count() == _ROWS
    assert sorted(c.document["day"] for c in LogCheckpoint.objects.all()) == [
        f"{noon - timedelta(days=ago):%Y-%m-%d}" for ago in range(400, 400 - _DAYS, -1)
    ]
    assert [each.state(folder) for each in exports.every()] == [None] * _DAYS
    files = sorted(folder.glob("*.parquet"))
    assert [parquet.read_table(file).num_rows for file in files] == [_ROWS] * _DAYS


def test_processes_killed_at_every_step_drop_each_day_once(noon: datetime, tmp_path: Path) -> None:
    for step in _STEPS:
        killed = _worker(tmp_path, *step)
        killed.communicate()
        assert killed.returncode == -9
        assert chain.verify().broken is None

    last = _worker(tmp_path)

    assert last.communicate()[0].strip() == ""
    _assert_dropped(tmp_path, noon)


def test_two_processes_at_once_drop_each_day_once(noon: datetime, tmp_path: Path) -> None:
    both = [_worker(tmp_path), _worker(tmp_path)]

    said = {worker.communicate()[0].strip() for worker in both}

    assert said <= {"", "Another run drops days of the decision log just now."}
    _assert_dropped(tmp_path, noon)


def test_a_second_run_says_that_another_one_is_under_way(noon: datetime) -> None:
    with advisory.held(dropping._ONE_RUN) as is_held:
        assert is_held
        assert dropping.run().stopped == "Another run drops days of the decision log just now."

    assert Decision.objects.count() == _ROWS * (_DAYS + 1)


def test_a_decision_that_comes_in_while_a_day_is_read_is_not_lost(
    noon: datetime, own_spool: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DECISION_LOG_EXPORTS = tmp_path
    first = noon - timedelta(days=400)
    late = [line(first, subject_ref("late"))]
    original: Callable[..., int] = dropping.drop_read

    def overtaken(found: Any) -> int:
        if late:
            store(own_spool, late.pop(), at=first + timedelta(hours=1))
        return original(found)

    monkeypatch.setattr(dropping, "drop_read", overtaken)

    assert dropping.run().dropped[f"{first:%Y-%m-%d}"] == _ROWS + 1
    assert parquet.read_table(tmp_path / f"decisions-{first:%Y-%m-%d}.parquet").num_rows == _ROWS + 1
    assert chain.verify().broken is None


def test_the_drainer_and_a_drop_take_turns(noon: datetime, own_spool: Path) -> None:
    done: list[dropping.Run] = []

    def run() -> None:
        try:
            done.append(dropping.run())
        finally:
            connections.close_all()

    with transaction.atomic(), connection.cursor() as cursor:
        drainer.take_turn(cursor)
        other = threading.Thread(target=run)
        other.start()
        until_waiting_for_locks(1)
        assert not done
    other.join()

    assert len(done[0].dropped) == _DAYS
    assert chain.verify().broken is None


def test_a_reader_that_does_not_end_keeps_the_day(noon: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropping, "_ATTEMPTS", 1)
    done: list[dropping.Run] = []

    def run() -> None:
        try:
            done.append(dropping.run())
        finally:
            connections.close_all()

    with transaction.atomic():
        assert Decision.objects.count() == _ROWS * (_DAYS + 1)
        other = threading.Thread(target=run)
        other.start()
        other.join()

    assert "the table was in use all the time" in done[0].stopped
    assert Decision.objects.count() == _ROWS * (_DAYS + 1)
    assert len(dropping.run().dropped) == _DAYS
