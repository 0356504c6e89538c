"""A command that a signal ends tidies up: files, databases and servers that it meant to leave are gone."""

import os
import signal
import subprocess
import sys

import pytest

from tests.helpers.paths import CHECKOUT
from tests.helpers.polling import PATIENCE_S

_EXTERNAL_SERVERS = {"DATABASE_URL", "BROKER_URL", "OPA_URL"}
# A run of tests that was started by nohup hands on that it ignores SIGHUP.
_AS_FROM_A_SHELL = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
_MANAGE = """
import os, sys
from django.core import management

def execute(arguments):
    number = int(arguments[1])
    try:
        os.kill(os.getpid(), number)
        print("went on")
    finally:
        os.kill(os.getpid(), number)
        print("tidied up")

management.execute_from_command_line = execute
import manage
manage.main()
"""
_DROPPED = """
import os, signal, sys, threading
from governance.launcher.processes.termination import unwound_by_signals

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

with unwound_by_signals():
    Finalized()
    threading.Event().wait()
"""
_LAUNCHER = """
import os, signal, sys
from governance.launcher import cli, one_off

one_off.start_and_wait = lambda server: os.kill(os.getpid(), signal.SIGTERM)
one_off.PostgresServer.stop = lambda server: print("stopped", len(os.listdir(os.environ["TMPDIR"])))
sys.exit(cli.main(["--home", sys.argv[1], "bench", "drain"]))
"""


def run(code: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in _EXTERNAL_SERVERS}
    return subprocess.run(
        [sys.executable, "-c", _AS_FROM_A_SHELL + code, *arguments],
        env={**environment, "PYTHONPATH": str(CHECKOUT), **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_tidies_up_however_often_it_is_asked_to_end(number):
    done = run(_MANAGE, str(int(number)))

    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "tidied up\n", "")


def test_an_end_that_a_finalizer_dropped_comes_again():
    done = run(_DROPPED)

    assert done.returncode == 128 + signal.SIGTERM
    assert "Exception ignored in" in done.stderr


def test_a_command_under_nohup_outlives_its_terminal():
    done = run("import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + _MANAGE, str(int(signal.SIGHUP)))

    assert (done.returncode, done.stdout) == (0, "went on\ntidied up\n")


def test_a_borrowed_database_and_its_home_are_gone_when_the_start_is_ended(tmp_path):
    done = run(_LAUNCHER, str(tmp_path / "none"), TMPDIR=str(tmp_path))

    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "stopped 1\n"), done.stderr
    assert list(tmp_path.iterdir()) == []
