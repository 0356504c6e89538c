"""Undo a retention run: put its rows back bit for bit, except those of people who ended the permission since.

One officer proposes it, another approves it, and a worker carries it out.

The rows are stored as PostgreSQL sent them (``record_send``). Without the types' numbers that is the binary format of
COPY, so nothing is read and written anew on the way.
"""

import struct
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from common import actors
from consent.models import ConsentRecord
from oversight.approvals import steps, subjects, verdicts
from oversight.models import Approval
from oversight.problems import ChangeRefused, NotNow
from privacy.models import Disposal, UndoPart
from privacy.retention import schedules, turns, undo
from privacy.retention.subjects import PROPOSED, UNDO, of_undo
from privacy.retention.tables import Table
from privacy.retention.undo import NoUndo

_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)
_INT = struct.Struct("!i")
_ENDED = (ConsentRecord.State.WITHDRAWN, ConsentRecord.State.OBJECTED, ConsentRecord.State.REFUSED)
FAILED = "failed"
# Who may not get rows back: the permission ended after the plan was made, also where it was given again since.
_ENDED_SINCE = """
SELECT FROM consent_consentrecord c WHERE c.subject_id = r.{person} AND c.purpose = r.{purpose}
AND c.state = ANY(%(ended)s) AND c.recorded_at >= %(since)s
"""
# What else knows of people whose rows may not come back (privacy.erasures): for a purpose, or None for every one, and a
# time, whether a person's permission ended since. Each raises NoUndo where it cannot say.
Bar = Callable[[str | None, datetime], Callable[[UUID], bool]]
_bars: list[Bar] = []


def add_bar(bar: Bar) -> None:
    """Have undos ask ``bar`` as well."""
    _bars.append(bar)


class BeingUndone(NoUndo):
    code = "being_undone"


@transaction.atomic
def propose(run: UUID, *, actor: str, reason: str) -> Disposal:
    """Ask another officer to approve the undo of a run. Raises NoUndo, NotNow, ChangeRefused."""
    found = _locked(run)
    _require_possible(found)
    if not reason.strip():
        raise ChangeRefused("Say why the run shall be undone, so that another officer can decide.")
    subject = of_undo(found)
    if subjects.waits_for_approval(subject) or approval_of(found):
        raise NotNow("The undo of this run is proposed already.")
    steps.record(subject, PROPOSED, actor=actor, note=reason)
    subjects.ask(subject, actor=actor)
    return found


@transaction.atomic
def approve(run: UUID, *, actor: str, seen: str, reason: str = "") -> Approval:
    """Approve the undo of a run as an officer independent of who proposed it; ``undo_run`` carries it out.

    Raises NoUndo, NotNow, SecondOfficerNeeded, Outdated.
    """
    found = _waiting(run)
    _require_possible(found)
    given = verdicts.approve(of_undo(found), actor=actor, seen=seen, reason=reason)
    steps.record(of_undo(found), "approved", actor=actor, note=reason)
    return given


@transaction.atomic
def refuse(run: UUID, *, actor: str, seen: str, reason: str) -> None:
    """Refuse the undo of a run, or withdraw it as who proposed it. Raises as ``approve``."""
    subject = of_undo(_waiting(run))
    if subject.is_author(actor):
        subjects.no_longer_needed(subject, actor=actor, outcome="withdrawn")
        steps.record(subject, "withdrawn", actor=actor, note=reason)
    else:
        verdicts.refuse(subject, actor=actor, seen=seen, reason=reason)
        steps.record(subject, "refused", actor=actor, note=reason)


def approval_of(run: Disposal) -> Approval | None:
    """Return the approval of a run's undo, of what the run removed."""
    subject = of_undo(run)
    given = Approval.objects.filter(subject=subject.kind, object=subject.key, digest=subject.digest)
    return given.filter(verdict=Approval.Verdict.APPROVED).last()


def _locked(run: UUID) -> Disposal:
    return Disposal.objects.select_for_update(of=("self",)).select_related("purpose", "plan").get(pk=run)


def _waiting(run: UUID) -> Disposal:
    found = _locked(run)
    if not subjects.waits_for_approval(of_undo(found)):
        raise NotNow("The undo of this run does not wait for an approval.")
    return found


def hand_over(run: UUID) -> None:
    """Hand an approved undo to the worker of long jobs; the sweep repeats what a crash kept from it."""
    from privacy import tasks

    tasks.undo_run.apply_async_on_commit(args=(str(run),))


def sweep() -> None:
    """Hand over again what was approved more than a minute ago and neither carried out nor failed."""
    long_ago = timezone.now() - timedelta(minutes=1)
    approved = Approval.objects.filter(subject=UNDO.slug, verdict=Approval.Verdict.APPROVED, given_at__lt=long_ago)
    waiting = Disposal.objects.filter(
        pk__in=[UUID(key) for key in approved.values_list("object", flat=True)],
        undone_at=None,
        undo_until__gt=timezone.now(),
    )
    for run in waiting.select_related("purpose"):
        last = steps.last(of_undo(run), "approved", FAILED)
        if last is not None and last.kind != FAILED:
            hand_over(run.pk)


