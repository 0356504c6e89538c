"""What a schedule cannot be, each in a sentence: for its form, change sets, files and lint."""

import re
from collections.abc import Iterator
from datetime import timedelta

from common import patterns
from privacy.models import RetentionSchedule
from privacy.retention import schedules
from privacy.retention.data_sets import terms
from privacy.retention.schedules import DataSet

Trigger, Action = RetentionSchedule.Trigger, RetentionSchedule.Action
_REGION = re.compile(patterns.REGION, re.ASCII)
_NO_KEYS = "No data set is encrypted under a key of each person, so there is no key to destroy. Choose to delete."


def why_not(schedule: RetentionSchedule) -> str:
    """Return why a schedule cannot be carried out; empty where it can."""
    return next(_reasons(schedule), "")


def _reasons(schedule: RetentionSchedule) -> Iterator[str]:
    yield from _of_period(schedule)
    found = schedules.find(schedule.data_set)
    if found is None:
        yield f"The data set “{schedule.data_set}” is gone. There are: {', '.join(schedules.data_sets())}."
        return
    yield from _of_way(schedule, found)
    yield from _of_purpose(schedule, found)
    yield from _of_law(schedule, found)
    if schedule.undo_days and schedule.action != Action.DELETE:
        yield "Only a deletion can be undone: set Undo to 0."
    if schedule.undo_days and not found.table.can_undo:
        yield f"What a run deletes of “{schedule.data_set}” cannot be put back: set Undo to 0."


def _of_period(schedule: RetentionSchedule) -> Iterator[str]:
    if schedule.trigger == Trigger.WINDOW:
        if not schedule.keep_last or schedule.retain_for is not None:
            yield "A window has a number of entries to keep, at least one, and no period."
    elif schedule.keep_last is not None:
        yield "Only a window keeps a number of entries. Choose its trigger, or leave the number empty."
    elif schedule.retain_for is None or schedule.retain_for < timedelta(days=1):
        yield "A retention period is at least one day."


def _of_way(schedule: RetentionSchedule, found: DataSet) -> Iterator[str]:
    if schedule.action == Action.SHRED:
        yield _NO_KEYS
    elif (schedule.trigger, schedule.action) not in found.ways:
        named = [found.refusals.get(schedule.action), found.refusals.get(schedule.trigger)]
        yield next(filter(None, named), _cannot(schedule))


def _cannot(schedule: RetentionSchedule) -> str:
    act, when = schedule.get_action_display().lower(), schedule.get_trigger_display().lower()
    return f"“{schedule.data_set}” cannot do this: {act}, counted from when {when}. Choose another action or trigger."


def _of_purpose(schedule: RetentionSchedule, found: DataSet) -> Iterator[str]:
    if schedule.purpose is not None and not found.table.purpose:
        yield f"“{schedule.data_set}” belong to no single purpose. Leave the purpose empty."
    if not schedule.is_legal_minimum:
        return
    if schedule.purpose is None:
        yield "A legal minimum is about one purpose. Choose it."
    elif schedule.purpose.needs_consent or schedule.purpose.may_be_objected:
        yield (
            f"People can withdraw or object to “{schedule.purpose}”, and its data then goes at once. Keep what a law"
            " names under a purpose that rests on a contract or a legal obligation."
        )


def _of_law(schedule: RetentionSchedule, found: DataSet) -> Iterator[str]:
    place = schedule.jurisdiction
    if place and place not in terms.laws() and not _REGION.fullmatch(place):
        yield f"“{place}” is neither a law ({', '.join(sorted(terms.laws()))}) nor a region, such as DE or US-CA."
    if schedule.is_legal_minimum and not schedule.ground.strip():
        yield "A legal minimum names the law that asks for it."
    if schedule.kinds and not schedule.is_legal_minimum:
        yield "Only a legal minimum names single kinds of entries."
    if unknown := set(schedule.kinds) - set(found.kinds):
        yield f"“{schedule.data_set}” has no kind “{min(unknown)}”. There are: {', '.join(found.kinds) or 'none'}."
