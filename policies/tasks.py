from celery import shared_task

from policies import pseudonyms
from policies.deployments import systems


@shared_task(ignore_result=True)
def forget_pseudonym_keys() -> None:
    """Monthly keys older than the log may be joined are deleted; nothing to do when run twice."""
    pseudonyms.forget_old_keys()


@shared_task(ignore_result=True)
def audit_residency() -> None:
    """Every registered processing system is judged by the rules in force; run twice, it finds the same."""
    systems.audit_residency()
