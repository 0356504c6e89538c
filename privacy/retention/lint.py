"""Lint of retention: data that a purpose keeps without an end."""

from collections.abc import Iterator

from common.registers.lint import Finding
from consent.models import Purpose
from privacy.models import RetentionSchedule

_KEEPING = ("collect", "train")


def check() -> Iterator[Finding]:
    """Find active purposes that keep data and have no active retention schedule."""
    kept = set(RetentionSchedule.objects.filter(is_active=True).values_list("purpose_id", flat=True))
    for purpose in Purpose.objects.filter(is_active=True):
        if purpose.pk not in kept:
            yield from unscheduled(purpose.slug, purpose.actions)


def unscheduled(purpose: str, actions: list[str]) -> Iterator[Finding]:
    """Find a purpose without a schedule whose actions keep data: a warning, as a schedule needs its purpose first."""
    if set(actions) & set(_KEEPING):
        detail = "It keeps data and has no retention schedule: nothing is ever deleted. Add a schedule."
        yield Finding("purpose", purpose, "retention_missing", detail, is_error=False)
