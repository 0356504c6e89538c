"""Servers under measurement."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


def home() -> "tempfile.TemporaryDirectory[str]":
    """Return an empty ASSENT_HOME for as long as the block runs."""
    return tempfile.TemporaryDirectory(prefix="assent-bench-", ignore_cleanup_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], port: int, environment: Mapping[str, str], *, folder: Path | None = None
) -> Iterator[int]:
    """Run a server until the block ends; yield its process id once the port accepts connections."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with status {process.returncode}.")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The server did not open its port within a minute.")


def web(port: int, *, threads: int, application: str = "governance.wsgi:application") -> list[str]:
    """Return the command of the web server that WEB_SERVER names, as the launcher does."""
    if os.environ.get("WEB_SERVER") == "granian":
        return granian(port, threads=threads, application=application)
    return front(port, application=application)


def front(port: int, *, workers: int = 1, application: str = "governance.wsgi:application") -> list[str]:
    return [sys.executable, "-m", "governance.front", "--port", str(port), "--workers", str(workers), application]


def granian(
    port: int, *, threads: int, workers: int = 1, application: str = "governance.wsgi:application"
) -> list[str]:
    return [
        str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads), "--no-access-log",
        application,
    ]  # fmt: skip
