"""A whole instance under the real launcher, with children that need no Django."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from governance.launcher import cli
from governance.launcher.home.home import find_home, open_home
from governance.launcher.home.home_paths import remove_outside_parts
from governance.launcher.home.server_user import server_user
from governance.launcher.home.sockets import socket_folder
from governance.launcher.processes.process_records import read_records
from governance.launcher.processes.processes import identify, wait_until
from governance.launcher.processes.readiness import is_ready
from governance.launcher.servers.postgres import PostgresServer
from governance.launcher.servers.valkey import ValkeyServer
from tests.helpers.ports import claimed_port
from tests.helpers.processes import start_leashed

pytestmark = pytest.mark.acceptance

STAND_IN = Path(__file__).with_name("stand_in_launcher.py")
PATIENCE_S = 300


class Launcher:
    """A launcher in a process of its own, which can be killed."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.folder = folder
        self.output = folder / "output"
        self.process = None

    @property
    def home(self):
        return find_home(self.folder / "home")

    def start(self, *arguments: str) -> None:
        with self.output.open("wb") as output:
            self.process = start_leashed(
                [sys.executable, str(STAND_IN), str(self.folder / "home"), str(self.port), *arguments],
                env={**os.environ, "PYTHONPATH": str(cli.CHECKOUT), "DATABASE_URL": "", "BROKER_URL": ""},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def start_and_wait(self, *arguments: str) -> None:
        self.start(*arguments)
        assert wait_until(self.says_ready, timeout_s=PATIENCE_S), self.output.read_text()

    def says_ready(self) -> bool:
        return "ready in" in self.output.read_text()

    def pid_of(self, name: str) -> int | None:
        return next((record.pid for record in read_records(self.home) if record.name == name), None)

    def web_worker(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=120) as answer:
            return int(answer.read())


@pytest.fixture
def launcher(tmp_path):
    with claimed_port() as port:
        launcher = Launcher(tmp_path, port)
        yield launcher
        cli.main(["down", "--home", str(tmp_path / "home")])
        if launcher.process:
            launcher.process.wait(timeout=PATIENCE_S)
        if launcher.home:
            remove_outside_parts(launcher.home)


def test_an_instance_becomes_ready_and_stops_cleanly(launcher, capsys):
    launcher.start_and_wait()
    home = str(launcher.folder / "home")

    assert cli.main(["status", "--json", "--home", home]) == 0
    shown = {row["name"]: row["state"] for row in json.loads(capsys.readouterr().out)["processes"]}
    assert shown["postgres"] == shown["valkey"] == shown["web"] == "running"
    launcher.process.send_signal(signal.SIGINT)
    assert launcher.process.wait(timeout=PATIENCE_S) == 0
    assert not is_ready(launcher.port)
    assert PostgresServer(launcher.home).process() is None
    assert cli.main(["status", "--home", home]) == 3


@pytest.mark.parametrize(("is_replaced", "is_attached"), [(False, False), (True, False), (False, True)])
def test_a_home_deleted_under_its_instance_stops_it(launcher, is_replaced, is_attached):
    launcher.start_and_wait()
    if is_attached:
        # The next one takes over the servers that the killed one has left.
        launcher.process.kill()
        launcher.process.wait()
        launcher.start_and_wait()
    home = launcher.home
    elsewhere = [(home.path / "postgres").resolve(), socket_folder(home, server_user())]
    running = [identify(launcher.pid_of(name)) for name in ("web", "worker")]
    running += [PostgresServer(home).process(), ValkeyServer(home).process()]
    assert all(running)

    if is_replaced:
        home.path.rename(launcher.folder / "moved")
        open_home(home.path)
    else:
        # Its processes may go on writing into it.
        shutil.rmtree(home.path, ignore_errors=True)
    status = launcher.process.wait(timeout=PATIENCE_S)

    try:
        assert status == 1
        assert "was deleted or replaced under its instance" in launcher.output.read_text()
        assert not any(process.is_alive() for process in running)
        assert not is_ready(launcher.port)
    finally:
        for folder in elsewhere:
            shutil.rmtree(folder, ignore_errors=True)


def test_a_second_launcher_is_told_the_port(launcher):
    launcher.start_and_wait()
    with claimed_port() as port:
        second = Launcher(launcher.folder, port)
        second.output = launcher.folder / "second"
        second.start()

        assert second.process.wait(timeout=PATIENCE_S) == 2
    assert f"already running on port {launcher.port}" in second.output.read_text()


def test_a_port_in_use_is_noticed_before_anything_starts(launcher):
    with socket.create_server(("127.0.0.1", launcher.port)):
        launcher.start()

        assert launcher.process.wait(timeout=PATIENCE_S) == 2
    assert f"Port {launcher.port} is in use" in launcher.output.read_text()
    assert not (launcher.folder / "home" / "postgres").exists()


def test_a_killed_web_process_comes_back_without_its_old_workers(launcher):
    launcher.start_and_wait()
    old_main, old_worker = launcher.pid_of("web"), identify(launcher.web_worker())

    os.kill(old_main, signal.SIGKILL)

    assert wait_until(lambda: launcher.pid_of("web") not in {old_main, None}, timeout_s=PATIENCE_S)
    assert wait_until(lambda: is_ready(launcher.port), timeout_s=PATIENCE_S)
    assert not old_worker.is_alive()


def test_a_killed_database_comes_back(launcher):
    launcher.start_and_wait()
    server = PostgresServer(launcher.home)
    killed = server.process()

    os.kill(killed.pid, signal.SIGKILL)

    assert wait_until(lambda: server.process() not in {killed, None}, timeout_s=PATIENCE_S)


def test_after_a_killed_launcher_the_next_one_has_the_port_and_the_same_database(launcher):
    launcher.start_and_wait()
    database = PostgresServer(launcher.home).process()
    web_worker = identify(launcher.web_worker())
    for pid in (launcher.process.pid, launcher.pid_of("web")):
        os.kill(pid, signal.SIGKILL)
    launcher.process.wait()

    launcher.start_and_wait()

    assert PostgresServer(launcher.home).process() == database
    assert not web_worker.is_alive()


def test_children_end_with_a_killed_launcher(launcher):
    launcher.start_and_wait()
    worker = identify(launcher.pid_of("worker"))

    launcher.process.kill()
    launcher.process.wait()

    assert wait_until(lambda: not worker.is_alive(), timeout_s=PATIENCE_S)


def test_a_child_that_ignores_the_request_is_killed_after_its_time(launcher):
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN)\nwhile True: time.sleep(60)"
    launcher.start_and_wait(stubborn)
    worker = identify(launcher.pid_of("worker"))

    assert cli.main(["down", "--home", str(launcher.folder / "home")]) == 0
    assert not worker.is_alive()


def test_a_child_that_cannot_run_does_not_take_the_instance_down(launcher):
    launcher.start_and_wait("raise SystemExit('no space left on device')")

    assert wait_until(lambda: "worker ended" in launcher.output.read_text(), timeout_s=PATIENCE_S)
    assert is_ready(launcher.port)
    assert "no space left" in launcher.home.log("worker").read_text()
