"""Retention periods of Assent's own records: read by the jobs that end them, changed by change sets only."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from audit.models import AuditEvent
from audit.sealed_rows import SealedRows
from oversight.changes.documents import Compared
from oversight.changes.figures import Measured
from oversight.registers import Register
from privacy.models import RecordPeriod

Kind = RecordPeriod.Kind
RECORD_PERIODS = SealedRows("record period", RecordPeriod, ("slug", "keep_days"))
COUNTED_FROM = {
    Kind.DECISION_LOG: "When the last decision of a day was stored. Days leave as a whole.",
    Kind.LOG_EXPORTS: "When the file was written.",
    Kind.CONSENT_PROOF: "The last choice of a person who has no permission in force.",
    Kind.IMPORT_REPORTS: "When the import ended.",
    Kind.OFFICER_SESSIONS: "When the session ended.",
    Kind.MODEL_FILES: "When the draft was registered, or the version was retired. What can still serve is kept.",
    Kind.ROLLOUT_COUNTS: "When the rollout ended. What a guard saw when it rolled back is kept.",
}
# What a period would end the next night, by kind: a label, and a count.
Due = Callable[[timedelta], Iterator[tuple[str, int | str]]]
_due: dict[str, Due] = {}


def add_due(kind: str, due: Due) -> None:
    """Register how much of a kind is older than a period; called in ``AppConfig.ready``."""
    _due[kind] = due


def period(kind: str) -> timedelta:
    """Return how long records of a kind are kept."""
    found = RecordPeriod.objects.filter(slug=kind).values_list("keep_days", flat=True).first()
    return timedelta(days=RecordPeriod.AT_FIRST[kind] if found is None else found)


def due(kind: str) -> list[tuple[str, int | str]]:
    """Return what of a kind would go the next night."""
    return list(_due[kind](period(kind))) if kind in _due else []


def changed_since(kind: str, moment: datetime) -> bool:
    """Return whether officers have brought a change of the period into force since a moment."""
    row = RecordPeriod.objects.filter(slug=kind).first()
    if row is None:
        return False
    sealed = [{"kind": RECORD_PERIODS.kind, "key": str(row.pk)}]
    return AuditEvent.objects.filter(occurred_at__gt=moment, details__sealed_rows__contains=sealed).exists()


RECORD_PERIOD = Register(
    name="record_period",
    title="Record period",
    model=RecordPeriod,
    key=("slug",),
    in_bundle=False,
    in_emergency=False,
    keeps=True,
    is_local=True,
    sealed=RECORD_PERIODS,
)


def records_due(changes: Sequence[Compared]) -> Iterator[Measured]:
    """Return how much of each changed kind would go the next night."""
    for change in sorted(changes, key=lambda each: each.key):
        if change.register != RECORD_PERIOD.name or change.key not in _due:
            continue
        for label, value in _due[change.key](period(change.key)):
            yield Measured(f"record_period/{change.key}/{label}", label, value, "Counted: older than the period.")
