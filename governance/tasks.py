"""Jobs over the whole installation."""

from celery import shared_task

from common import actors
from governance.evidence import checks, heads


@shared_task(ignore_result=True, time_limit=6 * 3600)
def verify_evidence() -> None:
    """Verify all evidence and record the result; nightly, or when an officer asks."""
    checks.check(actor=actors.job("evidence"))


@shared_task(ignore_result=True)
def write_head() -> None:
    """Record the head of the decision log in the trail, and write both heads outside the database."""
    heads.seal_log()
    heads.write()
