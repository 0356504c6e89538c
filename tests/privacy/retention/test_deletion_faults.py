"""A worker or its connection killed at any point of a run: the end is exactly what the plan says.

A model of the table says what must be left. The property runs over invented tables; ``--long`` kills 50 times.
"""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from common.actors import Officer
from common.postgres.databases import end_sessions
from consent.models import DataSubject
from personalization.models import Event, Item
from privacy import tasks
from privacy.models import Disposal, Hold, HoldMember, RetentionSchedule
from privacy.retention import disposal, plans
from privacy.retention.pacing import Pace
from tests.helpers.officers import make_accounts
from tests.helpers.paths import CHECKOUT
from tests.helpers.polling import until

pytestmark = pytest.mark.django_db(transaction=True)
ANN, BEN = Officer.of("ann", 1001), Officer.of("ben", 1002)
_WORKER = """
import django, sys
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[2]
from privacy.retention import disposal
from privacy.retention.pacing import Pace
disposal.BATCH = 40
disposal.run(__import__("uuid").UUID(sys.argv[1]), pace=Pace(gentle=False, rows_per_s=4_000))
"""


class Table:
    """The model: what was stored, of which days, who is held, and so what a run over all that is due must leave."""

    def __init__(self, chance, rows):
        people = [uuid4() for _ in range(12)]
        self.held = set(people[:3])
        now, ages = timezone.now(), [400, 400, 380, 366, 364, 30, 500 + chance.randrange(9)]
        self.events = [
            Event(
                id=uuid4(), subject_ref=chance.choice(people), kind="view", item_id="kettle", weight=1.0,
                purpose=chance.choice(["recommendations", "recommendations", "usage_statistics"]),
                occurred_at=now - timedelta(days=age), received_at=now - timedelta(days=age),
            )
            for age in (chance.choice(ages) for _ in range(rows))
        ]  # fmt: skip
        limit = now - timedelta(days=365)
        self.due = {
            event.id
            for event in self.events
            if event.purpose == "recommendations" and event.received_at <= limit and event.subject_ref not in self.held
        }

    def store(self):
        Item.objects.get_or_create(slug="kettle", defaults={"title": "Kettle"})
        Event.objects.bulk_create(self.events)
        *by_column, by_member = self.held
        hold = Hold.objects.create(slug="claim", reason="A claim", matter="A claim", people=[str(by_member)])
        HoldMember.objects.create(hold=hold, ref=by_member)
        for ref in by_column:
            DataSubject.objects.create(ref=ref, held=True)

    def assert_left(self, run):
        assert run.status == "done"
        assert set(Event.objects.values_list("id", flat=True)) == {event.id for event in self.events} - self.due
        stored = b"".join(bytes(batch.keys) for batch in run.batches.all())
        proved = [stored[at : at + 16] for at in range(0, len(stored), 16)]
        assert sorted(proved) == sorted(key.bytes for key in self.due)  # nothing beyond, nothing twice
        assert run.removed == {"events": len(self.due)}


@pytest.fixture
def started(register_in_force, monkeypatch, settings, tmp_path):
    """Store an invented table and queue the approved plan of what is due."""
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    settings.ASSENT_HOME = tmp_path
    make_accounts(ANN, BEN)

    def start(seed, rows=600):
        table = Table(random.Random(seed), rows)
        table.store()
        schedule = RetentionSchedule.objects.select_related("purpose").get(purpose__slug="recommendations")
        plan = plans.make(schedule, actor=ANN)
        assert plan.due == len(table.due)
        return table, disposal.run_of(plans.approve(plan, actor=BEN, seen=plan.digest))

    return start


class Killed(BaseException):
    pass


_POINTS = ("_lock", "_note", "_require_planned", "_finish", "_start")


@pytest.mark.parametrize("seed", range(6))
def test_a_run_that_dies_at_any_step_ends_as_planned(started, monkeypatch, seed):
    chance = random.Random(seed)
    table, run = started(seed)
    monkeypatch.setattr(disposal, "BATCH", chance.choice([7, 40, 111]))
    for _death in range(4):
        point, after = chance.choice(_POINTS), chance.randrange(1, 5)
        original, calls = getattr(disposal, point), []

        def dies(*given, original=original, calls=calls, after=after):
            calls.append(1)
            found = original(*given)
            if len(calls) == after:
                raise Killed
            return found

        with monkeypatch.context() as patched:
            patched.setattr(disposal, point, dies)
            try:
                disposal.run(run.id, pace=Pace(gentle=False))
            except Killed:
                connection.close()  # as the server sees it: rolled back

    table.assert_left(disposal.run(run.id, pace=Pace(gentle=False)))


def _worker(run):
    name = connection.settings_dict["NAME"]
    command = [sys.executable, "-c", _WORKER, str(run.id), name]
    return subprocess.Popen(command, cwd=CHECKOUT, env=dict(os.environ), stderr=subprocess.DEVNULL)


def _kill_at_random(worker, chance, run, *, backend):
    """Kill the worker's process, or its connection to the database, once it has deleted something more."""
    before = Disposal.objects.get(pk=run.id).total_removed

    def went_on():
        return worker.poll() is not None or Disposal.objects.get(pk=run.id).total_removed > before

    until(went_on, "the worker deletes or ends")
    time.sleep(chance.random() * 0.03)
    if backend:
        connection.ensure_connection()
        end_sessions(connection.connection, connection.settings_dict["NAME"])
    else:
        worker.send_signal(signal.SIGKILL)
    worker.wait(timeout=300)


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.long)])
def test_a_killed_worker_leaves_exactly_what_the_plan_says(started, kills):
    chance = random.Random(kills)
    table, run = started(kills, rows=600 * kills)
    for number in range(kills):
        _kill_at_random(_worker(run), chance, run, backend=number % 3 == 2)

    table.assert_left(disposal.run(run.id, pace=Pace(gentle=False)))
