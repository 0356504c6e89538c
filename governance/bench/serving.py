"""Recommendations and events over HTTP next to decisions: what each costs the web process and PostgreSQL.

One database: people, a catalogue, a hundred events of each of the active people (2,000, or a tenth of all), and a model
that was trained on some of them and is live. Lists are asked for by people who permit them, so each row is of its
level. Where a list was made before from the same events, items and rules it is held; with a visit of its own, each is
made anew. Each row is also a ratio to a decision of the same run.
"""

import json
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from common import policy_data
from consent.models import Purpose
from consent.pseudonyms import subject_ref
from governance.bench import load, servers, world
from governance.bench.decisions import Settings, measured_row, requests_of_people, serving
from governance.bench.report import Figure, Row
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
from personalization.serving.endpoint import PATH as _PATH

CATEGORIES, EVENTS = 20, 100
ACTIVE, TRAINED_ON = 2_000, 1_000
_OF_ALL = 10  # one in so many is active where there are more people
IN_A_BATCH = 100
_REQUESTS, _BATCHES = 4_000, 1_000
_REQUESTS_ANEW = 60_000  # none is asked twice, so no list is held
_OWN_TASTE = 0.7
# By what they are called: the level asked for, and how many items of a visit.
_LISTS = {
    "at none": ("none", 0),
    "at segment": ("segment", 0),
    "at behavioral": ("behavioral", 0),
    "at individual": ("individual", 0),
    "at contextual, each made anew": ("contextual", 5),
    "at individual, each made anew": ("individual", 1),
}
_CHANGES = 300
_DECISION = "Decision"
_SEGMENTS = [f"region={region}|age=adult" for region in ("DE", "FR", "ES", "IT", "NL", "GB")]


