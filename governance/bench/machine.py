"""Where and when a measurement was made: without it, its figures cannot be compared with others."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

Machine = dict[str, Any]


def describe(*, opa: str | None) -> Machine:
    """Return what the machine and the programs on it are; what cannot be known is None."""
    connection.ensure_connection()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _said_by(["git", "-C", str(settings.BASE_DIR), "describe", "--always", "--dirty", "--abbrev=40"]),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": _cores(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "load_average": {"before": _load_average()},
        "python": platform.python_version(),
        "postgresql": connection.connection.info.parameter_status("server_version"),
        "opa": _opa_version(opa) if opa else None,
    }


def note_end(machine: Machine) -> None:
    """Add what is known of the machine only after the measurement."""
    machine["load_average"]["after"] = _load_average()


def _load_average() -> list[float]:
    """Return the load of the last 1, 5 and 15 minutes."""
    return [round(load, 2) for load in os.getloadavg()]


def _cores() -> int | None:
    """Return how many this process may use; on macOS, which has no such question, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _processor() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)


def _opa_version(program: str) -> str | None:
    lines = (_said_by([program, "version"]) or "").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("Version:")), None)


def _said_by(command: Sequence[str]) -> str | None:
    """Return what a program prints; None where it is absent or fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
