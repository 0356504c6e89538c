"""The training job at size: processor time of its steps and of PostgreSQL, and the most memory it had.

People who all permit training, a catalogue, and likes by taste: of each person most are of one category. The job itself
is ``training_job``, in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from governance.bench import cpu, world
from governance.bench.report import Row
from personalization.models import Item

CATEGORIES = 20
_JOB = "governance.bench.recommender.training_job"
_EVENTS = """
INSERT INTO personalization_event
  (id, subject_ref, purpose, kind, item_id, value, weight, occurred_at, received_at)
SELECT md5(person || '-' || place)::uuid, ref, 'recommendations', 'like',
  'item-' || lpad((%(categories)s * floor(power(random(), 2) * %(items)s / %(categories)s)::int
    + CASE WHEN random() < .7 THEN person %% %(categories)s ELSE floor(random() * %(categories)s)::int END)::text,
    6, '0'),
  NULL, 2, moment, moment
FROM (SELECT ref, row_number() OVER (ORDER BY ref) AS person FROM consent_datasubject) people,
  LATERAL (SELECT place, now() - make_interval(mins => 10 * place + person::int %% 10) AS moment
    FROM generate_series(1, %(each)s) place) places
"""


@dataclass(frozen=True)
class Size:
    """So many people with an equal number of events each, and items."""

    people: int
    items: int
    events: int


def run(size: Size, say: Callable[[str], Any]) -> list[Row]:
    """Measure one training."""
    with world.bench_database(size.people) as url:
        say(f"{size.items:,} items and {size.events:,} events of {size.people:,} people ...")
        fill(size)
        say("training ...")
        return list(measure(size, url))


def measure(size: Size, url: str) -> Iterator[Row]:
    """Train in a process of its own; yield a row for each step and one for all."""
    server = cpu.postgres_pid()
    before = cpu.cpu_seconds(server) if server else 0.0
    steps = trained(url)
    what = f"Training, {size.people:,} people, {size.items:,} items, {size.events:,} events"
    database = cpu.cpu_seconds(server) - before if server else None
    for step, figures in steps.items():
        yield Row(f"{what}: {step}", figures)
    total = sum(figures["cpu_s"] for figures in steps.values())
    memory = max(figures["peak_memory_mb"] for figures in steps.values())
    yield Row(what, {"cpu_s": total, "database_cpu_s": database, "peak_memory_mb": memory})


def trained(url: str) -> dict[str, dict[str, float]]:
    """Run the job on a database; return its processor time and its most memory by step."""
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as home:
        environment = {**os.environ, "DATABASE_URL": url, "ASSENT_HOME": home}
        done = subprocess.run(
            [sys.executable, "-P", "-m", _JOB],
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"The training failed: {done.stderr[-2000:]}")
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def fill(size: Size) -> None:
    """Let everybody permit training, and store catalogue and events."""
    Item.objects.bulk_create(
        Item(slug=f"item-{number:06d}", title=f"Item {number}", categories=[f"category-{number % CATEGORIES}"])
        for number in range(size.items)
    )
    with connection.cursor() as cursor:
        # The states of another purpose of everybody, of whom all have given that.
        cursor.execute(
            "UPDATE consent_datasubject SET consents = jsonb_set(consents, '{recommendations}', (SELECT value FROM"
            " (SELECT consents->'recommendations' AS value FROM consent_datasubject"
            " WHERE consents->'recommendations'->>'s' = 'given' LIMIT 1) given))"
        )
        cursor.execute("SELECT setseed(.5)")
        each = size.events // size.people
        cursor.execute(_EVENTS, {"categories": CATEGORIES, "items": size.items, "each": each})
        cursor.execute("VACUUM ANALYZE consent_datasubject, personalization_event, personalization_item")
