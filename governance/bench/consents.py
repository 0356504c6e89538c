"""Consents over HTTP: saving three choices (validated, chained, audited, durable), and reading the current state."""

import json
import random
from collections.abc import Callable

from governance.bench import load, world
from governance.bench.decisions import Settings, measured_row, serving
from governance.bench.report import Row

_REQUESTS = 20_000
_PURPOSES = ("personalization", "recommendations", "newsletter")


def run(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Measure at each number of subjects."""
    rows: list[Row] = []
    for subjects in settings.subjects:
        with world.bench_database(subjects) as url:
            records = world.fill_records()
            say(f"measuring with {subjects:,} people and {records:,} records ...")
            rows += _measure(url, subjects, settings)
    return rows


def _measure(url: str, subjects: int, settings: Settings) -> list[Row]:
    token = world.bench_token()
    chance = random.Random(11)  # noqa: S311 (who chooses what in a measurement)
    states = [load.post("/api/v1/consents/state", _asked(chance, subjects), token) for _ in range(_REQUESTS)]
    saves = [load.post("/api/v1/consents", _chosen(chance, subjects), token) for _ in range(_REQUESTS)]
    # A broker that is there and takes what withdrawals queue; without one, a save waits for it once in a while.
    with serving(url, settings, broker="memory://") as (port, pid):
        return [
            measured_row(f"{name}, {subjects:,} people", port, pid, requests, clients, settings)
            for name, requests in (("Read the state", states), ("Save three choices", saves))
            for clients in (settings.clients, 1)
        ]


def _asked(chance: random.Random, subjects: int) -> bytes:
    return json.dumps({"subject": {"id": world.person(chance.randrange(subjects))}}).encode()


def _chosen(chance: random.Random, subjects: int) -> bytes:
    choices = [{"purpose": purpose, "choice": chance.choice(["give", "refuse"])} for purpose in _PURPOSES]
    person = {"id": world.person(chance.randrange(subjects)), "region": "DE"}
    return json.dumps({"subject": person, "choices": choices, "source": "bench"}).encode()
