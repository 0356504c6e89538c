from celery import shared_task

from consent import housekeeping


@shared_task(ignore_result=True)
def forget_old_requests() -> None:
    """Delete idempotency keys and dashboard links that have ended; runs nightly."""
    housekeeping.forget_old_requests()
