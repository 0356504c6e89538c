"""Steps of a model rollout in several processes: each is in force with its bundle or not at all, and only once."""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connections

from audit.models import AuditEvent
from common import policy_data
from consent.models import Purpose
from model_registry import services
from model_registry.models import Model as RegisteredModel
from model_registry.models import ModelVersion
from oversight.rollouts import service as steps
from personalization import engine
from personalization.models import ModelRollout, RolloutCount
from personalization.recommender import storage
from personalization.recommender.model import Model
from personalization.rollouts import counting, kind, service
from personalization.rollouts.kind import KIND
from policies.models import ActiveBundle
from tests.helpers import models
from tests.helpers.at_once import at_once
from tests.helpers.kept_register import lay_register
from tests.helpers.model_rollouts import CLARA, DORA, start

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "house-recommender@2"


@pytest.fixture
def rollout(trained_model: Model) -> ModelRollout:
    """A canary at one per cent, next to a live version, in rows that other connections see."""
    lay_register()
    model = RegisteredModel.objects.create(slug=engine.MODEL_SLUG, name="House recommender")
    versions = []
    for status in ("live", "approved"):
        manifest = storage.save(trained_model, Path(settings.MODEL_DIR), engine.MODEL_SLUG, uuid4().hex)
        version = services.register_version(
            model=model,
            purposes=list(Purpose.objects.filter(slug="recommendations")),
            actor="test",
            artifact=f"{manifest.name}-{manifest.version}",
            artifact_sha256=manifest.digest,
        )
        versions.append(models.take(models.with_evidence(version), status))
    return start(versions[1], share=100)


def _in_force() -> tuple[str | None, int | None]:
    """Return status and share of the canary in the bundle."""
    model = json.loads(ActiveBundle.objects.get().bundle.data)["models"].get(CANARY)
    return (model["status"], model.get("canary", {}).get("share")) if model else (None, None)


def _state(rollout: ModelRollout) -> tuple[Any, ...]:
    row, version = ModelRollout.objects.get(pk=rollout.pk), ModelVersion.objects.get(pk=rollout.version_id)
    return row.state, row.share, version.status, version.canary_share, *_in_force(), AuditEvent.objects.count()


ACTS: dict[str, Callable[[int], object]] = {
    "widen": lambda pk: service.set_share(pk, 2_000, actor=DORA),
    "stop": lambda pk: service.stop(pk, actor=CLARA, reason="enough"),
    "finish": lambda pk: service.finish(pk, actor=DORA),
    "roll back": lambda pk: steps.roll_back(KIND, pk, why="worse", figures={}),
}
AFTER = {
    "widen": ("open", 2_000, "canary", 2_000, "canary", 2_000),
    "stop": ("stopped", 100, "approved", 0, None, None),
    "finish": ("completed", 100, "live", 0, "live", None),
    "roll back": ("rolled_back", 100, "approved", 0, None, None),
}


@pytest.mark.parametrize("where", ["before the bundle", "after the bundle"])
@pytest.mark.parametrize("act", ACTS)
def test_a_process_killed_between_a_step_and_its_bundle_leaves_what_was(
    act: str, where: str, rollout: ModelRollout
) -> None:
    """A process of its own takes the step and is killed (SIGKILL); the same step is taken afterwards."""
    before = _state(rollout)
    killed = multiprocessing.get_context("fork").Process(target=_act_and_die, args=(act, where, rollout.pk))
    connections.close_all()
    killed.start()
    killed.join()

    assert killed.exitcode == -signal.SIGKILL
    assert _state(rollout) == before
    ACTS[act](rollout.pk)
    assert _state(rollout)[:-1] == AFTER[act]


def _act_and_die(act: str, where: str, number: int) -> None:
    publish = policy_data.changed

    def dying(**said: Any) -> str:
        if where == "after the bundle":
            publish(**said)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    kind.policy_data.changed = dying
    ACTS[act](number)


def test_counts_of_a_thread_reach_the_table(rollout: ModelRollout, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that answers requests: another thread, on a connection of its own, adds up and writes."""
    writer = counting.Writer()
    monkeypatch.setattr(counting, "_count", writer.count)
    for level in ("none", "segment", "individual"):
        counting.count(rollout.pk, counting.Side.CANDIDATE, counting.Answer(level=level, took_us=9_000))

    def work() -> None:
        writer.flush()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    levels = [row.levels for row in RolloutCount.objects.all()]
    assert [sum(step) for step in zip(*levels, strict=True)] == [1, 1, 0, 0, 1]


def test_an_officer_and_the_watch_at_once_end_it_once(rollout: ModelRollout) -> None:
    said = at_once(
        lambda: service.stop(rollout.pk, actor=CLARA, reason="seen"),
        lambda: service.finish(rollout.pk, actor=DORA),
    )

    assert sorted(said) == ["conflict", "done"]
    row = ModelRollout.objects.get()
    assert (row.state, ModelVersion.objects.get(pk=row.version_id).status) in {
        ("stopped", "approved"),
        ("completed", "live"),
    }


def test_a_suspension_and_a_step_at_once_never_serve_a_suspended_canary(rollout: ModelRollout) -> None:
    at_once(
        lambda: services.change_status(version_id=rollout.version_id, status="suspended", actor=CLARA),
        lambda: service.set_share(rollout.pk, 5_000, actor=DORA),
    )

    assert _in_force() == ("suspended", None)
    assert ModelRollout.objects.get().state == "stopped"
