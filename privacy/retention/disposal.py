"""Deletion of data whose consent was withdrawn or whose retention ended. In batches, restartable, with proof.

Every batch is one transaction, so a killed worker loses at most the batch in flight and the next run goes on. The
manifest lists a digest of every removed key; its SHA-256 stands in the audit trail.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, Exists, Func, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit import trail
from common import actors
from common.canonical import canonical_json, sha256
from common.jobs import queues
from consent.ledger import holds
from consent.models import ConsentRecord, DataSubject
from privacy.models import Disposal, DisposalBatch, HoldMember
from privacy.retention import schedules

logger = logging.getLogger(__name__)
# The moment, by the database's clock, that parts what the withdrawn consent allowed from what a later one does. The
# withdrawal's own time is too early: it was taken before the commit, and data may have come in between. From the
# commit to the next choice nothing is stored, so the time of either, or now, is late enough.
_END_OF_CONSENT = Coalesce(
    Subquery(ConsentRecord.objects.filter(supersedes=OuterRef("pk")).values("recorded_at")),
    Func(function="statement_timestamp", output_field=DateTimeField()),
)
_A_MESSAGE = 50
_WITHDRAWN = (ConsentRecord.State.WITHDRAWN, ConsentRecord.State.OBJECTED)


def queue_for_withdrawals(records: Sequence[UUID]) -> None:
    """Queue one disposal for each withdrawal and hand it to a worker: three statements for any number.

    Safe to call twice for the same records.
    """
    withdrawn = ConsentRecord.objects.filter(id__in=records, scope="", state__in=_WITHDRAWN)
    rows = withdrawn.annotate(ended=_END_OF_CONSENT).values_list("id", "purpose__id", "subject_id", "ended")
    wanted = [
        Disposal(record_id=record, reason=Disposal.Reason.WITHDRAWAL, purpose_id=purpose, subject_ref=ref, before=ended)
        for record, purpose, ref, ended in rows
    ]
    Disposal.objects.bulk_create(wanted, ignore_conflicts=True)
    open_ones = Disposal.objects.filter(record_id__in=[new.record_id for new in wanted]).exclude(
        status=Disposal.Status.DONE
    )
    _hand_over(list(open_ones.values_list("id", flat=True)))


def _hand_over(disposals: Sequence[UUID], queue: str = queues.URGENT) -> None:
    """Hand disposals to workers once they are committed, several a message."""
    from privacy.tasks import run_disposals

    for first in range(0, len(disposals), _A_MESSAGE):
        message = [str(each) for each in disposals[first : first + _A_MESSAGE]]
        run_disposals.apply_async_on_commit(args=(message,), queue=queue)


def sweep() -> int:
    """Queue what did not reach a worker: withdrawals without disposal, and disposals not done."""
    disposed = Disposal.objects.filter(record_id=OuterRef("pk"))
    missing = list(
        ConsentRecord.objects.filter(~Exists(disposed), scope="", state__in=_WITHDRAWN).values_list("pk", flat=True)[
            :1_000
        ]
    )
    queue_for_withdrawals(missing)
    held = DataSubject.objects.filter(Q(held=True) | Q(restricted=True), ref=OuterRef("subject_ref"))
    member = HoldMember.objects.filter(
        Q(purpose="") | Q(purpose=OuterRef("purpose__slug")), ref=OuterRef("subject_ref")
    )
    overdue = Disposal.objects.exclude(status=Disposal.Status.DONE).filter(
        ~Exists(held), ~Exists(member), queued_at__lt=timezone.now() - timedelta(minutes=1)
    )
    for reason, queue in ((Disposal.Reason.WITHDRAWAL, queues.URGENT), (Disposal.Reason.RETENTION, queues.LONG)):
        of_reason = overdue.filter(reason=reason).order_by("queued_at")
        _hand_over(list(of_reason.values_list("id", flat=True)[:1_000]), queue)
    return len(missing)


def queue_for_retention(*, actor: str) -> list[Disposal]:
    """Queue one disposal for every schedule that has something due."""
    queued = []
    for item in schedules.due():
        if not item.total:
            continue
        disposal = Disposal.objects.create(
            reason=Disposal.Reason.RETENTION, purpose=item.schedule.purpose, before=item.before
        )
        queued.append(disposal)
    for disposal in queued:
        _hand_over([disposal.id], queues.LONG)  # large ones, each a message of its own
    return queued


def run(disposal_id: UUID) -> Disposal:
    """Execute a disposal. Two workers may run the same one: they take turns and the end is written once."""
    disposal = Disposal.objects.select_related("purpose").get(pk=disposal_id)
    if disposal.status == Disposal.Status.DONE:
        return disposal
    try:
        for store in schedules.stores():
            while _one_batch(disposal, store):
                pass
        return _finish(disposal.pk)
    except _Held:
        return disposal


class _Held(Exception):
    """A legal hold keeps the data: unused until the hold ends, then the sweep deletes it."""


def _wait_for_holds(disposal: Disposal) -> None:
    """Take turns with holds until commit. Raises _Held where one keeps this person's data."""
    holds.wait_for_holds()
    if disposal.subject_ref is not None and holds.is_kept(disposal.subject_ref, disposal.purpose.slug):
        raise _Held


