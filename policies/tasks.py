from celery import shared_task

from policies import pseudonyms


@shared_task(ignore_result=True)
def forget_pseudonym_keys() -> None:
    """Monthly keys older than the log may be joined are deleted; nothing to do when run twice."""
    pseudonyms.forget_old_keys()
