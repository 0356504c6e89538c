"""``demo --cells``: two instances on one machine, each with a home, a port and secrets of its own, as one deployment.

This process starts what ``./assent up`` would, twice, and runs the story between them. Its end ends both.

::

    eu/ us/          the two homes
    eu.log us.log    what their launchers say; setup.log what was done before
    cells/           the table, the credential each cell calls the other with, the keys releases are checked with
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from governance.launcher import console
from governance.launcher.demonstration import MADE_UP_BUSINESS
from governance.launcher.errors import InstanceError, refused
from governance.launcher.foreground import exit_status, run_stoppable
from governance.launcher.home.home import find_home, open_home, write_private
from governance.launcher.home.ports import LOOPBACK, parse_port, require_free_port
from governance.launcher.processes.child import die_with_parent
from governance.launcher.processes.logs import tail
from governance.launcher.processes.readiness import is_ready
from governance.launcher.processes.stopping import StopSignals
from governance.launcher.servers.environment import CHECKOUT

DEFAULT_FOLDER = ".assent-cells"
_REGIONS = {"eu": "eu-central", "us": "us-east"}
_SERVERS = ("DATABASE_URL", "BROKER_URL", "OPA_URL")
# What a shell may say about one instance would make two alike.
_NOT_PASSED_ON = (
    "PUBLIC_URL", "PROCESSING_REGION", "CELL", "CELLS_FILE", "ASSENT_HOME", "SECRET_KEY", "SUBJECT_KEY",
    "SECRET_KEY_FILE", "SUBJECT_KEY_FILE", "DJANGO_SETTINGS_MODULE",
)  # fmt: skip
_TURN_S = 0.2
_STOP_S = 60.0
_INTERRUPTED = 130


class _Stopped(Exception):
    """Request to stop."""


@dataclass
class _Cell:
    """One of the two instances; ``environment`` makes it a cell."""

    name: str
    home: Path
    port: int
    log: Path
    environment: Mapping[str, str]
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def command(self, *words: str) -> list[str]:
        return [
            *(sys.executable, "-m", "governance.launcher"),
            *("--home", str(self.home), "--port", str(self.port)),
            *words,
        ]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command("up"),
                env=self.environment,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )

    def require_running(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise InstanceError(f"Cell '{self.name}' has ended; the last lines of {self.log}:\n{tail(self.log)}")

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait_until_stopped(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its next start ends what it leaves behind
            self._process.wait()
        self._process = None


def run_cells(folder: Path, *, port: int, exits: bool) -> int:
    """Run both cells and the story until a request to stop, or its end; return the exit status."""
    began = time.monotonic()
    _require_own_servers()
    cells = _cells(folder, port)
    with StopSignals() as stop, _ended(list(cells.values())):
        try:
            for cell in cells.values():
                require_free_port(cell.port)
            deployment = _Deployment(folder, cells, stop)
            deployment.set_up()
            console.announce(f"both cells are ready after {time.monotonic() - began:.1f} s")
            _announce(cells)
            status = deployment.run_story()
            if exits:
                return status
            console.say(f"the story ended with status {status}; both cells stay up until Ctrl-C")
            _announce(cells)
            deployment.stay()
        except _Stopped:
            return _INTERRUPTED if exits else 0
    return 0


def _announce(cells: Mapping[str, _Cell]) -> None:
    for cell in cells.values():
        console.announce(f"{cell.name}: http://localhost:{cell.port}/  ({_REGIONS[cell.name]}, {cell.home})")


def _require_own_servers() -> None:
    named = [name for name in _SERVERS if name in os.environ]
    if named:
        raise refused(f"Two cells need servers of their own; unset {', '.join(named)}.")


def _cells(folder: Path, port: int) -> dict[str, _Cell]:
    if find_home(folder) is not None:
        raise refused(f"{folder} is the home of one instance; choose another folder with --home.")
    (folder / "cells").mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = {name: value for name, value in os.environ.items() if name not in (*_NOT_PASSED_ON, *_SERVERS)}
    table = str(folder / "cells" / "cells.json")
    return {
        name: _Cell(
            name=name,
            home=folder / name,
            port=parse_port(str(port + number)),
            log=folder / f"{name}.log",
            environment={"BUSINESS_NAME": MADE_UP_BUSINESS, **environment, "CELL": name, "CELLS_FILE": table},
        )
        for number, name in enumerate(_REGIONS)
    }


@contextmanager
def _ended(cells: Sequence[_Cell]) -> Iterator[None]:
    """Stop every cell at the end of the block, both at once."""
    try:
        yield
    finally:
        console.say("stopping")
        for cell in cells:
            cell.ask_to_stop()
        for cell in cells:
            cell.wait_until_stopped()


class _Deployment:
    """Two cells, set up in the order in which each needs the other."""

    def __init__(self, folder: Path, cells: Mapping[str, _Cell], stop: StopSignals) -> None:
        self._folder, self._stop = folder, stop
        self._eu, self._us = cells["eu"], cells["us"]
        self._log = folder / "setup.log"

    def set_up(self) -> None:
        self._introduce()
        console.say("starting cell 'eu', which the officers keep the rules in")
        self._start(self._eu)
        console.say("filling it with people of Europe and Brazil")
        self._run(self._eu, "manage", "seed_demo")
        console.say("pulling its rules, starting cell 'us' and filling it with people of the United States")
        self._run(self._us, "cells", "pull")
        self._start(self._us)
        self._run(self._us, "manage", "seed_demo")

    def run_story(self) -> int:
        """Run the story: both cells, the US cell alone, both again. Return the first status that is not 0."""
        person = f"anna-{secrets.token_hex(8)}"
        status = self._story("both", person)
        if status == 0:
            console.say("stopping cell 'eu'")
            self._eu.ask_to_stop()
            self._eu.wait_until_stopped()
            status = self._story("alone", person)
            console.say("starting cell 'eu' again")
            self._start(self._eu)
        return status or self._story("again", person)

    def stay(self) -> None:
        while True:
            self._wait()
            self._eu.require_running()
            self._us.require_running()

    def _introduce(self) -> None:
        """Give each cell a credential for the other, and the US cell the keys it checks releases with; once."""
        shared = self._folder / "cells"
        keys = shared / "eu-keys.json"
        if not keys.exists():
            console.say("making two databases, and a credential for each cell to call the other with")
            for cell in (self._eu, self._us):
                open_home(cell.home)  # a command makes no instance by itself
            self._run(self._us, "cells", "welcome", "eu", "--token-file", str(shared / "to-us"), alone=True)
            arguments = ("welcome", "us", "--token-file", str(shared / "to-eu"), "--keys-file", str(keys))
            self._run(self._eu, "cells", *arguments, alone=True)
        cells = [
            {
                "name": cell.name,
                "processing_region": _REGIONS[cell.name],
                "url": cell.url,
                "token_file": f"to-{cell.name}",
            }
            for cell in (self._eu, self._us)
        ]
        table = {"primary": "eu", "keys_file": keys.name, "cells": cells}
        write_private(shared / "cells.json", json.dumps(table, indent=2))

    def _start(self, cell: _Cell) -> None:
        cell.start()
        while not is_ready(cell.port):
            self._wait()
            cell.require_running()

    def _run(self, cell: _Cell, *words: str, alone: bool = False) -> None:
        """Run one command of a cell to its end; ``alone`` before it is a cell at all. Raises InstanceError."""
        apart = ("CELL", "CELLS_FILE") if alone else ()
        environment = {name: value for name, value in cell.environment.items() if name not in apart}
        status = run_stoppable(cell.command(*words), environment=environment, log=self._log, stop=self._stop)
        if self._stop.requested():
            raise _Stopped
        if status != 0:
            raise InstanceError(f"Cell '{cell.name}' could not be set up; the end of {self._log}:\n{tail(self._log)}")

    def _story(self, part: str, person: str) -> int:
        words = ("manage", "demo_cells", part, "--person", person, "--eu", str(self._eu.home))
        process = subprocess.Popen(
            self._us.command(*words),
            env=self._us.environment,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        try:
            while process.poll() is None:
                self._wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        return exit_status(process.returncode)

    def _wait(self) -> None:
        self._stop.pause(_TURN_S)
        if self._stop.requested():
            raise _Stopped