@transaction.atomic
def _one_batch(disposal: Disposal, store: schedules.Store) -> bool:
    """Delete one batch and note it in the manifest; return whether there may be more. Raises _Held."""
    _wait_for_holds(disposal)
    # Locked before anything is deleted: no other worker may find nothing left, and close the manifest, while this
    # batch can still be rolled back.
    locked = Disposal.objects.select_for_update().get(pk=disposal.pk)
    if locked.status == Disposal.Status.DONE:
        return False
    if locked.status == Disposal.Status.QUEUED:
        locked.status = Disposal.Status.RUNNING
        locked.save(update_fields=["status"])
    rows: dict[str, Any] = {
        "purpose": disposal.purpose.slug,
        "subject_ref": disposal.subject_ref,
        "before": disposal.before,
    }
    keys = store.delete_batch(**rows, limit=schedules.BATCH)
    if not keys:
        # Another disposal may have taken just these rows; only a count says that none are left.
        return store.count(**rows) > 0
    locked.removed[store.name] = locked.removed.get(store.name, 0) + len(keys)
    locked.save(update_fields=["removed"])
    DisposalBatch.objects.create(
        disposal=locked,
        store=store.name,
        key_digests=[sha256(key.encode()).hex() for key in keys],
    )
    return True


def manifest(disposal: Disposal) -> bytes:
    """Return the proof of a disposal: JSON lines with a digest of each removed key, then the totals."""
    lines = [
        canonical_json({"store": batch.store, "key_sha256": digest})
        for batch in disposal.batches.order_by("pk")
        for digest in batch.key_digests
    ]
    return b"\n".join([*lines, canonical_json({"disposal": str(disposal.id), "removed": disposal.removed})]) + b"\n"


@transaction.atomic
def _finish(disposal_id: UUID) -> Disposal:
    disposal = Disposal.objects.select_for_update(of=("self",)).select_related("purpose").get(pk=disposal_id)
    if disposal.status == Disposal.Status.DONE:
        return disposal
    disposal.status = Disposal.Status.DONE
    disposal.finished_at = timezone.now()
    disposal.manifest_sha256 = sha256(manifest(disposal)).hex()
    disposal.save(update_fields=["status", "finished_at", "manifest_sha256"])
    trail.record(
        "disposal.done",
        str(disposal.subject_ref or disposal.purpose.slug),
        actor=actors.job("disposal"),
        details={
            "disposal": str(disposal.id),
            "reason": disposal.reason,
            "purpose": disposal.purpose.slug,
            "removed": disposal.removed,
            "manifest_sha256": disposal.manifest_sha256,
        },
    )
    logger.info("Disposal %s done: %s rows removed", disposal.id, disposal.total_removed)
    return disposal