def run(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Measure at each number of people."""
    rows: list[Row] = []
    for subjects in settings.subjects:
        with servers.home() as models, world.bench_database(subjects) as url:
            active = _active(subjects)
            say(f"a catalogue of {settings.items:,} items and {active * EVENTS:,} events of {subjects:,} people ...")
            _fill(active, settings.items)
            _deploy(Path(models), settings.items)
            rows += _measure(url, Path(models), subjects, settings)
    return rows


def _measure(url: str, folder: Path, subjects: int, settings: Settings) -> list[Row]:
    token, active = world.bench_token(), _active(subjects)
    requests = {
        _DECISION: requests_of_people(token, active, vary=False),
        **{f"Recommendations {name}": _asked(token, active, settings.items, *of) for name, of in _LISTS.items()},
    }
    rows = []
    with serving(url, settings, models=folder) as (port, pid):
        for clients in (1, settings.clients):
            measured = [
                measured_row(f"{what}, {subjects:,} people", port, pid, sent, clients, settings)
                for what, sent in requests.items()
            ]
            for name, size in (("Event", 1), (f"Event in a batch of {IN_A_BATCH}", IN_A_BATCH)):
                sent = _events(token, active, settings.items, size)
                measured.append(measured_row(f"{name}, {subjects:,} people", port, pid, sent, clients, settings, size))
            rows += _with_ratios(measured)
        rows.append(_changed(token, port, subjects, active))
    return rows


def _changed(token: str, port: int, subjects: int, active: int) -> Row:
    """Measure from sending an event, a no to the first item of a list, to the answer with a list without it."""
    address, took = ("127.0.0.1", port), []

    def sent(path: str, body: dict[str, object]) -> dict[str, Any]:
        request = load.post(path, json.dumps(body).encode(), token)
        answer: dict[str, Any] = json.loads(load.run(address, [request], clients=1, seconds=10, at_most=1).last_body)
        return answer

    for number, person in enumerate(_permitting(active)[:_CHANGES]):
        asked: dict[str, object] = {"subject": {"id": world.person(person)}, "requested_level": "individual"}
        first = sent(_PATH, asked)["items"][0]["item"]
        event = {**_said(person, first, "not_relevant"), "event_id": f"changed-{os.getpid()}-{number}"}
        began = time.perf_counter()
        sent("/api/v1/events", event)
        while first in [item["item"] for item in sent(_PATH, asked)["items"]]:
            pass
        took.append((time.perf_counter() - began) * 1e3)
    ordered = sorted(took)
    figures: dict[str, Figure] = {
        "clients": 1,
        "p50_ms": ordered[len(ordered) // 2],
        "p95_ms": ordered[len(ordered) * 95 // 100],
        "p99_ms": ordered[len(ordered) * 99 // 100],
    }
    return Row(f"From an event to the changed list, {subjects:,} people", figures)


def _with_ratios(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with their processor time in times that of the first, a decision."""

    def used(row: Row) -> float:
        return float(row.figures["cpu_us"] or 0) + float(row.figures["database_cpu_us"] or 0)

    return [
        replace(row, figures={**row.figures, "times_a_decision": round(used(row) / used(rows[0]), 2)}) for row in rows
    ]


def _active(subjects: int) -> int:
    return min(subjects, max(ACTIVE, subjects // _OF_ALL))


def _permitting(active: int) -> list[int]:
    """Return who permits recommendations; the others get the general list at any level."""
    return [number for number in range(active) if world.agreed(number, "recommendations")]


def _asked(token: str, active: int, items: int, level: str, visited: int) -> list[bytes]:
    chance, people = random.Random(5), _permitting(active)  # noqa: S311 (which person is asked about)
    requests = []
    for _ in range(_REQUESTS_ANEW if visited else _REQUESTS):
        body: dict[str, object] = {"subject": {"id": world.person(chance.choice(people))}, "requested_level": level}
        if visited:
            body["session"] = [_slug(chance.randrange(items)) for _ in range(visited)]
        requests.append(load.post(_PATH, json.dumps(body).encode(), token))
    return requests


def _events(token: str, active: int, items: int, size: int) -> list[bytes]:
    """Return requests with new events in batches of ``size``, or one by one.

    They happen in the order in which they are sent: the second half comes first, to warm up.
    """
    chance, run = random.Random(6), time.time_ns()  # noqa: S311
    count = _REQUESTS if size == 1 else _BATCHES
    order = [*range(count // 2, count), *range(count // 2)]
    made = [b""] * count
    for place, number in enumerate(order):
        events = []
        for one in range(size):
            said = _said(chance.randrange(active), _slug(chance.randrange(items)), "view")
            moment = datetime.fromtimestamp(run / 1e9, UTC) + timedelta(microseconds=place * size + one)
            events.append({**said, "event_id": f"bench-{run}-{place}-{one}", "occurred_at": moment.isoformat()})
        path, body = ("/api/v1/events", events[0]) if size == 1 else (endpoint.PATH, {"events": events})
        made[number] = load.post(path, json.dumps(body).encode(), token)
    return made


def _said(person: int, item: str, kind: str) -> dict[str, object]:
    return {
        "subject": {"id": world.person(person)},
        "type": kind,
        "item": item,
        "occurred_at": datetime.now(UTC).isoformat(),
    }


def _slug(number: int) -> str:
    return f"item-{number:05d}"


def _touches(person: int, items: int) -> list[int]:
    """Return the items of a person, oldest first: most of one category, as tastes go."""
    chance = random.Random(person)  # noqa: S311
    own = chance.randrange(CATEGORIES)
    kinds = [own if chance.random() < _OWN_TASTE else chance.randrange(CATEGORIES) for _ in range(EVENTS)]
    return [CATEGORIES * chance.randrange(items // CATEGORIES) + kind for kind in kinds]


def _fill(active: int, items: int) -> None:
    """Store the catalogue, the general list and the events of the active people."""
    Item.objects.bulk_create(
        Item(slug=_slug(number), title=f"Item {number}", categories=[f"category-{number % CATEGORIES}"])
        for number in range(items)
    )
    PopularItem.objects.bulk_create(
        PopularItem(rank=rank, item_id=_slug(rank), people=items - rank) for rank in range(1, items // 2)
    )
    now = timezone.now()
    columns = "id, subject_ref, purpose, kind, item_id, value, weight, occurred_at, received_at"
    with connection.cursor() as cursor, cursor.copy(f"COPY personalization_event ({columns}) FROM STDIN") as copy:
        for person in range(active):
            ref = subject_ref(world.person(person))
            for place, item in enumerate(_touches(person, items)):
                moment = now - timedelta(hours=EVENTS - place)
                key = UUID(int=(person << 32) | place)
                copy.write_row((key, ref, "recommendations", "like", _slug(item), None, 2.0, moment, moment))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE personalization_event, personalization_onlinefeatures")


def _deploy(folder: Path, items: int) -> None:
    """Train a model on some of the people and make it live, in the grace that an upgrade gives."""
    pairs = [(person, item) for person in range(TRAINED_ON) for item in _touches(person, items)]
    data = Interactions(
        person=[person for person, _ in pairs],
        item=[_slug(item) for _, item in pairs],
        weight=np.full(len(pairs), 2.0),
        time=np.arange(len(pairs), dtype=np.float64),
    )
    catalogue = [TrainedItem(_slug(n), f"Item {n}", (f"category-{n % CATEGORIES}",)) for n in range(items)]
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
