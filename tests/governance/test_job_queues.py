"""Queues of jobs: which worker takes what, and how often the job of one message runs."""

import threading
import types
from pathlib import Path

import pytest
import yaml
from celery.exceptions import Retry

from common.jobs import once_task, queues
from common.jobs.once_task import OnceTask
from governance.celery import app
from governance.launcher.process_specs import WORKERS

ROOT = Path(__file__).parents[2]
app.loader.import_default_modules()
TASKS = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def _queue(name):
    return app.amqp.router.route({}, name)["queue"].name


def test_every_queue_has_a_worker_wherever_assent_runs():
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    chart = (ROOT / "deploy/chart/templates/worker.yaml").read_text()

    assert list(WORKERS.values()) == [queues.taken_by(queue) for queue in queues.ALL]
    for name, taken in WORKERS.items():
        command = compose[name]["command"]
        assert command[command.index("-Q") + 1] == taken
        assert f'"-Q", "{taken}"' in chart


def test_what_an_older_release_queued_is_taken():
    """Celery's own queue name: messages wait there over an upgrade."""
    taken = [queue for queues_of in WORKERS.values() for queue in queues_of.split(",")]

    assert sorted(taken) == sorted([*queues.ALL, "celery"])


def test_long_jobs_do_not_hold_up_withdrawals():
    assert _queue("privacy.tasks.run_disposals") == queues.URGENT
    assert _queue("privacy.tasks.sweep_disposals") == queues.URGENT
    assert {name for name in TASKS if _queue(name) == queues.LONG} == {
        "policies.tasks.drop_old_decisions",
        "privacy.tasks.redact_old_proof",
        "governance.tasks.verify_evidence",
        "personalization.tasks.fill_features",
        "personalization.tasks.retrain_after_erasures",
        "personalization.tasks.run_monitors",
        "personalization.tasks.run_audits",
        "personalization.tasks.run_training",
        "personalization.tasks.train_recommender",
        "personalization.tasks.verify_models",
        "policies.tasks.run_simulation",
        "privacy.tasks.make_release",
        "privacy.tasks.undo_run",
        "privacy.tasks.scrub_storage",
    }
    assert {_queue(name) for name in TASKS} == set(queues.ALL)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_no_job_outlasts_its_message(name):
    """The kind: a message that is delivered again while its job still runs."""
    limit = TASKS[name].time_limit or app.conf.task_time_limit

    assert 0 < limit < app.conf.broker_transport_options["visibility_timeout"]


class Marks:
    """The commands of the broker that marks are kept with; time passes when it is told to."""

    def __init__(self):
        self.kept = {}

    def set(self, key, value, *, nx=False, ex):
        if nx and key in self.kept:
            return None
        self.kept[key] = value
        return True

    def get(self, key):
        return self.kept.get(key)

    def delete(self, key):
        self.kept.pop(key, None)


@pytest.fixture
def job(monkeypatch):
    """A long job whose runs are counted and held, and whose messages are delivered as a worker would."""
    marks = Marks()
    runs, begun, released = [], threading.Event(), threading.Event()
    monkeypatch.setattr(once_task, "_marks", lambda app: marks)

    @app.task(base=OnceTask, bind=True, name="tests.long_job")
    def long_job(self, *, fails=False):
        runs.append(self.request.id)
        begun.set()
        assert released.wait(120)
        if fails:
            raise RuntimeError

    def deliver(message="m-1", **options):
        long_job.push_request(id=message, is_eager=False, called_directly=False, args=(), kwargs={}, retries=0)
        monkeypatch.setattr(long_job, "retry", lambda **parameters: Retry(when=parameters["countdown"]))
        try:
            return long_job(**options)
        finally:
            long_job.pop_request()

    yield types.SimpleNamespace(deliver=deliver, runs=runs, begun=begun, released=released, marks=marks)
    app.tasks.pop("tests.long_job")


def test_a_message_delivered_again_runs_once(job):
    """Held past the timeout: delivered again while it runs, by which the repeat waits, and again after its end."""
    first = threading.Thread(target=job.deliver)
    first.start()
    assert job.begun.wait(120)

    with pytest.raises(Retry):
        job.deliver()
    assert job.runs == ["m-1"]
    job.released.set()
    first.join()
    job.deliver()

    assert job.runs == ["m-1"]


def test_another_message_is_another_run(job):
    job.released.set()

    job.deliver("m-1")
    job.deliver("m-2")

    assert job.runs == ["m-1", "m-2"]


def test_a_job_that_failed_or_was_killed_runs_again(job):
    job.released.set()
    with pytest.raises(RuntimeError):
        job.deliver(fails=True)
    job.marks.set("assent:job:m-1", b"running", ex=30)
    job.marks.delete("assent:job:m-1")  # the mark of a killed process lapses

    job.deliver()

    assert job.runs == ["m-1", "m-1"]


@pytest.mark.parametrize("name", ["personalization.tasks.train_recommender", "governance.tasks.verify_evidence"])
def test_the_longest_jobs_run_once_a_message(name):
    assert isinstance(TASKS[name], OnceTask)
