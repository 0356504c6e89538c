import logging

from celery import shared_task

from common.jobs.best_effort_task import BestEffortTask
from common.jobs.once_task import OnceTask
from common.jobs.queues import LONGEST_JOB_S
from oversight.rollouts import watch
from policies.cells import replication
from policies.decision_log import pseudonyms
from policies.decision_log.ageing import dropping, exports, holding
from policies.opa import reported_log
from policies.residency import systems
from policies.simulation import service as simulations

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def forget_pseudonym_keys() -> None:
    """Delete monthly keys older than the log may be joined, but note first whom a hold keeps. Idempotent."""
    pseudonyms.forget_old_keys(before=holding.note_tags)


@shared_task(base=OnceTask, ignore_result=True, time_limit=LONGEST_JOB_S)
def drop_old_decisions() -> None:
    """Export and drop the days of the decision log that are older than it is kept; runs nightly. Idempotent."""
    dropping.run()
    exports.forget_old()


@shared_task(ignore_result=True)
def follow_primary() -> None:
    """Apply what is in force in the primary, every minute in every other cell. Idempotent."""
    try:
        replication.follow()
    except replication.NotFollowed as exc:
        logger.error("The rules of the primary cell could not be taken over: %s", exc)  # noqa: TRY400


@shared_task(ignore_result=True)
def forget_external_decisions() -> None:
    """Delete with age what OPA servers reported. Idempotent."""
    reported_log.forget_old()


@shared_task(ignore_result=True)
def audit_residency() -> None:
    """Judge every registered processing system by the rules in force. Idempotent."""
    systems.audit_residency()


@shared_task(base=BestEffortTask, ignore_result=True)
def run_simulation(pk: str) -> None:
    """Run a requested simulation, one at a time per report: a second worker finds it taken."""
    simulations.run(pk)


@shared_task(ignore_result=True)
def sweep_simulations() -> None:
    """Queue simulations the broker lost, and those whose worker was killed; runs every minute."""
    for pk in simulations.to_take_up():
        run_simulation.delay(str(pk))


@shared_task(ignore_result=True)
def watch_rollout() -> None:
    """Roll back candidates that pass the limits of their guards, of every kind; runs every 30 s. Idempotent."""
    watch.check()
