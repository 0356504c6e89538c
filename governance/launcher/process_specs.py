"""Process specifications of an instance. Supervising one more means one more entry here."""

import os
import sys

from governance.launcher.errors import refused
from governance.launcher.home.home import Home
from governance.launcher.home.ports import LOOPBACK
from governance.launcher.processes.child import ChildSpec

WEB_WORKERS = 2
GRANIAN_THREADS = 2  # while one waits for the database the other works; more only switch more often
# The queues each worker takes (common/jobs/queues.py; the launcher imports no app); "celery" is their former name.
WORKERS = {"worker-urgent": "urgent", "worker": "periodic,celery", "worker-long": "long"}
_APPLICATION = "governance.wsgi:application"


def manage_command(*arguments: str) -> tuple[str, ...]:
    """Return the argument list of one of Django's commands."""
    return (sys.executable, "manage.py", *arguments)


def process_specs(home: Home, *, port: int) -> tuple[ChildSpec, ...]:
    """Return the children of ``home``, in the order they start; the web process stops first."""
    return (
        ChildSpec(name="web", command=_web(port)),
        *(
            ChildSpec(name=name, command=_worker(name, taken), stop_order=1, starts_when_ready=True)
            for name, taken in WORKERS.items()
        ),
        ChildSpec(name="beat", command=_beat(home), stop_order=1, starts_when_ready=True),
        # Last, so that it finds what the web processes wrote until their end.
        ChildSpec(name="drainer", command=manage_command("drain_decisions"), stop_order=2, starts_when_ready=True),
    )


def _web(port: int) -> tuple[str, ...]:
    """Return the command of the web server: WEB_SERVER names it. Raises InstanceError for another name."""
    name = os.environ.get("WEB_SERVER", "front")
    if name not in _WEB_SERVERS:
        raise refused(f"WEB_SERVER must be one of: {', '.join(_WEB_SERVERS)}.")
    address = ("--host", LOOPBACK, "--port", str(port), "--workers", str(WEB_WORKERS))
    return (sys.executable, "-m", *_WEB_SERVERS[name], *address, _APPLICATION)


_WEB_SERVERS = {
    "front": ("governance.front",),
    "granian": (
        *("granian", "--interface", "wsgi", "--blocking-threads", str(GRANIAN_THREADS)),
        *("--respawn-failed-workers", "--no-access-log", "--log-level", "warning"),
    ),
}


def _worker(name: str, taken: str) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "celery", "-A", "governance", "worker", "-Q", taken, "-n", f"{name}@%h"),
        *("--concurrency", "1", "--loglevel", "warning"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


def _beat(home: Home) -> tuple[str, ...]:
    schedule = str(home.run / "beat-schedule")
    return (
        sys.executable,
        "-m",
        "celery",
        "-A",
        "governance",
        "beat",
        "-s",
        schedule,
        "--loglevel",
        "warning",
    )
