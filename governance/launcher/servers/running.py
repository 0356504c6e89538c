"""Instances that run on this machine, found by their launchers' command lines."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from governance.launcher.errors import InstanceError
from governance.launcher.home.home import DEFAULT_HOME, Home, find_home
from governance.launcher.processes.launcher_lock import find_launcher
from governance.launcher.processes.processes import PROC, all_pids, command_line
from governance.launcher.servers.environment import CHECKOUT

_PROGRAM = "governance.launcher"


def running_instances() -> list[tuple[Path, int]]:
    """Return home and port of each instance of this user that runs; empty where there is no ``/proc``."""
    found = {}
    for pid in all_pids():
        for folder in _homes_named(pid):
            home = _readable_home(folder)
            launcher = find_launcher(home) if home else None
            if home and launcher and launcher.pid == pid:
                found[home.path] = launcher.port
    return sorted(found.items())


def home_option(home: Path) -> str:
    """Return `` --home DIR`` as a command line needs it, empty for the default home."""
    return "" if home == CHECKOUT / DEFAULT_HOME else f" --home {shlex.quote(str(home))}"


def named_instances() -> str:
    """Return a sentence that names what runs, with the option that chooses it."""
    running = running_instances()
    if not running:
        return "No instance of yours runs here; start one with ./assent up or ./assent demo."
    options = (f"{home_option(home).strip() or 'no --home'} (port {port})" for home, port in running)
    return f"Running: {', '.join(options)}."


def _homes_named(pid: int) -> Iterator[Path]:
    words = command_line(pid)
    if not any(_PROGRAM in word for word in words):
        return
    yield CHECKOUT / DEFAULT_HOME
    for index, word in enumerate(words):
        option, joined, value = word.partition("=")
        if option == "--home":
            named = value if joined else next(iter(words[index + 1 :]), "")
            yield from (Path(os.path.normpath(base / named)) for base in _folder_of(pid))


def _folder_of(pid: int) -> list[Path]:
    try:
        return [(PROC / str(pid) / "cwd").readlink()]
    except OSError:
        return []


def _readable_home(folder: Path) -> Home | None:
    try:
        return find_home(folder)
    except InstanceError:
        return None
