"""State of a schedule: in use, outlasted by a legal minimum, or unable to run. The longer legal minimum wins."""

from collections.abc import Iterator
from dataclasses import dataclass

from common.admin_pages.display import in_days
from privacy.models import RetentionSchedule
from privacy.retention.data_sets import refusals, terms

Trigger = RetentionSchedule.Trigger


@dataclass(frozen=True)
class State:
    """What a schedule's badge says, and why."""

    label: str
    tone: str
    reasons: tuple[str, ...] = ()


def state(schedule: RetentionSchedule) -> State:
    """Return how a schedule stands."""
    if not schedule.is_active:
        return State("Inactive", "plain")
    if reason := refusals.why_not(schedule):
        return State("Cannot run", "alarm", (reason,))
    if reasons := tuple(outlasted(schedule)):
        return State("A law keeps longer", "caution", reasons)
    return State("Active", "good")


def outlasted(schedule: RetentionSchedule) -> Iterator[str]:
    """Return what a legal minimum keeps longer than a schedule, a sentence each."""
    if schedule.is_legal_minimum:
        return
    for minimum in terms.minimums_of(schedule):
        if _is_longer(minimum, schedule) and _meet(minimum.jurisdiction, schedule.jurisdiction):
            what = ", ".join(minimum.kinds) or f"all {minimum.data_set}"
            yield (
                f"“{minimum.slug}” ({minimum.ground}) keeps {what} for {_period(minimum)}, longer"
                " than this schedule. The law wins for what it names."
            )


def _is_longer(minimum: RetentionSchedule, schedule: RetentionSchedule) -> bool:
    """Return whether the minimum can keep what the schedule ends: a window has no length to compare."""
    if schedule.retain_for is None or minimum.retain_for is None:
        return True
    return minimum.retain_for > schedule.retain_for


def _meet(one: str, other: str) -> bool:
    """Return whether two jurisdictions can be those of one person."""
    if not one or not other or one == other:
        return True
    return any(terms.names(wide, narrow) for wide, narrow in ((one, other), (other, one)) if narrow not in terms.laws())


def _period(schedule: RetentionSchedule) -> str:
    return in_days(schedule.retain_for) if schedule.retain_for else "ever"
