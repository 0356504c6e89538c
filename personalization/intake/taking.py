"""Events taken in: stored if the person allows their use; otherwise discarded at once, and the answer says so."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec
from django.utils import timezone

from common.http.problems import Problem, Unavailable
from personalization import events
from personalization.events import ClockAhead, EventIdTaken, EventTooOld, ItemUnknown, NewEvent
from personalization.intake import storing
from policies.decisions import evaluate
from policies.decisions.evaluate import Decision
from policies.decisions.questions import Question

_ATTEMPTS = 4
_MOVING = "This person's choices are changing right now. Send the event again."
_TAKEN = "Nothing was stored. Send each event under an event_id of its own."


class Taken(msgspec.Struct, frozen=True):
    """An event that was decided about: stored, the repeat of a stored one, or not permitted."""

    stored: bool
    duplicate: bool
    decision: Decision


Answer = Taken | Problem
Ask = Callable[[Sequence[Question]], Sequence[Decision]]


def take_in(event: NewEvent) -> Taken:
    """Decide about one event and store it. Raises ItemUnknown, ClockAhead, EventTooOld, EventIdTaken, Unavailable."""

    def ask(questions: Sequence[Question]) -> list[Decision]:
        return [evaluate.decide(question, caller=event.sender) for question in questions]

    [answer] = take_in_many([event], ask)
    if isinstance(answer, Problem):
        raise answer
    return answer


def take_in_many(given: Sequence[NewEvent], ask: Ask) -> list[Answer]:
    """Decide about events, then store what is permitted, in a statement that counts only while the grounds hold.

    ``ask`` answers questions about people as they are at that moment, and logs the answers. It is asked once about what
    several events have in common; where a person's revision moved before the storage, it is asked again.
    """
    answers: dict[int, Answer] = dict(_faults(given))
    first: dict[bytes, int] = {}
    for number, event in enumerate(given):
        if number not in answers:
            first.setdefault(event.key, number)
    waiting = sorted(first.values())
    for _ in range(_ATTEMPTS):
        if not waiting:
            break
        waiting = _round(given, waiting, ask, answers)
    for number in waiting:
        answers[number] = Unavailable(_MOVING)
    for number, event in enumerate(given):
        if number not in answers:
            answers[number] = _again(event, given[first[event.key]], answers[first[event.key]])
    return [answers[number] for number in range(len(given))]


def _faults(given: Sequence[NewEvent]) -> Mapping[int, Problem]:
    """Return what is wrong with events, apart from the people they are about."""
    now = timezone.now()
    latest, earliest = now + events.MAX_CLOCK_AHEAD, now - events.MAX_AGE
    known = storing.known_items([event.item for event in given])
    faults: dict[int, Problem] = {}
    for number, event in enumerate(given):
        if event.occurred_at > latest:
            faults[number] = ClockAhead("occurred_at is more than five minutes ahead of this server's clock.")
        elif event.occurred_at < earliest:
            days = events.MAX_AGE // timedelta(days=1)
            faults[number] = EventTooOld(f"occurred_at is more than {days} days ago. Older events are not taken in.")
        elif event.item not in known:
            faults[number] = ItemUnknown("Put the item into the catalogue first (PUT /api/v1/items).")
    return faults


def _round(given: Sequence[NewEvent], waiting: Sequence[int], ask: Ask, answers: dict[int, Answer]) -> list[int]:
    """Ask and store once; return the numbers whose people's choices moved in between."""
    distinct: dict[Question, int] = {}
    places = [distinct.setdefault(given[number].question(), len(distinct)) for number in waiting]
    decided = ask(list(distinct))
    permitted = []
    for number, place in zip(waiting, places, strict=True):
        if decided[place].permitted:
            permitted.append((number, decided[place]))
        else:
            answers[number] = Taken(stored=False, duplicate=False, decision=decided[place])
    if not permitted:
        return []
    found = storing.store(
        [given[number] for number, _ in permitted], [decision.subject_revision for _, decision in permitted]
    )
    moved = []
    for number, decision in permitted:
        key = given[number].key
        if key in found.taken:
            answers[number] = EventIdTaken(_TAKEN)
        elif key in found.new or key in found.repeated:
            answers[number] = Taken(stored=True, duplicate=key in found.repeated, decision=decision)
        else:
            moved.append(number)
    return moved


def _again(event: NewEvent, before: NewEvent, answer: Answer) -> Answer:
    """Return the answer to an event whose id came earlier in the same request."""
    if event.content() != before.content():
        return EventIdTaken(_TAKEN)
    if isinstance(answer, Problem) or not answer.stored:
        return answer
    return Taken(stored=True, duplicate=True, decision=answer.decision)
