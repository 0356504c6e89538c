"""The row of a person's latest events says what the events say, after any change of them, in the same transaction."""

import random
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from consent.pseudonyms import subject_ref
from personalization.models import Event, Item, OnlineFeatures
from personalization.recommender.interactions import Touches, digest_of
from personalization.recommender.model import Model
from personalization.serving import features, reading
from personalization.serving.features import Features
from personalization.serving.reading import History
from tests.helpers.polling import until_waiting_for_locks
from tests.helpers.scale import scale

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ITEMS = [f"item-{number}" for number in range(30)]
WEIGHTS = {
    "view": 1.0,
    "dwell": 1.5,
    "like": 2.0,
    "purchase": 3.0,
    "rating": 4.0,
    "skip": 0.0,
    "dismiss": 0.0,
    "undo": 0.0,
}
ALL = [kind.value for kind in Event.Kind]
REF, OTHER = subject_ref("customer-1"), subject_ref("customer-2")


class _Known:
    """A model, as far as reading a row asks it."""

    def id_of(self, digest: int) -> str | None:
        return {digest_of(item): item for item in ITEMS}.get(digest)


MODEL = cast("Model", _Known())


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    Item.objects.bulk_create(Item(slug=item, title=item.upper()) for item in ITEMS)


def event(minutes: float, kind: str = "like", item: str = ITEMS[0], ref: UUID = REF, **more: Any) -> Event:
    weight = more.pop("weight", WEIGHTS.get(kind, 1.0))
    at = NOW - timedelta(minutes=minutes)
    return Event(
        id=uuid4(), subject_ref=ref, purpose="recommendations", kind=kind, item_id=item, weight=weight, occurred_at=at,
        received_at=NOW, **more,
    )  # fmt: skip


def put(*events: Event) -> None:
    Event.objects.bulk_create(events)


def row(ref: UUID = REF, purpose: str = "recommendations") -> Features:
    found = OnlineFeatures.objects.filter(subject_ref=ref, purpose=purpose).first()
    if found is None:
        return features.NONE
    recent, older = (None if part is None else bytes(part) for part in (found.recent, found.older))
    return Features(recent, older, older is not None)


def said(history: History | None) -> tuple[list[tuple[int, float]], set[str], set[str]] | None:
    """What a history says: touches oldest first, and which items are liked and unwanted."""
    if history is None:
        return None
    touches = history.touches
    if isinstance(touches, Touches):
        listed = list(zip(touches.items.tolist(), touches.weights.tolist(), strict=True))
    else:
        listed = [(digest_of(each.item), each.weight) for each in sorted(touches, key=lambda each: each.time)]
    return listed, {item for item in ITEMS if item in history.liked}, set(history.unwanted)


def from_row(ref: UUID = REF, kinds: Iterable[str] = ALL, limit: int = 5_000) -> Any:
    return said(features.history(row(ref), list(kinds), limit, lambda: MODEL, now=time.time()))


def from_events(ref: UUID = REF, kinds: Iterable[str] = ALL, limit: int = 5_000) -> Any:
    return said(reading.history(ref, "recommendations", list(kinds), limit))


def test_every_kind_has_its_number_in_the_database_too() -> None:
    assert set(features.NUMBERS) == set(Event.Kind)
    for minutes, kind in enumerate(Event.Kind, start=1):
        put(event(-minutes, str(kind), weight=1.0))
    recent = row().recent
    assert recent is not None
    assert [recent[place * 17 + 8] for place in range(len(Event.Kind))] == [
        features.NUMBERS[kind] for kind in Event.Kind
    ]


