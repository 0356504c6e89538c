import logging
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import OperationalError

from common import actors
from common.jobs.best_effort_task import BestEffortTask
from common.jobs.queues import LONGEST_JOB_S
from privacy.budgets import releases
from privacy.erasures import noting
from privacy.holds import members
from privacy.redaction import old_proof
from privacy.releases import running, uploads
from privacy.releases.pseudonyms import vault
from privacy.retention import disposal, restoring
from privacy.retention.data_sets import contracts
from privacy.retention.own_records import old_records
from privacy.scrub import scrubbing

logger = logging.getLogger(__name__)


@shared_task(
    base=BestEffortTask,
    ignore_result=True,
    acks_late=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=8,
    time_limit=3600,
)
def run_disposals(disposal_ids: list[str]) -> None:
    """Run each disposal by itself: a failure does not keep the others; the task is retried, the sweep repeats all."""
    failed: OperationalError | None = None
    for disposal_id in disposal_ids:
        try:
            disposal.run(UUID(disposal_id))
        except OperationalError as exc:
            failed = exc
        except Exception:
            logger.exception("A disposal failed; the sweep will repeat it")
    if failed:
        raise failed


@shared_task(ignore_result=True)
def sweep_disposals() -> None:
    """Queue disposals, and undos, that a crash kept from the queue; runs every minute."""
    disposal.sweep()
    restoring.sweep()


@shared_task(base=BestEffortTask, ignore_result=True, acks_late=True, time_limit=3600)
def undo_run(run: str) -> None:
    """Put back what a retention run removed, once another officer has approved that."""
    restoring.carry_out(UUID(run))


@shared_task(ignore_result=True)
def note_erasures() -> None:
    """Add withdrawals and retention runs to the erasure ledger; runs every minute."""
    noting.note()


@shared_task(ignore_result=True)
def begin_and_end_holds() -> None:
    """Bring holds and restrictions into force at their beginning, and release them at their end."""
    members.refresh(queries=False)


@shared_task(ignore_result=True)
def apply_retention() -> None:
    """Queue the deletion of everything older than its schedule allows; runs nightly. Holds find their people first."""
    members.refresh(queries=True)
    disposal.queue_for_retention(actor=actors.job("retention"))
    contracts.forget_over()


@shared_task(ignore_result=True)
def forget_undo() -> None:
    """Destroy keys and rows of retention runs whose time for undo is over; runs hourly."""
    restoring.forget_over()


@shared_task(ignore_result=True, time_limit=LONGEST_JOB_S)
def redact_old_proof() -> None:
    """Redact people whose consent records are past their time as a proof; runs nightly. Idempotent."""
    old_proof.run()


@shared_task(ignore_result=True)
def forget_import_reports() -> None:
    """Delete the reports of old imports; runs nightly. Idempotent."""
    old_records.forget_import_reports()


@shared_task(ignore_result=True)
def scrub_storage() -> None:
    """Scrub the storage after the nightly deletions where the setting says so; a refusal stands in the trail."""
    if not settings.SCRUB_NIGHTLY:
        return
    try:
        scrubbing.scrub(actor=actors.job("scrub"))
    except scrubbing.ScrubRefused as exc:
        logger.error("The storage was not scrubbed: %s", exc)  # noqa: TRY400 (the text says all)


@shared_task(ignore_result=True)
def release_statistics() -> None:
    """Publish each statistic that is due, nightly; the start page and a metric show what the budgets refused."""
    _released, withheld = releases.release_due(actor=actors.job("releases"))
    for each in withheld:
        logger.info("The statistic %s was not released: %s", each.statistic.slug, each.reason.detail)


@shared_task(base=BestEffortTask, ignore_result=True, acks_late=True, time_limit=LONGEST_JOB_S)
def make_release(pk: str) -> None:
    """Make the copy of a release that was asked for; a second worker finds it taken."""
    running.run(pk)


@shared_task(ignore_result=True)
def sweep_releases() -> None:
    """Queue releases the broker lost, and those whose worker was killed; runs every minute."""
    for pk in running.to_take_up():
        make_release.delay(str(pk))


@shared_task(ignore_result=True)
def forget_tables() -> None:
    """Remove uploaded tables and rows of the vault whose time is over, and files that no row names; runs nightly."""
    uploads.forget_old()
    vault.forget_old()
