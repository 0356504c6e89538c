"""Recommendations and events over HTTP next to decisions: what each costs the web process and PostgreSQL.

One database: people of whom most permit recommendations, a catalogue, a hundred events of each of the active people,
and a model that was trained on some of them and is live. Each row is also a ratio to a decision of the same run.
"""

import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from common import policy_data
from consent.models import Purpose
from consent.pseudonyms import subject_ref
from governance.bench import load, servers, world
from governance.bench.decisions import Settings, measured_row, requests_of_people, serving
from governance.bench.report import Row
from model_registry import services
from model_registry.models import ModelVersion
from oversight.changes.applying import apply_shipped
from personalization import engine
from personalization.intake import endpoint
from personalization.models import Item, PopularItem
from personalization.recommender import storage
from personalization.recommender.interactions import Interactions, Person
from personalization.recommender.interactions import Item as TrainedItem
from personalization.recommender.training import train

ITEMS, CATEGORIES, EVENTS = 1_000, 20, 100
ACTIVE, TRAINED_ON = 2_000, 1_000
IN_A_BATCH = 100
_REQUESTS = 4_000
_OWN_TASTE = 0.7
_LEVELS = ("none", "segment", "behavioral", "contextual", "individual")
_DECISION = "Decision"
_SEGMENTS = [f"region={region}|age=adult" for region in ("DE", "FR", "ES", "IT", "NL", "GB")]


def run(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Measure at each number of people."""
    rows: list[Row] = []
    for subjects in settings.subjects:
        with servers.home() as models, world.bench_database(subjects) as url:
            say(f"a catalogue of {ITEMS:,} items and {ACTIVE * EVENTS:,} events of {subjects:,} people ...")
            _fill(min(subjects, ACTIVE))
            _deploy(Path(models))
            rows += _measure(url, Path(models), subjects, settings)
    return rows


def _measure(url: str, folder: Path, subjects: int, settings: Settings) -> list[Row]:
    token, active = world.bench_token(), min(subjects, ACTIVE)
    requests = {
        _DECISION: requests_of_people(token, active, vary=False),
        **{f"Recommendations at {level}": _asked(token, active, level) for level in _LEVELS},
        "Event": _events(token, active),
    }
    batches = _batches(token, active)
    rows = []
    with serving(url, settings, models=folder) as (port, pid):
        for clients in (1, settings.clients):
            measured = [
                measured_row(f"{what}, {subjects:,} people", port, pid, sent, clients, settings)
                for what, sent in requests.items()
            ]
            name = f"Event in a batch of {IN_A_BATCH}, {subjects:,} people"
            measured.append(measured_row(name, port, pid, batches, clients, settings, IN_A_BATCH))
            rows += _with_ratios(measured)
    return rows


def _with_ratios(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with their processor time in times that of the first, a decision."""

    def used(row: Row) -> float:
        return float(row.figures["cpu_us"] or 0) + float(row.figures["database_cpu_us"] or 0)

    return [
        replace(row, figures={**row.figures, "times_a_decision": round(used(row) / used(rows[0]), 2)}) for row in rows
    ]


def _asked(token: str, active: int, level: str) -> list[bytes]:
    chance = random.Random(5)  # noqa: S311 (which person is asked about)
    requests = []
    for _ in range(_REQUESTS):
        body = {"subject": {"id": world.person(chance.randrange(active))}, "requested_level": level}
        if level == "contextual":
            body["session"] = [_slug(chance.randrange(ITEMS)) for _ in range(5)]
        requests.append(load.post("/api/v1/recommendations", json.dumps(body).encode(), token))
    return requests


def _events(token: str, active: int) -> list[bytes]:
    chance = random.Random(6)  # noqa: S311
    return [
        load.post("/api/v1/events", json.dumps(_event(chance, active, number)).encode(), token)
        for number in range(_REQUESTS)
    ]


def _batches(token: str, active: int) -> list[bytes]:
    chance = random.Random(7)  # noqa: S311
    made = []
    for number in range(_REQUESTS // 20):
        events = [_event(chance, active, f"{number}-{one}") for one in range(IN_A_BATCH)]
        made.append(load.post(endpoint.PATH, json.dumps({"events": events}).encode(), token))
    return made


def _event(chance: random.Random, active: int, number: object) -> dict[str, object]:
    return {
        "event_id": f"bench-{os.getpid()}-{number}",
        "subject": {"id": world.person(chance.randrange(active))},
        "type": "view",
        "item": _slug(chance.randrange(ITEMS)),
        "occurred_at": datetime.now(UTC).isoformat(),
    }


def _slug(number: int) -> str:
    return f"item-{number:05d}"


def _touches(person: int) -> list[int]:
    """Return the items of a person, oldest first: most of one category, as tastes go."""
    chance = random.Random(person)  # noqa: S311
    own = chance.randrange(CATEGORIES)
    kinds = [own if chance.random() < _OWN_TASTE else chance.randrange(CATEGORIES) for _ in range(EVENTS)]
    return [CATEGORIES * chance.randrange(ITEMS // CATEGORIES) + kind for kind in kinds]


def _fill(active: int) -> None:
    """Store the catalogue, the general list and the events of the active people."""
    Item.objects.bulk_create(
        Item(slug=_slug(number), title=f"Item {number}", categories=[f"category-{number % CATEGORIES}"])
        for number in range(ITEMS)
    )
    PopularItem.objects.bulk_create(
        PopularItem(rank=rank, item_id=_slug(rank), people=ITEMS - rank) for rank in range(1, ITEMS // 2)
    )
    now = timezone.now()
    columns = "id, subject_ref, purpose, kind, item_id, value, weight, occurred_at, received_at"
    with connection.cursor() as cursor, cursor.copy(f"COPY personalization_event ({columns}) FROM STDIN") as copy:
        for person in range(active):
            ref = subject_ref(world.person(person))
            for place, item in enumerate(_touches(person)):
                moment = now - timedelta(hours=EVENTS - place)
                key = UUID(int=(person << 32) | place)
                copy.write_row((key, ref, "recommendations", "like", _slug(item), None, 2.0, moment, moment))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE personalization_event")


def _deploy(folder: Path) -> None:
    """Train a model on some of the people and make it live, in the grace that an upgrade gives."""
    pairs = [(person, item) for person in range(TRAINED_ON) for item in _touches(person)]
    data = Interactions(
        person=[person for person, _ in pairs],
        item=[_slug(item) for _, item in pairs],
        weight=np.full(len(pairs), 2.0),
        time=np.arange(len(pairs), dtype=np.float64),
    )
    catalogue = [TrainedItem(_slug(n), f"Item {n}", (f"category-{n % CATEGORIES}",)) for n in range(ITEMS)]
    segments: dict[Person, str] = {person: _SEGMENTS[person % len(_SEGMENTS)] for person in range(TRAINED_ON)}
    stored = storage.save(train(data, catalogue, segments), folder, engine.MODEL_SLUG, f"{os.getpid()}{id(data)}")
    version = services.register_version(
        model=services.register_model(engine.MODEL_SLUG, name="House recommender", description="Of a measurement."),
        purposes=[Purpose.objects.get(slug="recommendations")],
        actor="bench",
        artifact=f"{stored.name}-{stored.version}",
        artifact_sha256=stored.digest,
    )
    with transaction.atomic(), apply_shipped(title="Model of a measurement", actor="bench"):
        policy_data.take_turn()
        until = timezone.now() + timedelta(days=1)
        ModelVersion.objects.filter(pk=version.pk).update(status=ModelVersion.Status.LIVE, gates_grace_until=until)
        policy_data.changed(reason="measurement", actor="bench")
