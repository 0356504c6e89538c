"""From when a schedule's time counts, for whose law, and what a legal minimum keeps of what is due."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consent.models import Purpose
from consent.pseudonyms import subject_ref
from personalization.models import Event
from privacy import tasks
from privacy.models import ContractEnd, Disposal, RetentionSchedule
from privacy.retention import disposal, plans, schedules
from privacy.retention.data_sets import conflicts, contracts, terms
from privacy.retention.pacing import Pace
from privacy.rights.stores import deletions

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)


@pytest.fixture
def schedule(register_in_force):
    """Put a schedule in place of the demonstration's for a purpose."""

    def put(purpose="recommendations", days=365, **members):
        RetentionSchedule.objects.all().delete()
        of = Purpose.objects.get(slug=purpose) if purpose else None
        return RetentionSchedule.objects.create(purpose=of, retain_for=timedelta(days=days), **members)

    return put


def _night():
    for run in disposal.queue_for_retention(actor="job:retention"):
        disposal.run(run.id, pace=Pace(gentle=False))
    return {event.subject_ref for event in Event.objects.all()}


def test_activity_keeps_all_of_a_person_until_the_period_after_it(schedule, remember):
    schedule(days=100, trigger="last_activity")
    remember("active", 3, days=400)
    remember("active", 1, days=99)
    remember("gone", 2, days=400)
    remember("gone", 1, days=101)
    remember("gone", 1, days=1, purpose="usage_statistics")

    assert _night() == {subject_ref("active"), subject_ref("gone")}
    assert Event.objects.filter(subject_ref=subject_ref("active")).count() == 4
    assert set(Event.objects.filter(subject_ref=subject_ref("gone")).values_list("purpose", flat=True)) == {
        "usage_statistics"
    }


def test_the_end_of_a_contract_ends_the_data_of_that_person(schedule, remember, tmp_path):
    schedule(days=30, trigger="contract_end")
    for person in ("ended", "running", "again"):
        remember(person, 2, days=3)
    file = tmp_path / "ends.csv"
    file.write_text(f"subject,ended_on\nended,{_day(40)}\nagain,{_day(40)}\nrunning,{_day(10)}\n")
    assert contracts.note(file) == (3, 0)
    file.write_text("subject,ended_on\nagain,\n")
    assert contracts.note(file) == (0, 1)

    assert _night() == {subject_ref("running"), subject_ref("again")}


def _day(ago):
    return (timezone.now() - timedelta(days=ago)).date().isoformat()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("subject,day\na,2026-01-01\n", "first line"),
        ("subject,ended_on\na,yesterday\n", "Line 2: write the day"),
        ("subject,ended_on\n,2026-01-01\n", "Line 2: write a customer id"),
        ("subject,ended_on\na,2026-01-01,b\n", "Line 2: write a customer id"),
    ],
)
def test_a_file_of_contracts_is_noted_whole_or_not_at_all(schedule, tmp_path, text, reason):
    schedule(trigger="contract_end")
    file = tmp_path / "ends.csv"
    file.write_text(text)

    with pytest.raises(contracts.Unreadable, match=reason):
        contracts.note(file)

    assert not ContractEnd.objects.exists()


def test_contracts_without_a_schedule_for_them_are_refused(schedule, tmp_path):
    schedule()

    with pytest.raises(contracts.Unreadable, match="No schedule in use"):
        contracts.note(tmp_path / "ends.csv")


def test_ends_of_contracts_go_after_their_data(schedule):
    schedule(days=30, trigger="contract_end")
    for person, ago in (("old", 66), ("young", 64)):
        ContractEnd.objects.create(subject_ref=subject_ref(person), ended_at=timezone.now() - timedelta(days=ago))

    assert contracts.forget_over() == 1
    assert ContractEnd.objects.get().subject_ref == subject_ref("young")


def test_a_schedule_of_a_law_is_for_its_people_alone(schedule, choose, remember):
    schedule(days=300)
    of = Purpose.objects.get(slug="recommendations")
    RetentionSchedule.objects.create(slug="eu", purpose=of, retain_for=timedelta(days=100), jurisdiction="gdpr")
    RetentionSchedule.objects.create(slug="de", purpose=of, retain_for=timedelta(days=200), jurisdiction="DE")
    for person, region in (("french", "FR"), ("german", "DE"), ("bavarian", "DE-BY"), ("american", "US-CA")):
        choose(person, "give", region=region)
        for days in (150, 250, 350):
            remember(person, 1, days=days)

    _night()

    left = {person: Event.objects.filter(subject_ref=subject_ref(person)).count() for person in
            ("french", "german", "bavarian", "american")}  # fmt: skip
    assert left == {"french": 0, "german": 1, "bavarian": 1, "american": 2}


