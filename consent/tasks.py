from celery import shared_task

from consent import housekeeping


@shared_task(ignore_result=True)
def forget_old_requests() -> None:
    """Nightly: idempotency keys and dashboard links nobody can use any more."""
    housekeeping.forget_old_requests()
