from celery import shared_task
from django.conf import settings

from common import actors
from common.jobs.best_effort_task import BestEffortTask
from common.jobs.once_task import OnceTask
from model_registry.files import ageing
from personalization import training, windows
from personalization.audits import running as audits
from personalization.catalogue import writing
from personalization.event_store import months
from personalization.features import filling
from personalization.general import trending
from personalization.intake import streams
from personalization.monitors import running
from personalization.rollouts import ageing as rollout_counts
from personalization.snapshots import keeping
from personalization.training_runs import running as training_runs
from personalization.training_sets import retraining
from personalization.verification import verifying


@shared_task(base=OnceTask, ignore_result=True, acks_late=True, time_limit=3600)
def train_recommender() -> None:
    """Train a new draft version where the model's schedule asks for one; it never serves before it is approved."""
    training_runs.run_if_due()


@shared_task(base=BestEffortTask, ignore_result=True, acks_late=True, time_limit=3600)
def run_training(pk: str) -> None:
    """Carry out a training that an officer asked for; a second worker finds it taken."""
    training_runs.run(pk)


@shared_task(ignore_result=True)
def sweep_trainings() -> None:
    """Queue a training the broker lost, and one whose worker was killed; runs every minute."""
    for pk in training_runs.to_take_up():
        run_training.delay(str(pk))


@shared_task(base=OnceTask, ignore_result=True, acks_late=True, time_limit=3600)
def retrain_after_erasures() -> None:
    """Train anew where a version learnt from people who were erased since; without that setting, nightly does it."""
    retraining.close_work()
    if settings.RETRAIN_AFTER_ERASURE == "at_once" and retraining.is_due():
        audits.after_training(training.train_recommender(actor=actors.job("training")))


@shared_task(base=BestEffortTask, ignore_result=True, acks_late=True, time_limit=3600)
def run_audits(pk: str) -> None:
    """Run the audits of a version, one at a time per run: a second worker finds it taken."""
    audits.run(pk)


@shared_task(ignore_result=True)
def sweep_audits() -> None:
    """Queue audits the broker lost, and those whose worker was killed; runs every minute."""
    for pk in audits.to_take_up():
        run_audits.delay(str(pk))


@shared_task(ignore_result=True)
def keep_months() -> None:
    """Make the partitions of the months ahead, and drop those that are over and empty; forget removed items."""
    months.make_ahead()
    months.drop_emptied()
    writing.forget_removed()


@shared_task(base=OnceTask, ignore_result=True, acks_late=True, time_limit=3600)
def fill_features() -> None:
    """Make rows of latest events for people who have none: retention takes a row with any of its events."""
    filling.fill()


@shared_task(ignore_result=True)
def close_streams() -> None:
    """Count the events that never arrived, of streams that are silent."""
    streams.close_silent()


@shared_task(base=OnceTask, ignore_result=True, acks_late=True, time_limit=3600)
def refresh_general_list() -> None:
    """Write the general list anew: what is chosen lately, and editors' picks."""
    trending.refresh()


@shared_task(ignore_result=True)
def check_segments() -> None:
    windows.check_segments()


@shared_task(base=OnceTask, ignore_result=True, acks_late=True, time_limit=3600)
def run_monitors() -> None:
    """Measure the versions in use against their objectives."""
    running.run()


@shared_task(ignore_result=True)
def forget_model_files() -> None:
    """Delete artifacts of versions out of use and counts of ended rollouts, after their record periods.

    With them go files that no version names.
    """
    ageing.forget_old()
    rollout_counts.forget_old()
    keeping.sweep()


@shared_task(base=OnceTask, ignore_result=True, acks_late=True, time_limit=3600)
def verify_models() -> None:
    """Recompute the figures of the versions that serve: as much work as a training."""
    verifying.verify_live(actor=actors.job("verification"))
