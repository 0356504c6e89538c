"""Saving choices over HTTP: authenticated, validated, chained, audited, durable at the answer."""

import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from governance.bench import load, servers, world
from governance.bench.decisions import Row, Settings, measured_row

_REQUESTS = 20_000


def run(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Measure saves of one choice and reads of the state, each by a random person."""
    with world.bench_database(settings.subjects[-1]) as url:
        token = world.bench_token()
        home = Path(tempfile.mkdtemp(prefix="assent-bench-"))
        environment = {**os.environ, "DATABASE_URL": url, "ASSENT_HOME": str(home)}
        port = servers.free_port()
        try:
            with servers.running(servers.granian(port, threads=settings.threads), port, environment) as pid:
                say(f"measuring with {settings.subjects[-1]:,} people ...")
                saves = _saves(token, settings.subjects[-1])
                return [
                    measured_row("Save one choice", port, pid, saves, clients, settings)
                    for clients in (settings.clients, 1)
                ]
        finally:
            shutil.rmtree(home, ignore_errors=True)


def _saves(token: str, subjects: int) -> list[bytes]:
    chance = random.Random(11)  # noqa: S311 (who chooses what in a measurement)
    return [
        load.post("/api/v1/consents", json.dumps(_document(chance, subjects)).encode(), token) for _ in range(_REQUESTS)
    ]


def _document(chance: random.Random, subjects: int) -> dict[str, object]:
    choice = chance.choice(["give", "refuse"])
    return {
        "subject": {"id": world.person(chance.randrange(subjects)), "region": "DE"},
        "choices": [{"purpose": "recommendations", "choice": choice}],
        "source": "bench",
    }
