"""Worker, broker and database killed at random during a run, with a real worker, broker and server (``--long``).

A model of the table says what must be left: nothing beyond the plan goes, and nothing twice.
"""

import os
import random
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from common.actors import Officer
from governance.celery import app
from governance.demo import register
from governance.launcher.home.home_paths import throwaway_home
from governance.launcher.one_off import start_and_wait
from governance.launcher.servers.environment import home_variables
from governance.launcher.servers.postgres import SETTINGS
from governance.launcher.servers.valkey import ValkeyServer
from oversight import guard
from privacy import tasks
from privacy.models import Disposal, RetentionSchedule
from privacy.retention import disposal, plans
from privacy.retention.pacing import Pace
from tests.helpers.own_server import own_server
from tests.helpers.paths import CHECKOUT
from tests.helpers.processes import start_leashed
from tests.privacy.retention.test_deletion_faults import Table

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::celery.exceptions.AlwaysEagerIgnored"),  # a worker takes it, as it should
]
KILLS, BATCH, ROWS_A_SECOND = 50, 40, 2_000
_PATIENCE_S = 300
# The worker of long jobs as an instance starts it, but for its batches: small ones, so that there are many to hit.
_WORKER = f"""
import sys
import django
django.setup()
from governance.celery import app
from privacy.retention import disposal, pacing
disposal.BATCH = pacing.GENTLE_BATCH = {BATCH}
app.worker_main(["worker", "-Q", "long,urgent", "-n", sys.argv[1], "--concurrency", "1", "--loglevel", "error",
                 "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""


class Instance:
    """Database, broker and one worker, each of which can be killed and comes back."""

    def __init__(self, home, database):
        self.home, self.database, self.broker = home, database, ValkeyServer(home)
        start_and_wait(self.broker)
        self.worker, self.started, self.log = None, 0, (home.path / "worker.log").open("ab")
        self.start_worker()

    def start_worker(self):
        self.started += 1
        outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment = {
            **outer, **home_variables(self.home), "DATABASE_URL": self.database.url, "BROKER_URL": self.broker.url,
            "DJANGO_SETTINGS_MODULE": "governance.settings.local", "RETENTION_ROWS_PER_S": str(ROWS_A_SECOND),
            "RETENTION_GENTLE": "false", "PUBLIC_URL": "http://127.0.0.1:8000",
        }  # fmt: skip
        self.worker = start_leashed(
            [sys.executable, "-c", _WORKER, f"long{self.started}@test"],
            cwd=CHECKOUT, env=environment, stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip

    def kill(self, what):
        if what == "worker":
            os.killpg(self.worker.pid, signal.SIGKILL)
        elif what == "worker's parent":  # the child goes on for as long as it does not notice
            self.worker.send_signal(signal.SIGKILL)
        else:
            server = self.database if what == "database" else self.broker
            server.process().send(signal.SIGKILL)
            connection.close()
            time.sleep(0.05)
            start_and_wait(server)
        if self.worker.poll() is not None or what.startswith("worker"):
            self.worker.wait()
            self.start_worker()

    def end(self):
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()
        self.broker.stop()
        self.log.close()


@pytest.fixture
def instance():
    with throwaway_home() as home, own_server(home, {**SETTINGS, "shared_buffers": "128MB"}) as database:
        register.ensure_register()
        running = Instance(home, database)
        try:
            yield running
        finally:
            running.end()


def _again(asked):
    """Ask the database, and again where it has just been killed."""
    ends = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return asked()
        except OperationalError:
            connection.close()
            assert time.monotonic() < ends
            time.sleep(0.05)


def _queued(instance, run):
    """Hand the run over, as the sweep of every minute does."""
    with app.connection_for_write(instance.broker.url) as broker:
        app.send_task(
            "privacy.tasks.run_disposals", args=([str(run.pk)],), queue="long", connection=broker, retry=False
        )


def _removed(run):
    return _again(lambda: Disposal.objects.get(pk=run.pk).total_removed)


def _goes_on(instance, run, before):
    """Wait until the run has deleted more; hand it over once a second, as what was killed may have had the message."""
    ends, handed = time.monotonic() + _PATIENCE_S, 0.0
    while _removed(run) <= before:
        assert time.monotonic() < ends, Path(instance.log.name).read_text()[-3000:]
        if time.monotonic() - handed > 2:
            handed = time.monotonic()
            _queued(instance, run)
        time.sleep(0.02)


def test_worker_broker_and_database_killed_fifty_times(instance, monkeypatch, settings, capsys):
    settings.ASSENT_HOME = instance.home.path
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    chance = random.Random(50)
    with transaction.atomic(), guard.writing("tests"):
        table = Table(chance, rows=60_000)
        table.store()
        schedule = RetentionSchedule.objects.select_related("purpose").get(purpose__slug="recommendations")
        RetentionSchedule.objects.filter(pk=schedule.pk).update(undo_days=0, retain_for=timedelta(days=365))
        schedule.refresh_from_db()
    plan = plans.make(schedule, actor=Officer.of("ann", 1))
    assert plan.due == len(table.due)
    run = disposal.run_of(plans.approve(plan, actor=Officer.of("ben", 2), seen=plan.digest))

    killed = []
    for _kill in range(KILLS):
        before = _removed(run)
        _goes_on(instance, run, before)
        time.sleep(chance.random() * 0.2)
        what = chance.choice(["worker", "worker's parent", "broker", "database"])
        killed.append((what, _removed(run)))
        instance.kill(what)
    left = len(table.due) - _removed(run)

    assert left > 0, "The run was over before the last kill"
    disposal.run(run.pk, pace=Pace(gentle=False))
    done = _again(lambda: disposal.run(run.pk, pace=Pace(gentle=False)))
    table.assert_left(done)
    with capsys.disabled():
        counts = {what: sum(1 for each, _ in killed if each == what) for what in sorted({each for each, _ in killed})}
        print(f"\n{KILLS} kills {counts}; of {len(table.due):,} planned rows {left:,} were left after the last one.")
        print(f"In the end {done.removed} are gone, those of the model and no other.")
