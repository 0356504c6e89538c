"""Jobs over the whole installation."""

from celery import shared_task

from common import actors
from common.jobs.once_task import OnceTask
from common.jobs.queues import LONGEST_JOB_S
from governance import evidence


@shared_task(base=OnceTask, ignore_result=True, time_limit=LONGEST_JOB_S)
def verify_evidence() -> None:
    """Verify all evidence and record the result; nightly, or when an officer asks."""
    evidence.check(actor=actors.job("evidence"))
