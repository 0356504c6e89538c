"""Trainings that are asked for: by an officer or the schedule, one at a time, and nothing of it serves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from model_registry import services
from model_registry.models import Model, ModelVersion
from oversight.guard import writing
from personalization import engine, tasks, training
from personalization.models import RetrainingDue
from personalization.training_runs import running
from personalization.training_runs.models import TrainingRun
from policies.models import ActiveBundle
from tests.helpers import officers

pytestmark = pytest.mark.django_db
PAGE = "/admin/models/trainings"


@pytest.fixture
def trained(register_in_force: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Steps of the trainings that were carried out, in the place of the work itself."""
    told: list[str] = []

    def train(*, actor: str, progress: Callable[[str], None]) -> ModelVersion:
        for step in training.STEPS:
            progress(step)
            told.append(step)
        model = services.register_model(engine.MODEL_SLUG, name="House", description="")
        return services.register_version(model=model, purposes=[], actor=actor)

    monkeypatch.setattr(training, "train_recommender", train)
    monkeypatch.setattr(running.audits, "after_training", lambda _version: None)
    monkeypatch.setattr(tasks.run_training, "delay_on_commit", lambda _pk: None)
    return told


def test_an_officer_asks_and_a_draft_is_made(trained: list[str], admin_client: Client) -> None:
    before = ActiveBundle.objects.get().bundle_id

    answer = admin_client.post(PAGE, follow=True)

    assert "The training is asked for" in answer.content.decode()
    row = TrainingRun.objects.get()
    assert (row.state, row.author, trained) == ("waiting", "officer:admin", [])
    running.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.steps_done, str(row.version)) == ("done", 4, "house-recommender@1")
    assert row.version is not None
    assert row.version.status == "draft"
    assert ActiveBundle.objects.get().bundle_id == before
    assert AuditEvent.objects.filter(action="model.training_requested", actor="officer:admin").count() == 1


def test_a_second_one_is_refused_while_one_waits_or_runs(trained: list[str], admin_client: Client) -> None:
    row = running.request(author="officer:anna")
    for state in ("waiting", "running"):
        TrainingRun.objects.filter(pk=row.pk).update(state=state)

        answer = admin_client.post(PAGE, follow=True).content.decode()

        assert "A training waits or runs already" in answer
        assert "Train now</button>" not in answer
        assert TrainingRun.objects.count() == 1
    running.run_if_due()
    assert trained == []
    TrainingRun.objects.update(state="done")
    assert admin_client.post(PAGE, follow=True).content.decode().count("The training is asked for") == 1


def test_the_page_shows_the_progress(trained: list[str], admin_client: Client) -> None:
    row = running.request(author="officer:anna")
    TrainingRun.objects.filter(pk=row.pk).update(state="running", step="training", steps_done=2)

    page = admin_client.get(PAGE).content.decode()

    assert '<progress id="progress" max="5" value="2">' in page
    assert "Running: training. Asked for by anna." in page


def test_only_who_owns_models_may_ask(trained: list[str]) -> None:
    client = officers.signed_in(officers.with_role("reader", "auditor"))

    assert client.get(PAGE).status_code == 200
    assert "Train now</button>" not in client.get(PAGE).content.decode()
    assert client.post(PAGE).status_code == 403
    assert Client().post(PAGE).status_code == 302
    assert not TrainingRun.objects.exists()


def test_a_training_that_fails_says_so_and_lets_the_next_one_begin(
    trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_arguments: Any) -> None:
        raise OSError("disk")

    monkeypatch.setattr(training, "train_recommender", fail)
    row = running.request(author="officer:anna")

    with pytest.raises(OSError, match="disk"):
        running.run(row.pk)

    row.refresh_from_db()
    assert (row.state, row.version) == ("failed", None)
    assert running.request(author="officer:anna").state == "waiting"


def test_a_second_worker_finds_it_taken_and_a_killed_one_is_taken_up(trained: list[str]) -> None:
    row = running.request(author="officer:anna")
    TrainingRun.objects.filter(pk=row.pk).update(state="running", moved_at=timezone.now())
    running.run(row.pk)
    assert (trained, running.to_take_up()) == ([], [])

    TrainingRun.objects.filter(pk=row.pk).update(moved_at=timezone.now() - 2 * running.STALLED_AFTER)
    assert running.to_take_up() == [row.pk]
    running.run(row.pk)
    assert trained == list(training.STEPS)


@pytest.mark.parametrize(
    ("every", "days", "due"),
    [("day", 1, True), ("day", 0.5, False), ("week", 6, False), ("week", 7, True), ("month", 29, False),
     ("month", 30, True), ("never", 400, False)],
)  # fmt: skip
def test_the_schedule_of_the_model_decides_what_is_due(trained: list[str], every: str, days: float, due: bool) -> None:
    running.run_if_due()
    assert Model.objects.get().trained_every == "day"
    with writing("test"):
        Model.objects.update(trained_every=every)
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(days=days))

    running.run_if_due()

    assert ModelVersion.objects.count() == (2 if due else 1)


def test_one_whose_worker_is_killed_each_time_fails_and_lets_the_next_one_begin(trained: list[str]) -> None:
    row = running.request(author="officer:anna")
    long_ago = timezone.now() - 2 * running.GIVEN_UP_AFTER
    TrainingRun.objects.filter(pk=row.pk).update(requested_at=long_ago)
    assert running.to_take_up() == [row.pk], "it waited long, and was never begun"

    TrainingRun.objects.filter(pk=row.pk).update(state="running", moved_at=timezone.now())
    assert running.to_take_up() == []
    row.refresh_from_db()
    assert row.state == "running"

    TrainingRun.objects.filter(pk=row.pk).update(moved_at=timezone.now() - 2 * running.STALLED_AFTER)
    assert running.to_take_up() == []
    row.refresh_from_db()
    assert row.state == "failed"
    assert running.request(author="officer:anna").state == "waiting"


def test_erased_people_make_a_training_due_whatever_the_schedule(trained: list[str]) -> None:
    running.run_if_due()
    with writing("test"):
        Model.objects.update(trained_every="never")
    assert not running.is_due()

    RetrainingDue.objects.create(version=ModelVersion.objects.get(), erased=1)

    assert running.is_due()
