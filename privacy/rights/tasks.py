"""Regular jobs of rights."""

from celery import shared_task
from django.utils import timezone

from privacy.rights.answers import packages
from privacy.rights.letters import letters, sending
from privacy.rights.requests import fulfilling


@shared_task(ignore_result=True)
def fulfil_requests() -> None:
    """Fulfil accepted requests that answer themselves; runs every minute."""
    fulfilling.sweep()


@shared_task(ignore_result=True)
def forget_packages() -> None:
    """Delete answers and letters that have expired; runs nightly."""
    packages.forget_expired(timezone.now())
    letters.forget_expired(timezone.now())


@shared_task(ignore_result=True)
def send_letters() -> None:
    """Send letters that wait; runs every ten seconds."""
    sending.send_waiting()