def carry_out(run: UUID) -> None:
    """Undo a run in the background; why it cannot be done stands in its timeline."""
    try:
        undo_run(run)
    except NoUndo as exc:
        found = Disposal.objects.select_related("purpose").get(pk=run)
        if found.undone_at is None and exc.code != BeingUndone.code:
            steps.record(of_undo(found), FAILED, actor=actors.job("undo"), note=exc.detail)


def undo_run(run: UUID) -> dict[str, int]:
    """Restore what a run removed and destroy its key, as was approved; return how many rows came back, by data set.

    Two workers may carry it out: the second one finds it locked. Raises NoUndo.
    """
    found = Disposal.objects.select_related("purpose", "plan").get(pk=run)
    _require_possible(found)
    given = approval_of(found)
    if given is None:
        raise NoUndo("Another officer has to approve the undo of this run first.")
    key, restored = undo.read_key(run), {}
    barred = [bar(found.purpose.slug if found.purpose else None, _since(found)) for bar in _bars]
    with transaction.atomic():
        locked = Disposal.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=run).first()
        if locked is None:
            raise BeingUndone("This run is being undone.")
        _require_possible(locked)
        for name in found.removed:
            turns.take(name)
        for name in sorted(found.removed):
            restored[name] = _restore(found, _store(name), key, barred)
        locked.undone_at = timezone.now()
        locked.save(update_fields=["undone_at"])
        details = {"disposal": str(run), "restored": restored, "removed": found.removed}
        steps.record(of_undo(found), "undone", action="disposal.undone", actor=given.actor, details=details)
        UndoPart.objects.filter(disposal_id=run).delete()
    undo.destroy_key(run)
    return restored


def forget_over() -> int:
    """Destroy the keys of runs whose time for undo is over, and remove their parts; return how many runs."""
    over = Disposal.objects.filter(undo_until__lte=timezone.now(), undo_parts__isnull=False).distinct()
    runs = list(over.select_related("purpose"))
    for run in runs:
        subjects.no_longer_needed(of_undo(run), actor=actors.job("undo"), outcome="its time is over")
        undo.destroy_key(run.pk)  # before the rows: what is left after a crash is noise
        UndoPart.objects.filter(disposal=run).delete()
    return len(runs)


def _require_possible(run: Disposal) -> None:
    """Raise NoUndo where a run has no undo, had it, or has had its time."""
    if run.reason != Disposal.Reason.RETENTION:
        raise NoUndo("A deletion that follows a withdrawal is not undone.")
    if run.undone_at is not None:
        raise NoUndo("This run was undone already.")
    if run.status in (*Disposal.OPEN, Disposal.Status.PAUSED):
        raise NoUndo("This run is not over. Stop it first.")
    if run.undo_until is None:
        raise NoUndo("The run's schedule keeps nothing for an undo, or the run removed nothing.")
    if run.undo_until <= timezone.now():
        raise NoUndo(f"The time for an undo ended on {run.undo_until:%Y-%m-%d %H:%M} UTC.")


def _store(name: str) -> Table:
    if found := schedules.find(name):
        return found.table
    raise NoUndo(f"The data set {name} is not registered any more.")


def _since(run: Disposal) -> datetime:
    return run.plan.made_at if run.plan else run.queued_at


def _restore(run: Disposal, store: Table, key: bytes, barred: list[Callable[[UUID], bool]]) -> int:
    """Copy the rows into a table of their own, then into the data set those that may come back."""
    values: dict[str, Any] = {"ended": [str(state) for state in _ENDED], "since": _since(run)}
    ended = _ENDED_SINCE.format(person=store.person, purpose=store.purpose)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE undo_rows (LIKE {store.table}) ON COMMIT DROP")
        for part in _parts(run, store.name):
            rows = _as_copied(undo.open_part(part, key))
            with connection.wrap_database_errors, cursor.copy("COPY undo_rows FROM STDIN (FORMAT binary)") as copy:
                copy.write(_HEADER + rows + _TRAILER)
        cursor.execute(f"SELECT DISTINCT {store.person} FROM undo_rows")  # noqa: S608 (names are code)
        values["barred"] = [ref for (ref,) in cursor.fetchall() if any(is_barred(ref) for is_barred in barred)]
        cursor.execute(
            f"INSERT INTO {store.table} SELECT * FROM undo_rows r"  # noqa: S608 (names are code)
            f" WHERE NOT EXISTS ({ended})"
            f" AND r.{store.person} <> ALL (%(barred)s::uuid[]) ON CONFLICT DO NOTHING",
            values,
        )
        restored = cursor.rowcount
        cursor.execute("DROP TABLE undo_rows")
    return int(restored)


def _parts(run: Disposal, store: str) -> Iterator[UndoPart]:
    """Yield the parts one by one: a run of millions is not held in memory."""
    part = run.undo_parts.filter(store=store).order_by("number").first()
    while part is not None:
        yield part
        part = run.undo_parts.filter(store=store, number__gt=part.number).order_by("number").first()


def _as_copied(records: bytes) -> bytes:
    """Return records of ``record_send`` as rows of a binary COPY: without the numbers of the columns' types."""
    rows, at = bytearray(), 0
    while at < len(records):
        (columns,) = _INT.unpack_from(records, at)
        at += _INT.size
        rows += struct.pack("!h", columns)
        for _ in range(columns):
            at += _INT.size  # the type
            (length,) = _INT.unpack_from(records, at)
            end = at + _INT.size + max(length, 0)
            rows += records[at:end]
            at = end
    return bytes(rows)
