"""Processes that tests start and that end with the process that started them."""

import os
import signal
import subprocess
import warnings
from collections.abc import Sequence
from typing import Any

from governance.launcher.processes.child import die_with_parent


def start_leashed(command: Sequence[str], **options: Any) -> "subprocess.Popen[Any]":
    """Start a program that is sent SIGTERM when the calling thread ends, however it does (on Linux)."""
    with warnings.catch_warnings():
        # From Python 3.12 on for every process with threads; die_with_parent takes no lock.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(command, preexec_fn=die_with_parent(), **options)


def stop_all_threads(process: "subprocess.Popen[Any]") -> None:
    """Stop a child as by ^Z and wait until it has stopped: until then another of its threads may still answer."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
