"""Jobs over the whole installation."""

import logging
from contextlib import nullcontext

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from common import actors
from common.jobs.once_task import OnceTask
from common.jobs.queues import LONGEST_JOB_S
from governance.evidence import checks, heads
from governance.models import OfficerSession
from privacy.retention.own_records import record_periods

logger = logging.getLogger(__name__)


@shared_task(base=OnceTask, ignore_result=True, time_limit=LONGEST_JOB_S)
def verify_evidence(*, full: bool = False) -> None:
    """Verify the evidence and record the result: nightly, or when an officer asks; ``full`` reads all of it."""
    actor = actors.job("evidence")
    try:
        with checks.only_full_check() if full else nullcontext():
            checks.check(actor=actor, full=full)
    except checks.FullCheckRuns as busy:
        logger.warning("%s", busy)


@shared_task(ignore_result=True)
def write_head() -> None:
    """Record the head of the decision log in the trail, and write both heads outside the database."""
    heads.seal_log()
    heads.write()


@shared_task(ignore_result=True)
def forget_sessions() -> None:
    """Delete sessions that have expired, and after their period what is kept of officers' sign-ins; runs nightly."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    OfficerSession.objects.filter(expires_at__lt=now - record_periods.period("officer_sessions")).delete()
