"""Decisions by two servers in turn: this tree's front, and granian, of this tree or of an older release.

Both run all the time, each with a database of its own, and are asked in alternating windows: what else the machine does
meets both alike. A ratio is that of two windows next to each other.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from django.conf import settings as django_settings
from django.db import connection

from common.postgres.databases import further_database
from governance.bench import cpu, load, servers, world
from governance.bench.decisions import Settings, requests_of_people
from governance.bench.report import Row

GRANIAN = "granian"
CLIENTS = (1, 8, 64)
PROCESSES = (1, 2)
_WINDOWS = 8
_WARM_UP_S = 2.0
# Fills an older release's database by that release's own code.
_PREPARE = """
import sys, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0, interactive=False)
call_command("prepare", "--fast", verbosity=0)
from governance.bench import world
from governance.demo import register
register.ensure_register()
world.fill(0, int(sys.argv[1]))
try:
    from policies.endpoints import credentials
except ImportError:  # the releases before the endpoints had a folder
    from policies import credentials
print("token", credentials.create_credential(name="bench", scopes=["decisions"], actor="bench")[0])
"""


@dataclass(frozen=True)
class Side:
    """One of the two servers."""

    name: str
    folder: Path
    command: Callable[[int, int], list[str]]
    """By port and number of processes."""
    environment: Mapping[str, str]
    requests: Sequence[bytes]


@dataclass(frozen=True)
class Window:
    """One measurement: microseconds of our processes for a decision, and decisions a second."""

    cpu_us: float
    per_second: float


def run(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Measure both servers with one and two processes at each number of clients."""
    subjects, rows = settings.subjects[0], []
    with world.bench_database(subjects) as url, ExitStack() as stack:
        token = world.bench_token()
        front = _side("front", url, token, subjects, stack, lambda port, number: servers.front(port, workers=number))
        if settings.against == GRANIAN:
            other = _side(GRANIAN, url, token, subjects, stack, _granian(settings.threads))
        else:
            folder = Path(str(settings.against)).resolve()
            say(f"preparing {folder} ...")
            url, token = _prepared(folder, subjects, stack)
            name = f"{GRANIAN} of {folder.name}"
            other = _side(name, url, token, subjects, stack, _granian(settings.threads), folder=folder)
        for processes in PROCESSES:
            say(f"measuring {other.name} and the front with {processes} processes ...")
            rows += _measured((other, front), processes, settings)
    return rows


def _granian(threads: int) -> Callable[[int, int], list[str]]:
    return lambda port, number: servers.granian(port, threads=threads, workers=number)


def _side(
    name: str,
    url: str,
    token: str,
    subjects: int,
    stack: ExitStack,
    command: Callable[[int, int], list[str]],
    *,
    folder: Path = Path(django_settings.BASE_DIR),
) -> Side:
    environment = _environment(folder, url, stack.enter_context(servers.home()))
    return Side(name, folder, command, environment, requests_of_people(token, subjects, vary=False))


def _environment(folder: Path, url: str, home: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": url, "ASSENT_HOME": home, "PYTHONPATH": str(folder)}


def _prepared(folder: Path, subjects: int, stack: ExitStack) -> tuple[str, str]:
    """Make and fill a database for the release in ``folder``; return its URL and a token."""
    url = stack.enter_context(further_database(f"{connection.settings_dict['NAME']}_further"))
    prepared = subprocess.run(
        [sys.executable, "-c", _PREPARE, str(subjects)],
        cwd=folder,
        env=_environment(folder, url, stack.enter_context(servers.home())),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return url, prepared.stdout.split("token ")[-1].strip()


def _measured(sides: tuple[Side, Side], processes: int, settings: Settings) -> list[Row]:
    with ExitStack() as stack:
        running = []
        for side in sides:
            port = servers.free_port()
            server = servers.running(side.command(port, processes), port, side.environment, folder=side.folder)
            running.append((side, port, stack.enter_context(server)))
        for side, port, _ in running:
            # Many clients meet every process; the first answer of one takes as long as a window.
            load.run(("127.0.0.1", port), side.requests, clients=max(CLIENTS), seconds=_WARM_UP_S)
        return [row for clients in CLIENTS for row in _in_turn(running, processes, clients, settings.seconds)]


def _in_turn(running: list[tuple[Side, int, int]], processes: int, clients: int, seconds: float) -> list[Row]:
    windows: dict[str, list[Window]] = {side.name: [] for side, _, _ in running}
    for number in range(_WINDOWS):
        # Who comes first changes, too.
        for side, port, pid in running if number % 2 else reversed(running):
            windows[side.name].append(_window(side, port, pid, clients, seconds / _WINDOWS))
    other, front = (windows[side.name] for side, _, _ in running)
    return [
        _row(running[0][0], processes, clients, other),
        _row(running[1][0], processes, clients, front, beside=other),
    ]


def _window(side: Side, port: int, pid: int, clients: int, seconds: float) -> Window:
    with cpu.measured(pid) as used:
        found = load.run(("127.0.0.1", port), side.requests, clients=clients, seconds=seconds)
    if set(found.statuses) != {200}:
        raise RuntimeError(f"In a window of {seconds} s {side.name} answered {found.statuses or 'nothing'}.")
    return Window(used.us_per(len(found.latencies))[0], found.per_second)


def _row(
    side: Side, processes: int, clients: int, windows: Sequence[Window], beside: Sequence[Window] | None = None
) -> Row:
    """Return a row of one server; of the front, with its ratios to the windows ``beside`` its own."""
    figures = {**_spread("cpu_us", [each.cpu_us for each in windows])}
    figures |= _spread("per_second", [each.per_second for each in windows])
    pairs = list(zip(windows, beside, strict=True)) if beside else []
    figures |= _spread("cpu_ratio", [own.cpu_us / other.cpu_us for own, other in pairs])
    figures |= _spread("throughput_ratio", [own.per_second / other.per_second for own, other in pairs])
    return Row(f"Memo answers, {side.name}", {"processes": processes, "clients": clients, **figures})


def _spread(name: str, values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return dict.fromkeys((f"{name}_min", f"{name}_median", f"{name}_max"))
    return {f"{name}_min": min(values), f"{name}_median": median(values), f"{name}_max": max(values)}
