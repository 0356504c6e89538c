"""Jobs over the whole installation."""

from celery import shared_task

from common import actors
from governance import evidence


@shared_task(ignore_result=True, time_limit=6 * 3600)
def verify_evidence() -> None:
    """Verify all evidence and record the result; nightly, or when an officer asks."""
    evidence.check(actor=actors.job("evidence"))