@scale("rounds", small=12, long=400)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_row_says_what_the_events_say_whatever_happens(rounds: int, seed: int) -> None:
    chance = random.Random(seed)

    def anything() -> Event:
        # Most events come in order; some came late, some are older than a dismissal lasts.
        minutes = chance.choice([chance.uniform(0, 5), chance.uniform(0, 60_000)])
        return event(minutes, chance.choice(list(WEIGHTS)), chance.choice(ITEMS), chance.choice([REF, OTHER]))

    for number in range(rounds):
        put(*(anything() for _ in range(chance.choice([1, 3, 40, 130]))))
        if number % 3 == 2:
            some = list(Event.objects.values_list("pk", flat=True))
            Event.objects.filter(pk__in=chance.sample(some, min(len(some), 7))).delete()
            put(event(-number, "view", chance.choice(ITEMS)))
        for ref in (REF, OTHER):
            for kinds in (ALL, ["view", "like", "undo"], ["purchase"]):
                for limit in (5, 100, 5_000):
                    answer = from_row(ref, kinds, limit)
                    assert answer is None or answer == from_events(ref, kinds, limit)
    put(event(-10_000, ref=REF), event(-10_000, ref=OTHER))
    assert from_row(REF) == from_events(REF)
    assert from_row(OTHER, limit=100) == from_events(OTHER, limit=100)


def test_the_next_events_are_appended_and_the_row_keeps_its_size() -> None:
    put(*(event(1_000 - number, item=ITEMS[number % 30]) for number in range(90)))
    for number in range(60):
        put(event(500 - number, item=ITEMS[number % 30]))

    kept = row()
    assert kept.recent is not None
    assert 100 <= len(kept.recent) / 17 <= 112
    assert len(kept.recent) + len(kept.older or b"") == 150 * 17
    assert from_row() == from_events()


def test_no_more_than_five_thousand_entries_are_kept() -> None:
    put(*(event(6_000 - number) for number in range(5_200)))
    put(*(event(-number) for number in range(150)))

    kept = row()
    assert len((kept.older or b"") + (kept.recent or b"")) <= 5_012 * 17
    assert from_row() == from_events()


def test_a_late_event_takes_its_place() -> None:
    put(event(10, item=ITEMS[1]), event(5, item=ITEMS[2]))
    put(event(7, item=ITEMS[3]))

    assert [item for item, _ in from_row()[0]] == [digest_of(ITEMS[number]) for number in (1, 3, 2)]


def test_a_late_event_is_put_where_it_belongs_in_its_second_and_nothing_else_is_read_again() -> None:
    """The older entries are forged here: a row that was made anew would not hold them."""
    second = NOW.replace(microsecond=0) - timedelta(minutes=3)
    put(*(event(1_000 - number, item=ITEMS[number % 30]) for number in range(130)))
    for number, part in enumerate((600_000, 100_000)):
        put(at(second + timedelta(microseconds=part), ITEMS[number]), event(2 - number, item=ITEMS[5]))
    whole = from_row()
    assert whole == from_events()
    OnlineFeatures.objects.filter(subject_ref=REF).update(older=b"forged")

    put(at(second + timedelta(microseconds=300_000), ITEMS[2]), event(0, item=ITEMS[6]))

    kept = row()
    assert kept.recent is not None
    assert (kept.older or b"").startswith(b"forged")
    latest = [digest_of(ITEMS[number]) for number in (1, 2, 0, 5, 5, 6)]
    assert [int.from_bytes(kept.recent[-17 * place : -17 * place + 8]) for place in range(6, 0, -1)] == latest
    assert [item for item, _ in from_events()[0]][-6:] == latest


def at(moment: datetime, item: str) -> Event:
    late = event(0, item=item)
    late.occurred_at = moment
    return late


@pytest.mark.django_db(transaction=True)
def test_a_deletion_under_way_takes_a_row_along_that_a_late_event_was_put_into() -> None:
    put(event(20, item=ITEMS[0]), event(10, item=ITEMS[1]), event(5, item=ITEMS[2]))

    with transaction.atomic():
        put(event(7, item=ITEMS[3]))
        thread = _in_thread(lambda: Event.objects.filter(item_id=ITEMS[1]).delete())
        until_waiting_for_locks(1)
        assert row().recent is not None
    thread.join(timeout=120)

    assert row() == features.NONE
    put(event(1, item=ITEMS[4]))
    assert from_row() == from_events()


REMOVALS: dict[str, Callable[[], Any]] = {
    "one event": lambda: Event.objects.filter(item_id=ITEMS[1]).delete(),
    "everything": lambda: Event.objects.all().delete(),
    "by SQL": lambda: connection.cursor().execute("DELETE FROM personalization_event WHERE subject_ref = %s", [REF]),
    "a change of the person": lambda: Event.objects.filter(item_id=ITEMS[1]).update(subject_ref=OTHER),
    "a change of the time": lambda: Event.objects.filter(item_id=ITEMS[1]).update(occurred_at=NOW - timedelta(days=9)),
}


