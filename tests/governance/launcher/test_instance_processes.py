"""Processes are known by pid and start, never by pid alone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from governance.launcher.errors import InstanceError
from governance.launcher.home.home import find_home, open_home
from governance.launcher.processes.child import MARK, Child, ChildSpec
from governance.launcher.processes.launcher_lock import claim, find_launcher
from governance.launcher.processes.process_records import end_leftovers, read_records, write_records
from governance.launcher.processes.processes import ProcessId, identify, wait_until
from tests.helpers.polling import until


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def record(home, **entry):
    (home.run / "processes.json").write_text(json.dumps([{"name": "web", **entry}]))


def test_this_process_is_alive():
    assert identify(os.getpid()).is_alive()


def test_a_zombie_is_not_alive():
    process = subprocess.Popen([sys.executable, "-c", ""])

    assert wait_until(lambda: identify(process.pid) is None, timeout_s=120)
    process.wait()


def test_the_same_pid_with_another_start_is_another_process(sleeper):
    assert not ProcessId(sleeper.pid, "long ago").is_alive()


def test_a_recorded_process_is_ended(home, sleeper):
    record(home, pid=sleeper.pid, started=identify(sleeper.pid).started)

    assert end_leftovers(home) == ["web"]
    assert sleeper.wait(timeout=300) != 0


def test_a_stranger_with_a_recorded_pid_is_left_alone(home, sleeper):
    record(home, pid=sleeper.pid, started="long ago")

    assert end_leftovers(home) == []
    assert sleeper.poll() is None


@pytest.mark.parametrize(("owner", "ended"), [("this", ["web"]), ("another", [])])
def test_orphaned_workers_are_ended_only_with_this_instances_mark(home, owner, ended):
    spawn = (
        "import subprocess, sys;"
        "worker = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        "  stdout=subprocess.DEVNULL);"
        "print(worker.pid, flush=True)"
    )
    mark = home.mark if owner == "this" else "0" * 16
    leader = subprocess.Popen(
        [sys.executable, "-c", spawn],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, MARK: mark},
    )
    worker = identify(int(leader.communicate()[0]))
    # A parent goes on while the kernel still lays out what its child began with.
    until(lambda: Path(f"/proc/{worker.pid}/environ").read_bytes(), "the worker has its environment")
    record(home, pid=leader.pid, started="gone")

    assert end_leftovers(home) == ended
    assert worker.is_alive() is (ended == [])
    if worker.is_alive():
        os.kill(worker.pid, 9)


def test_a_copied_home_ends_nothing_of_the_original(home, sleeper):
    child = Child(ChildSpec(name="web", command=("true",)), environment={}, folder=home.path, log=home.log("web"))
    child._identity = identify(sleeper.pid)
    write_records(home, [child])
    with claim(home, port=8123, embedded=[]):
        copy = find_home(shutil.copytree(home.path, home.path.with_name("copy")))

        assert copy.instance_id == home.instance_id
        assert find_launcher(copy) is None
        assert (end_leftovers(copy), read_records(copy)) == ([], [])
        assert find_launcher(home).port == 8123
    assert sleeper.poll() is None
    assert end_leftovers(home) == ["web"]


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"name": "web"}]', "null"])
def test_a_damaged_record_counts_as_empty(home, content):
    (home.run / "processes.json").write_text(content)

    assert read_records(home) == []


def test_a_home_has_one_launcher(home):
    with (
        claim(home, port=8123, embedded=["postgres"]),
        pytest.raises(InstanceError, match="already running on port 8123"),
        claim(home, port=8124, embedded=[]),
    ):
        pass

    assert find_launcher(home) is None


def test_the_launcher_can_be_found_while_it_runs(home):
    with claim(home, port=8123, embedded=["postgres"]):
        assert find_launcher(home).port == 8123


def test_a_launcher_that_was_killed_is_not_found(home):
    home.supervisor_lock.write_text(json.dumps({"pid": os.getpid(), "started": "x", "port": 1, "embedded": []}))

    assert find_launcher(home) is None