@pytest.fixture
def tax(schedule):
    """Orders end after 100 days; a law keeps purchases for ten years."""
    ended = schedule("order_fulfilment", days=100)
    law = {"slug": "tax", "action": "keep", "kinds": ["purchase"], "ground": "§ 147 AO"}
    RetentionSchedule.objects.create(purpose=ended.purpose, retain_for=timedelta(days=3650), **law)
    return ended


def _bought(remember, person, days):
    keys = remember(person, 1, days=days, purpose="order_fulfilment")
    Event.objects.filter(pk__in=keys).update(kind="purchase")


def test_a_legal_minimum_wins_for_what_it_names(tax, remember):
    _bought(remember, "buyer", 200)
    _bought(remember, "long ago", 3651)
    remember("viewer", 1, days=200, purpose="order_fulfilment")
    counted = plans.make(tax, actor="officer:ann").document["data_sets"]["events"]
    assert (counted["due"], counted["kept_by_law"], counted["stored"]) == (2, 1, 3)
    plans.DeletionPlan.objects.all().delete()

    assert _night() == {subject_ref("buyer")}


def test_a_legal_minimum_of_a_country_keeps_nothing_elsewhere(tax, choose, remember):
    RetentionSchedule.objects.filter(slug="tax").update(jurisdiction="DE")
    for person, region in (("german", "DE"), ("french", "FR")):
        choose(person, "give", region=region)
        _bought(remember, person, 200)

    assert _night() == {subject_ref("german")}


def test_a_legal_minimum_outlasts_the_window_too(tax, remember):
    RetentionSchedule.objects.create(slug="window", trigger="window", keep_last=1)
    for days in (30, 20):
        _bought(remember, "buyer", days)
        remember("viewer", 1, days=days, purpose="order_fulfilment")

    _night()

    assert Event.objects.filter(subject_ref=subject_ref("buyer")).count() == 2
    assert Event.objects.filter(subject_ref=subject_ref("viewer")).count() == 1


def test_a_schedule_that_a_law_outlasts_says_so(tax):
    state = conflicts.state(tax)

    assert (state.label, state.tone) == ("A law keeps longer", "caution")
    assert state.reasons == (
        "“tax” (§ 147 AO) keeps purchase for 3650 days, longer than this schedule. The law wins for what it names.",
    )
    RetentionSchedule.objects.filter(slug="tax").update(retain_for=timedelta(days=90))
    assert conflicts.state(tax).label == "Active"


def test_a_legal_minimum_that_grew_stops_the_run_of_an_older_plan(tax, remember):
    remember("viewer", 3, days=200, purpose="order_fulfilment")
    (run,) = disposal.queue_for_retention(actor="job:retention")
    RetentionSchedule.objects.filter(slug="tax").update(kinds=[])

    stopped = disposal.run(run.id, pace=Pace(gentle=False))

    assert (stopped.status, Event.objects.count()) == ("stopped", 3)
    assert "legal minimum keeps more now" in stopped.why_stopped


@pytest.mark.parametrize("change", [{"trigger": "last_activity"}, {"jurisdiction": "DE"}, {"action": "aggregate"}])
def test_a_schedule_that_does_something_else_stops_the_run(schedule, remember, change):
    schedule()
    remember("customer-1", 3, days=500)
    (run,) = disposal.queue_for_retention(actor="job:retention")
    RetentionSchedule.objects.update(**change)

    stopped = disposal.run(run.id, pace=Pace(gentle=False))

    assert (stopped.status, Event.objects.count()) == ("stopped", 3)
    assert "does something else now" in stopped.why_stopped


def test_a_schedule_without_a_purpose_is_for_every_one_and_minds_holds(schedule, choose, remember):
    schedule(None, slug="all", days=100)
    choose("held", "give")
    for purpose in ("recommendations", "usage_statistics"):
        remember("held", 1, days=200, purpose=purpose)
        remember("free", 1, days=200, purpose=purpose)
    _limit("held", "recommendations")

    assert _night() == {subject_ref("held")}
    assert Event.objects.get().purpose == "recommendations"
    assert Disposal.objects.get().removed == {"events": 3}


def _limit(person, purpose):
    from consent.models import DataSubject

    DataSubject.objects.filter(ref=subject_ref(person)).update(limits={purpose: ["held"]})


def test_terms_read_back_are_the_terms_that_were_written(tax):
    now = timezone.now()

    extent = terms.extent_of(terms.of(tax, now), terms.before_of(tax, now), "order_fulfilment")

    assert extent == terms.extent(tax, now)
    assert extent.minimums[0].kinds == ("purchase",)
    assert schedules.way_of(tax) is not None


def test_the_end_of_a_contract_is_in_the_persons_answer():
    at = timezone.now()
    ContractEnd.objects.create(subject_ref=subject_ref("customer-1"), ended_at=at)

    assert deletions.CONTRACTS.export(subject_ref("customer-1")) == [{"ended_at": at}]
    assert deletions.CONTRACTS.export(subject_ref("customer-2")) == []
