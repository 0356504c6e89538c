"""Foreground commands: their output goes straight to the terminal."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from governance.launcher.processes.child import die_with_parent
from governance.launcher.processes.stopping import StopSignals
from governance.launcher.servers.environment import CHECKOUT

_SIGNAL_STATUS = 128


def run_in_front(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path = CHECKOUT, quiet: bool = False
) -> int:
    """Run a command to its end and return its exit status.

    ``quiet`` sends its output to standard error. Ctrl-C reaches the command through the terminal and a
    SIGTERM is passed on, so that the caller lives on to tidy up.
    """
    output = sys.stderr if quiet else None
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    former = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGHUP)}
    former[signal.SIGINT] = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        return exit_status(process.wait())
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def exit_status(returncode: int) -> int:
    """Return a shell's exit status: 128 plus the signal for a process that a signal ended."""
    return returncode if returncode >= 0 else _SIGNAL_STATUS - returncode


class Story:
    """Commands that run one after another next to a supervisor; the first failure ends it."""

    def __init__(self, commands: Sequence[Sequence[str]], *, environment: Mapping[str, str]) -> None:
        self._waiting = list(commands)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def status(self) -> int | None:
        """Start the next command if it is time; return the exit status once the story is over."""
        returncode = 0 if self._process is None else self._process.poll()
        if returncode is None:
            return None
        if returncode != 0 or not self._waiting:
            return exit_status(returncode)
        self._process = self._start(self._waiting.pop(0))
        return None

    def end(self) -> None:
        """End the command that runs, if one does."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=self._environment,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )


def run_stoppable(command: Sequence[str], *, environment: Mapping[str, str], log: Path, stop: StopSignals) -> int:
    """Run a command with its output in ``log`` and return its exit status; a request to stop ends it."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
    while process.poll() is None:
        stop.pause(0.5)
        if stop.requested():
            process.terminate()
    return exit_status(process.returncode)
