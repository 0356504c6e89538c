"""Regular jobs of rights."""

from celery import shared_task
from django.utils import timezone

from privacy.rights.answers import packages
from privacy.rights.requests import blocking, fulfilling


@shared_task(ignore_result=True)
def fulfil_requests() -> None:
    """Free requests whose blockers have ended, and fulfil those that answer themselves; runs every minute."""
    blocking.free_ended(now=timezone.now())
    fulfilling.sweep()


@shared_task(ignore_result=True)
def forget_packages() -> None:
    """Delete answers that have expired; runs nightly."""
    packages.forget_expired(timezone.now())
