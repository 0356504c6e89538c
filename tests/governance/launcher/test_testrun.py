"""A run of the tests that is ended leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from governance.launcher import testrun
from governance.launcher.processes.processes import all_pids, command_line, identify, wait_until
from tests.helpers.paths import CHECKOUT
from tests.helpers.processes import start_leashed

PATIENCE_S = 300
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Needs Linux: elsewhere orphans are not adopted")
# A test that waits for ever, and what it started: a child, one in a session of its own, and an orphan of such a one.
_NEVER_ENDING = """
import json, pathlib, subprocess, sys, threading

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STARTER = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], stdout=sys.stderr, start_new_session=True).pid)"


def test_that_waits():
    child = subprocess.Popen(SLEEPER).pid
    alone = subprocess.Popen(SLEEPER, start_new_session=True).pid
    orphan = int(subprocess.run([sys.executable, "-c", STARTER, *SLEEPER], stdout=subprocess.PIPE).stdout)
    written = pathlib.Path(__file__).with_name("pids.new")
    written.write_text(json.dumps([child, alone, orphan]))
    written.rename(written.with_name("pids"))
    threading.Event().wait()
"""
_LEAVES_ONE = """
import signal, subprocess, sys
from governance.launcher.processes.orphans import nothing_left_behind

spared = subprocess.Popen(["sleep", "600"])
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
with nothing_left_behind(within_s=float(sys.argv[1])):
    left = subprocess.Popen([sys.executable, "-c", DEAF], start_new_session=True, stdout=subprocess.PIPE)
    left.stdout.readline()
print(spared.poll(), left.poll())
spared.kill()
"""
_LEAVES_ONE_LATE = """
import os, subprocess, sys
from governance.launcher.processes import orphans

STARTER = '''
import subprocess
left = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(left.pid, flush=True)
input()
'''

def listed_before_it_ends(pid, listed=orphans.children):
    found = listed(pid)
    if starter is not None and not starter.stdin.closed:
        starter.stdin.close()
        os.waitid(os.P_PID, starter.pid, os.WEXITED | os.WNOWAIT)
    return found

starter, orphans.children = None, listed_before_it_ends
with orphans.nothing_left_behind():
    starter = subprocess.Popen([sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    left = int(starter.stdout.readline())
print(orphans.identify(left))
"""


def test_a_run_ended_by_sigterm_leaves_nothing_behind(tmp_path):
    (tmp_path / "test_waiting.py").write_text(_NEVER_ENDING)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    words = ["test", "-n", "1", "-p", "no:django", "-p", "no:cacheprovider", str(tmp_path / "test_waiting.py")]
    with (tmp_path / "output").open("wb") as output:
        run = start_leashed(
            [sys.executable, "-m", "governance.launcher", *words],
            cwd=CHECKOUT,
            env={**outer, "TMPDIR": str(temporary)},
            stdout=output,
            stderr=output,
        )
    pids = tmp_path / "pids"
    assert wait_until(pids.exists, timeout_s=PATIENCE_S), (tmp_path / "output").read_text()
    started = [identify(pid) for pid in json.loads(pids.read_text())]
    assert all(started)

    run.send_signal(signal.SIGTERM)

    assert run.wait(timeout=PATIENCE_S) == 128 + signal.SIGTERM
    assert [process for process in started if process.is_alive()] == []
    assert [pid for pid in all_pids() if any(str(tmp_path) in word for word in command_line(pid))] == []
    assert list(temporary.glob("assent-*")) == []


@pytest.mark.parametrize("patience", ["0", "0.2"])
def test_what_does_not_listen_is_killed_and_what_was_there_before_spared(patience):
    done = subprocess.run(
        [sys.executable, "-c", _LEAVES_ONE, patience], capture_output=True, text=True, cwd=CHECKOUT, timeout=PATIENCE_S
    )

    assert done.stderr == ""
    assert done.stdout.startswith("None ")


def test_a_leashed_process_ends_with_its_parent(tmp_path):
    program = "from tests.helpers.processes import start_leashed; print(start_leashed(['sleep', '600']).pid)"

    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)

    pid = int(done.stdout)
    assert wait_until(lambda: identify(pid) is None, timeout_s=PATIENCE_S)


@pytest.mark.parametrize(
    ("outer", "seen"),
    [
        ({"PYTHONDONTWRITEBYTECODE": "1"}, {"PYTHONPYCACHEPREFIX": str(Path(sys.prefix) / "pycache")}),
        ({"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/x"}, {"PYTHONPYCACHEPREFIX": "/x"}),
        ({"LANG": "C", "OPA_URL": "http://opa"}, {"LANG": "C"}),
    ],
)
def test_a_run_keeps_compiled_files_and_no_settings_of_the_shell(outer, seen):
    assert testrun.passed_on(outer) == seen


def test_what_is_handed_over_while_its_parent_ends_is_ended_too():
    done = subprocess.run(
        [sys.executable, "-c", _LEAVES_ONE_LATE], capture_output=True, text=True, cwd=CHECKOUT, timeout=PATIENCE_S
    )

    assert done.stdout == "None\n", done.stderr
