from celery import shared_task

from audit import trail


@shared_task(ignore_result=True)
def anchor_audit_trail() -> None:
    """Seal everything new. Safe to run twice: the second run finds nothing."""
    trail.anchor()
