"""Regular jobs of oversight."""

from celery import shared_task
from django.utils import timezone

from common.jobs.best_effort_task import BestEffortTask
from oversight.changes import counting
from oversight.work import items


@shared_task
def escalate_work() -> int:
    """Escalate work items that are past their due time."""
    return items.escalate_overdue(timezone.now())


@shared_task(base=BestEffortTask, ignore_result=True)
def count_everybody(pk: int) -> None:
    """Count everybody for the preview of a change set. Idempotent: the figures are put on it once."""
    counting.count_for(pk)


@shared_task(ignore_result=True)
def sweep_counts() -> None:
    """Queue counts that the broker lost, and those whose worker was killed; runs every minute."""
    for pk in counting.waiting():
        count_everybody.delay(pk)
