"""Jobs over the whole installation."""

from celery import shared_task

from common import actors
from common.jobs.once_task import OnceTask
from common.jobs.queues import LONGEST_JOB_S
from governance.evidence import checks, heads


@shared_task(base=OnceTask, ignore_result=True, time_limit=LONGEST_JOB_S)
def verify_evidence() -> None:
    """Verify all evidence and record the result; nightly, or when an officer asks."""
    checks.check(actor=actors.job("evidence"))


@shared_task(ignore_result=True)
def write_head() -> None:
    """Record the head of the decision log in the trail, and write both heads outside the database."""
    heads.seal_log()
    heads.write()
