"""The rolling window and the check of segments: nightly, harmless to repeat, and audited."""

import pytest
from django.db.models import Count

from audit.models import AuditEvent
from consent.ledger import ledger
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from personalization import engine, tasks, windows
from personalization.models import Event
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from tests.helpers import models

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(remember, shop):
    """Give a person 104 events, oldest first; return the items of the newest hundred."""

    def fill(person, **fields):
        events = remember(person, [shop.items[number % 120].id for number in range(BEHAVIORAL_WINDOW + 4)], **fields)
        return {event.pk for event in events[4:]}

    return fill


def _kept(person, purpose="recommendations"):
    return set(Event.objects.filter(subject_ref=subject_ref(person), purpose=purpose).values_list("pk", flat=True))


def _limit_to_behavioral():
    from consent.models import Purpose
    from consent.register import register

    purpose = Purpose.objects.get(slug="recommendations")
    purpose.max_level = "behavioral"
    register.save_purpose(purpose, actor="test")


def test_without_leave_for_the_full_history_the_newest_hundred_are_kept(api, busy):
    api.save("customer-1", "give")
    _limit_to_behavioral()
    newest = busy("customer-1")

    assert windows.trim_windows() == 4

    assert _kept("customer-1") == newest


def test_whoever_allows_the_full_history_keeps_it(api, busy):
    api.save("customer-1", "give")
    busy("customer-1")

    assert windows.trim_windows() == 0

    assert len(_kept("customer-1")) == BEHAVIORAL_WINDOW + 4


@pytest.mark.parametrize("choice", [None, "refuse"])
def test_whoever_allows_nothing_keeps_no_more_than_the_window(api, busy, choice):
    if choice:
        api.save("customer-1", choice)
    newest = busy("customer-1")

    windows.trim_windows()

    assert _kept("customer-1") == newest


def test_a_window_of_exactly_a_hundred_is_left_alone(api, remember, shop):
    remember("customer-1", [item.id for item in shop.items[:BEHAVIORAL_WINDOW]])

    assert windows.trim_windows() == 0


def test_a_legal_hold_keeps_what_the_window_would_drop(api, busy):
    api.save("customer-1", "give")
    busy("customer-1")
    DataSubject.objects.update(held=True)

    assert windows.trim_windows() == 0

    assert len(_kept("customer-1")) == BEHAVIORAL_WINDOW + 4


def test_every_person_and_purpose_has_a_window_of_its_own(api, busy):
    first, second = busy("customer-1"), busy("customer-2")
    other = busy("customer-1", purpose="usage_statistics")

    assert windows.trim_windows() == 12

    assert (_kept("customer-1"), _kept("customer-2")) == (first, second)
    assert _kept("customer-1", "usage_statistics") == other


def test_trimming_is_audited_once_with_its_count_and_no_person(api, busy):
    busy("customer-1")

    tasks.trim_windows()
    tasks.trim_windows()

    event = AuditEvent.objects.get(action="window.trimmed")
    assert (event.object, event.actor, event.details) == ("events", "job:trim", {"removed": 4})


def test_events_of_one_moment_are_trimmed_to_the_window_all_the_same(api, busy):
    busy("customer-1")
    Event.objects.update(occurred_at="2026-01-05T10:00:00Z")

    windows.trim_windows()
    windows.trim_windows()

    assert list(Event.objects.values_list("subject_ref").annotate(Count("id"))) == [
        (subject_ref("customer-1"), BEHAVIORAL_WINDOW)
    ]


def _register_people(region, count):
    for number in range(count):
        ledger.save_choices(
            ledger.Request(
                subject_ref=subject_ref(f"{region}-{number}"),
                choices=[ledger.Choice(purpose="recommendations", choice="give")],
                source="api",
                actor="test",
                region=region,
                age_band="adult",
            )
        )


def test_the_smallest_segment_is_counted_in_the_register(deployed, trained_model):
    served = {key.split("|")[0].removeprefix("region=") for key in trained_model.segments if key.endswith("adult")}
    for region in served:
        _register_people(region, 21 if region == "DE" else 25)
    _register_people("IS", 2)  # no segment of the model, so nobody is served from it

    details = windows.check_segments()

    assert details == {"segments": len(trained_model.segments), "smallest": 21, "required": 20}
    event = AuditEvent.objects.get(action="segments.checked")
    assert (event.object, event.actor, event.details) == ("house-recommender@1", "job:segments", details)


def test_a_segment_that_has_grown_too_small_is_seen(deployed):
    _register_people("DE", 3)

    assert windows.check_segments()["smallest"] < windows.building.SEGMENT_MIN_SIZE


def test_a_segment_that_everybody_left_is_seen(deployed):
    _register_people("DE", 25)  # and nobody in the model's other segments

    assert windows.check_segments()["smallest"] == 0


def test_without_a_model_in_use_there_is_nothing_to_check(draft):
    assert windows.check_segments() == {}
    assert not AuditEvent.objects.filter(action="segments.checked").exists()


def test_a_suspended_model_is_checked_too(deployed):
    models.take(deployed, "suspended")

    tasks.check_segments()

    assert AuditEvent.objects.filter(action="segments.checked", object="house-recommender@1").count() == 1


def test_the_key_of_a_segment_is_the_one_the_model_was_trained_with(deployed, trained_model):
    assert engine.segment_key("DE", "adult") in trained_model.segments