@pytest.mark.parametrize("removal", REMOVALS)
def test_a_row_goes_with_any_of_its_events(removal: str) -> None:
    put(event(10, item=ITEMS[1]), event(5, item=ITEMS[2]), event(5, ref=OTHER))

    REMOVALS[removal]()

    assert row() == features.NONE
    assert not OnlineFeatures.objects.filter(subject_ref=REF).exists()
    if "person" in removal:
        assert row(OTHER) == features.NONE, "its events changed, too"
    put(event(1, item=ITEMS[3]))
    assert from_row() == from_events()


def test_events_of_another_purpose_are_of_another_row() -> None:
    put(event(5), event(4, item=ITEMS[1]))
    Event.objects.bulk_create([event_of("usage_statistics")])

    assert len(row().recent or b"") == 2 * 17
    assert len(row(purpose="usage_statistics").recent or b"") == 17


def event_of(purpose: str) -> Event:
    other = event(3)
    other.purpose = purpose
    return other


def test_a_window_that_leaves_out_kinds_is_read_from_the_events_where_the_row_cannot_say_it() -> None:
    put(*(event(1_000 - number, "view") for number in range(100)), *(event(500 - number) for number in range(100)))
    kept = row()
    assert kept.older is not None

    unread = Features(kept.recent, None, has_older=True)
    assert features.history(unread, ["view"], 100, lambda: MODEL, now=time.time()) is None
    assert said(features.history(unread, ALL, 100, lambda: MODEL, now=time.time())) == from_events(limit=100)


def _in_thread(work: Callable[[], Any]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_what_a_deletion_under_way_deletes_gets_into_no_row() -> None:
    """A row made anew in between would hold it: it is not seen as deleted before its commit."""
    put(event(10, item=ITEMS[1]))
    OnlineFeatures.objects.all().delete()  # as after an upgrade

    with transaction.atomic():
        Event.objects.filter(item_id=ITEMS[1]).delete()
        _in_thread(lambda: put(event(5, item=ITEMS[2]))).join(timeout=120)
        assert Event.objects.filter(item_id=ITEMS[2]).exists(), "storing does not wait for a deletion"

    assert row().recent is None
    assert [item for item, _ in from_events()[0]] == [digest_of(ITEMS[2])]
    put(event(1, item=ITEMS[3]))
    assert from_row() == from_events()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_a_row_that_is_made_and_takes_it_along() -> None:
    put(event(10, item=ITEMS[1]))
    OnlineFeatures.objects.all().delete()

    with transaction.atomic():
        put(event(5, item=ITEMS[2]))
        assert from_row() == from_events()
        thread = _in_thread(lambda: Event.objects.filter(item_id=ITEMS[1]).delete())
        until_waiting_for_locks(1)
    thread.join(timeout=120)

    assert row() == features.NONE


@pytest.mark.django_db(transaction=True)
def test_requests_about_the_same_people_in_another_order_end_one_after_the_other() -> None:
    people, failures = [subject_ref(f"customer-{number}") for number in range(20)], []

    def store(order: list[UUID], start: int) -> None:
        try:
            for number in range(10):
                put(*(event(start - number, item=ITEMS[number], ref=ref) for ref in order))
                if number % 4 == 3:
                    Event.objects.filter(subject_ref__in=order[:5], item_id=ITEMS[number - 1]).delete()
        except Exception as exc:  # noqa: BLE001 (a deadlock, which the test is about)
            failures.append(exc)

    threads = [_in_thread(lambda: store(people, 100)), _in_thread(lambda: store(people[::-1], 50))]
    for thread in threads:
        thread.join(timeout=60)

    assert failures == []
    for ref in people:
        answer = from_row(ref)
        assert answer is None or answer[0] == from_events(ref)[0]


def test_the_first_moment_is_the_oldest_entry() -> None:
    put(event(5), event(9))
    [kept] = OnlineFeatures.objects.all()
    assert (kept.since, kept.newest) == (moment(9), moment(5))


def moment(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)
