"""Ask for a training, and carry it out: *Train now*, the schedule of the model, and what a broker lost.

A training that runs refuses another one. The schedule stands in the model's entry of the register; the
nightly job looks whether it is due. A run whose worker was killed is taken up again by the sweep.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import trail
from common import actors, policy_data
from common.http.problems import Conflict
from common.jobs.runs import RunState
from model_registry.models import Model
from personalization import engine, training
from personalization.audits import running as audits
from personalization.training_runs.models import TrainingRun
from personalization.training_sets import retraining

logger = logging.getLogger(__name__)
JOB = actors.job("training")
STEPS = training.STEPS
# The longest step of a training is the choice of its recipe; a run silent for so long was killed.
STALLED_AFTER = timedelta(minutes=70)
# Killed whenever it was taken up for so long, a run is given up: it would keep all others from beginning.
GIVEN_UP_AFTER = timedelta(hours=6)
# A night earlier than the whole period: a nightly job never begins at the very same second.
_SLACK = timedelta(hours=6)


class TrainingRuns(Conflict):
    code = "training_runs"
    title = "A training waits or runs already"


@transaction.atomic
def request(*, author: str) -> TrainingRun:
    """Ask for a training; the worker takes it up. Raises TrainingRuns."""
    from personalization.tasks import run_training  # the task calls back into this module

    row = _asked(author)
    run_training.delay_on_commit(str(row.pk))
    return row


def _asked(author: str) -> TrainingRun:
    policy_data.take_turn()  # who asks at the same time waits here, and finds this one
    if TrainingRun.objects.filter(state__in=TrainingRun.OPEN).exists():
        raise TrainingRuns("A training waits or runs already. Its progress is on the page of trainings.")
    row = TrainingRun.objects.create(author=str(author))
    trail.record("model.training_requested", engine.MODEL_SLUG, actor=author, details={"run": str(row.pk)})
    return row


def run(pk: UUID | str) -> None:
    """Carry a training out. Nothing to do where another worker has, or is at it."""
    row = TrainingRun.objects.take(pk, after=STALLED_AFTER)
    if row is None:
        return
    try:
        row.version = training.train_recommender(
            actor=row.author, progress=lambda step: row.move(step, STEPS.index(step))
        )
    except BaseException:
        _end(row, RunState.FAILED)
        raise
    _end(row, RunState.DONE)
    audits.after_training(row.version)


def run_if_due() -> None:
    """Carry out the training that the schedule asks for, unless another one runs; nightly."""
    if not is_due():
        return
    try:
        with transaction.atomic():
            row = _asked(JOB)
    except TrainingRuns:
        logger.info("A training runs already; the nightly one is left out")
        return
    run(row.pk)


def is_due() -> bool:
    """Return whether the schedule asks for a training now, or a version learnt from people who were erased since.

    Where the model has no entry yet, the schedule does.
    """
    if retraining.is_due():
        return True
    entry = Model.objects.filter(slug=engine.MODEL_SLUG).first()
    every = Model.TRAINED_EVERY_DAYS[entry.trained_every] if entry else 1
    if every is None:
        return False
    newest = entry.versions.order_by("-created_at").first() if entry else None
    return newest is None or newest.created_at <= timezone.now() - timedelta(days=every) + _SLACK


def to_take_up() -> list[UUID]:
    """Return runs without a worker: the broker was away, or a worker was killed. One that is killed each time fails."""
    now = timezone.now()
    stalled = TrainingRun.objects.stalled(STALLED_AFTER)
    for row in stalled.filter(requested_at__lt=now - GIVEN_UP_AFTER):
        logger.error("A training was killed each time it was taken up; it is given up")
        _end(row, RunState.FAILED)
    lost = TrainingRun.objects.filter(state=RunState.WAITING, requested_at__lt=now - timedelta(minutes=1))
    return list((lost | stalled).values_list("pk", flat=True))


def _end(row: TrainingRun, state: RunState) -> None:
    row.state, row.finished_at, row.moved_at = state, timezone.now(), timezone.now()
    row.save(update_fields=["state", "finished_at", "moved_at", "version"])
