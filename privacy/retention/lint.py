"""Lint of retention: data that is kept without an end, and schedules that cannot do what they say."""

from collections.abc import Iterator

from common.registers.lint import Finding
from consent.models import Purpose
from privacy.models import RetentionSchedule
from privacy.retention.data_sets import conflicts, periods, refusals

_KEEPING = ("collect", "train")


def check() -> Iterator[Finding]:
    """Find purposes whose data has no end, schedules that no run can carry out, and those that a law outlasts."""
    kept = periods.ended()
    for purpose in Purpose.objects.filter(is_active=True):
        if purpose.pk not in kept:
            yield from unscheduled(purpose.slug, purpose.actions)
    for schedule in RetentionSchedule.objects.filter(is_active=True).select_related("purpose"):
        yield from _of(schedule)


def _of(schedule: RetentionSchedule) -> Iterator[Finding]:
    if reason := refusals.why_not(schedule):
        yield Finding("retention_schedule", schedule.slug, "retention_impossible", reason)
        return
    for sentence in conflicts.outlasted(schedule):
        yield Finding("retention_schedule", schedule.slug, "retention_below_legal_minimum", sentence, is_error=False)


def unscheduled(purpose: str, actions: list[str]) -> Iterator[Finding]:
    """Find a purpose without a schedule whose actions keep data: a warning, as a schedule needs its purpose first."""
    if set(actions) & set(_KEEPING):
        detail = "It keeps data and has no retention schedule: nothing is ever deleted. Add a schedule."
        yield Finding("purpose", purpose, "retention_missing", detail, is_error=False)
