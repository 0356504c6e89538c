"""Regular jobs of oversight."""

from celery import shared_task
from django.utils import timezone

from oversight.work import items


@shared_task
def escalate_work() -> int:
    """Escalate work items that are past their due time."""
    return items.escalate_overdue(timezone.now())
