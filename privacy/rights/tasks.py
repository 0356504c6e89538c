"""Regular jobs of rights."""

from celery import shared_task
from django.utils import timezone

from privacy.rights.answers import packages
from privacy.rights.drp import reporting
from privacy.rights.letters import letters, sending
from privacy.rights.requesters import asking
from privacy.rights.requests import blocking, fulfilling


@shared_task(ignore_result=True)
def fulfil_requests() -> None:
    """Free requests whose blockers have ended, and fulfil those that answer themselves; runs every minute."""
    blocking.free_ended(now=timezone.now())
    fulfilling.sweep()


@shared_task(ignore_result=True)
def forget_packages() -> None:
    """Delete answers and letters that have expired, and end what was not proven in time; runs nightly."""
    packages.forget_expired(timezone.now())
    letters.forget_expired(timezone.now())
    asking.end_unproven()


@shared_task(ignore_result=True)
def send_letters() -> None:
    """Send letters that wait; runs every ten seconds."""
    sending.send_waiting()


@shared_task(ignore_result=True)
def report_to_agents() -> None:
    """Send statuses that have changed to the addresses agents named; runs every half minute."""
    reporting.report()
