"""Jobs that look at the whole house."""

from celery import shared_task

from governance import evidence


@shared_task(ignore_result=True, time_limit=6 * 3600)
def verify_evidence() -> None:
    """Nightly, or when an officer asks: read all evidence again and write down whether it holds."""
    evidence.check(actor="job:evidence")
