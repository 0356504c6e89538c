import logging

from celery import shared_task

from common.best_effort_task import SweptTask
from policies.cells import replication
from policies.decision_log import pseudonyms
from policies.opa import reported_log
from policies.residency import systems
from policies.rollout import watch
from policies.simulation import service as simulations

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def forget_pseudonym_keys() -> None:
    """Monthly keys older than the log may be joined are deleted; nothing to do when run twice."""
    pseudonyms.forget_old_keys()


@shared_task(ignore_result=True)
def follow_primary() -> None:
    """Every minute in every cell but the primary: take over what is in force there. Run twice, nothing changes."""
    try:
        replication.follow()
    except replication.NotFollowed as exc:
        logger.error("The rules of the primary cell could not be taken over: %s", exc)  # noqa: TRY400


@shared_task(ignore_result=True)
def forget_external_decisions() -> None:
    """What OPA servers reported is deleted with age; nothing to do when run twice."""
    reported_log.forget_old()


@shared_task(ignore_result=True)
def audit_residency() -> None:
    """Every registered processing system is judged by the rules in force; run twice, it finds the same."""
    systems.audit_residency()


@shared_task(base=SweptTask, ignore_result=True)
def run_simulation(pk: str) -> None:
    """One at a time per report: whoever comes second finds it taken."""
    simulations.run(pk)


@shared_task(ignore_result=True)
def sweep_simulations() -> None:
    """Every minute: simulations the broker never heard of, and those whose worker was killed."""
    for pk in simulations.to_take_up():
        run_simulation.delay(str(pk))


@shared_task(ignore_result=True)
def watch_rollout() -> None:
    """Every 30 s: a candidate that passes the limits of its guards is taken back; run twice, nothing more happens."""
    watch.check()
