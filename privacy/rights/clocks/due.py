"""Due dates: a clock, the day of receipt, and what happened since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from privacy.rights.clocks.counting import Calendar, Length, Unit, last_day, move_to_working_day
from privacy.rights.clocks.laws import Clock, Effect, Right, Start, applicable


class About(StrEnum):
    IDENTITY = "identity"
    CLARIFICATION = "clarification"
    FEE = "fee"


class State(StrEnum):
    RUNNING = "running"
    # The person's answer is awaited, and the law lets the clock stand still.
    WAITING = "waiting"
    NO_NUMBER = "no_number"


@dataclass(frozen=True)
class Question:
    """Question to the person: the local days on which it was asked and answered."""

    about: About
    asked: date
    answered: date | None = None


@dataclass(frozen=True)
class Extension:
    """Extension announced to the person with its reasons; ``until`` where the law sets no maximum."""

    announced: date
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Due:
    """Dates of one request under one clock.

    ``first``: end of the first period, before which an extension must be announced. ``due``: the day that counts.
    ``latest``: the day that an extension announced in time would give. None where there is none, or not yet.
    """

    clock: Clock
    state: State
    starts: date
    first: date | None = None
    due: date | None = None
    latest: date | None = None
    confirm_by: date | None = None
    is_extended: bool = False


def end_of(day: date, zone: tzinfo) -> datetime:
    """Return the moment at which a day has ended."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)


def due(
    clock: Clock,
    received: date,
    calendar: Calendar,
    *,
    questions: Sequence[Question] = (),
    extension: Extension | None = None,
) -> Due:
    """Return the dates of a request that was received on a local day."""
    starts, is_waiting = _start(clock, received, questions)
    confirm_by = _end(clock, received, clock.confirm, calendar, 0) if clock.confirm else None
    dates = Due(clock=clock, state=State.RUNNING, starts=starts, confirm_by=confirm_by)
    if clock.length is None:
        return replace(dates, state=State.NO_NUMBER)
    if is_waiting:
        return replace(dates, state=State.WAITING)
    days, is_waiting = _days_that_do_not_count(clock, starts, calendar, questions)
    if is_waiting:
        return replace(dates, state=State.WAITING)
    first = _end(clock, starts, clock.length, calendar, days)
    latest = _end(clock, starts, clock.extended, calendar, days) if clock.extended else None
    extended_to = _extended_to(extension, first, latest, clock)
    return replace(dates, first=first, latest=latest, due=extended_to or first, is_extended=extended_to is not None)


@dataclass(frozen=True)
class Settings:
    """Settings of an installation: holidays by region (``*`` everywhere), business days, and its own time to answer.

    ``business`` None: as each law counts them. Without holidays a date is too early rather than too late.
    """

    holidays: Mapping[str, frozenset[date]] = field(default_factory=dict)
    business: frozenset[str] | None = None
    own_days: int = 30

    def calendar(self, clock: Clock, region: str) -> Calendar:
        code = region.strip().upper()
        places = {"*", code, code.partition("-")[0]}
        days = frozenset(day for place in places for day in self.holidays.get(place, ()))
        return Calendar(self.business or clock.business, days)


def due_in(
    region: str,
    right: Right,
    received: date,
    settings: Settings,
    *,
    questions: Sequence[Question] = (),
    extension: Extension | None = None,
) -> Due:
    """Return the dates of a request by a person of a region; of several laws in question, the earliest.

    Where the law gives no number, the due day is the controller's own.
    """
    clocks = [law.clocks[right] for law in applicable(region)]
    dates = [
        due(clock, received, settings.calendar(clock, region), questions=questions, extension=extension)
        for clock in clocks
    ]
    own = received + timedelta(days=settings.own_days)
    return earliest([replace(each, first=own, due=own) if each.state is State.NO_NUMBER else each for each in dates])


def earliest(among: Sequence[Due]) -> Due:
    """Return the one that falls due first: the law's number before the controller's own. Raises ValueError."""
    return min(among, key=lambda each: (each.state is State.NO_NUMBER, each.due or date.max, each.clock.law))


def _start(clock: Clock, received: date, questions: Sequence[Question]) -> tuple[date, bool]:
    """Return the day on which the clock starts, and whether it has yet to."""
    if clock.starts is not Start.RELEVANT_TIME:
        return received, False
    asked = [each for each in questions if each.about is About.FEE or _effect(clock, each) is Effect.RESTARTS]
    answered = [each.answered for each in asked if each.answered is not None]
    return max([received, *answered]), len(answered) < len(asked)


def _days_that_do_not_count(
    clock: Clock, starts: date, calendar: Calendar, questions: Sequence[Question]
) -> tuple[int, bool]:
    """Return how many days of waiting move the end, and whether an answer is still awaited.

    A question asked after the period had ended revives nothing.
    """
    assert clock.length is not None  # noqa: S101 (the caller has answered the clock without a number)
    left_out: set[date] = set()
    for each in sorted(questions, key=lambda question: question.asked):
        effect = _effect(clock, each)
        if effect not in (Effect.SUSPENDS, Effect.EXCLUDES):
            continue
        if each.asked > _end(clock, starts, clock.length, calendar, len(left_out)):
            continue
        if each.answered is None:
            return len(left_out), True
        left_out |= _waited(max(each.asked, starts), each.answered, effect)
    return len(left_out), False


def _waited(asked: date, answered: date, effect: Effect) -> set[date]:
    """Return the days that do not count. A suspended clock goes on with the day after the answer."""
    first = asked if effect is Effect.EXCLUDES else asked + timedelta(days=1)
    return {first + timedelta(days=number) for number in range((answered - first).days + 1)}


def _effect(clock: Clock, question: Question) -> Effect:
    if question.about is About.IDENTITY:
        return clock.identity
    return clock.clarification if question.about is About.CLARIFICATION else Effect.RUNS


def _end(clock: Clock, start: date, length: Length, calendar: Calendar, left_out: int) -> date:
    end = last_day(start, length, calendar, counts_first_day=clock.counts_first_day) + timedelta(days=left_out)
    # What takes effect at once waits for no working day.
    if not clock.rolls_over or length.unit is Unit.AT_ONCE:
        return end
    return move_to_working_day(end, clock.rolls_over, calendar.holidays)


def _extended_to(extension: Extension | None, first: date, latest: date | None, clock: Clock) -> date | None:
    """Return the day to which an extension moves the end; None if it was announced too late, or is not known here."""
    if extension is None or extension.announced > first or not clock.can_be_extended:
        return None
    if latest is None:
        return extension.until
    return min(extension.until, latest) if extension.until else latest
