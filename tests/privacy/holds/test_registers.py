"""Holds and restrictions are registers: two officers, whom they keep, and what they say of a person."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from consent.ledger import verification
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from oversight.changes import applying, approval, drafting, preview, undoing
from oversight.problems import ChangeRefused, SecondOfficerNeeded
from privacy import tasks
from privacy.holds import members
from privacy.models import Disposal, HoldMember
from privacy.retention import disposal
from tests.helpers.holds import Register, get, hold, refs, restriction
from tests.helpers.registers import drafted, proposed_by

pytestmark = pytest.mark.django_db
NOBODY = {"held": False, "restricted": False, "limits": {}}
KINDS = [pytest.param(hold, "held", id="hold"), pytest.param(restriction, "restricted", id="restriction")]


@pytest.fixture
def register(register_in_force: None) -> Register:
    return Register()


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)


def row(person: str = "customer-1") -> dict[str, Any]:
    return DataSubject.objects.filter(ref=subject_ref(person)).values("held", "restricted", "limits").get()


@pytest.mark.parametrize(("kind", "word"), KINDS)
def test_a_hold_of_every_purpose_stands_in_the_persons_row(register, choose, kind, word):
    choose("customer-1", "give")
    choose("customer-2", "give")

    register.place(kind())

    assert row() == {**NOBODY, word: True}
    assert row("customer-2") == NOBODY


@pytest.mark.parametrize(("kind", "word"), KINDS)
def test_a_hold_of_one_purpose_limits_that_purpose_alone(register, choose, kind, word):
    choose("customer-1", "give")

    register.place(kind(purposes=["newsletter"]))

    assert row() == {**NOBODY, "limits": {"newsletter": [word]}}


@pytest.mark.parametrize(("kind", "informed"), [(hold, {}), (restriction, {"informed_on": "2026-11-01"})])
def test_a_release_by_two_officers_frees_the_person(register, choose, kind, informed):
    choose("customer-1", "give")
    placed = kind()
    register.place(placed)

    register.release(placed, **informed)

    assert (row(), HoldMember.objects.count()) == (NOBODY, 0)


def test_a_release_by_one_officer_is_refused_in_an_emergency_too(register, choose):
    choose("customer-1", "give")
    register.place(hold())
    release = drafted(register.author, hold(is_released=True))

    with pytest.raises(ChangeRefused, match="second officer"):
        applying.apply_protectively(release, actor=register.author, reason="at once")
    with pytest.raises(ChangeRefused, match="two officers"):
        applying.apply_in_emergency(release, actor=register.author, reason="at once")

    assert row()["held"]


def test_the_author_of_a_hold_cannot_approve_it(register):
    change_set = proposed_by(register.author, hold())

    with pytest.raises(SecondOfficerNeeded):
        approval.approve(change_set, actor=register.author, seen=change_set.digest)

    assert HoldMember.objects.count() == 0


def test_a_hold_placed_at_once_waits_for_another_officers_review(register, choose):
    choose("customer-1", "give")
    change_set = drafted(register.author, hold())

    applied = applying.apply_protectively(change_set, actor=register.author, reason="data goes tonight")

    assert (row()["held"], applied.is_unreviewed) == (True, True)
    approval.review(applied, actor=register.approver)
    applied.refresh_from_db()
    assert not applied.is_unreviewed


@pytest.mark.parametrize(
    "narrower",
    [
        {"people": refs("customer-2")},
        {"purposes": ["newsletter"]},
        {"data_sets": ["events"]},
        {"ends_at": "2027-01-01T00:00:00+00:00"},
        {"regions": ["FR"]},
    ],
    ids=lambda member: next(iter(member)),
)
def test_narrowing_a_hold_needs_two_officers(register, narrower):
    register.place(hold())
    change_set = drafted(register.author, hold(**narrower))

    with pytest.raises(ChangeRefused, match="second officer"):
        applying.apply_protectively(change_set, actor=register.author, reason="at once")


def test_widening_a_hold_takes_one_officer(register):
    placed = {"purposes": ["newsletter"], "ends_at": "2027-01-01T00:00:00+00:00"}
    register.place(hold(**placed))
    wider = hold(purposes=[], people=refs("customer-1", "customer-2"), ends_at=None)

    applying.apply_protectively(drafted(register.author, wider), actor=register.author, reason="more is in dispute")

    assert [row("customer-1")["held"], row("customer-2")["held"]] == [True, True]


def test_two_holds_on_one_person_end_one_by_one(register, choose):
    choose("customer-1", "give")
    first, second = hold("claim-1"), hold("claim-2", purposes=["newsletter"])
    register.place(first)
    register.place(second)
    register.place(restriction(purposes=["newsletter"]))

    assert row() == {"held": True, "restricted": False, "limits": {"newsletter": ["held", "restricted"]}}
    register.release(first)
    assert row() == {**NOBODY, "limits": {"newsletter": ["held", "restricted"]}}
    register.release(second)
    assert row() == {**NOBODY, "limits": {"newsletter": ["restricted"]}}


def test_a_person_not_known_yet_is_held_with_the_first_choice(register, choose):
    register.place(hold())

    choose("customer-1", "give")

    person = DataSubject.objects.get(ref=subject_ref("customer-1"))
    assert (person.held, person.revision, person.region) == (True, 1, "DE")
    assert verification.verify_person(person, list(ConsentRecord.objects.filter(subject=person))).ok


def test_people_are_found_by_region_age_and_purpose(register, choose):
    choose("customer-1", "give", region="DE", age_band="adult")
    choose("customer-2", "give", region="FR", age_band="adult")
    choose("customer-3", "give", region="DE", age_band="minor")
    choose("customer-4", "refuse", region="DE", age_band="adult", purpose="newsletter")

    asked = {"regions": ["DE"], "age_bands": ["adult"], "chose_about": ["recommendations"]}
    register.place(hold(people=[], **asked))

    assert [row(f"customer-{n}")["held"] for n in (1, 2, 3, 4)] == [True, False, False, False]


def test_a_query_finds_newcomers_at_night_and_lets_go_of_none(register, choose):
    choose("customer-1", "give", region="DE")
    register.place(hold(people=[], regions=["DE"]))
    choose("customer-1", "give", region="FR")  # moved: still in dispute
    choose("customer-2", "give", region="DE")

    tasks.begin_and_end_holds()
    assert not row("customer-2")["held"]
    tasks.apply_retention()

    assert [row(f"customer-{n}")["held"] for n in (1, 2)] == [True, True]


def test_an_edit_of_a_hold_keeps_whom_its_query_found(register, choose):
    choose("customer-1", "give", region="DE")
    register.place(hold(people=[], regions=["DE"]))
    choose("customer-1", "give", region="FR")

    register.place(hold(people=[], regions=["DE"], reason="Counsel asked again"))
    assert row()["held"]

    register.place(hold(people=[], regions=["AT"]))
    assert not row()["held"]


def test_a_person_named_no_more_is_free_where_a_query_stays(register, choose):
    choose("customer-1", "give", region="FR")
    choose("customer-2", "give", region="DE")
    register.place(hold(regions=["DE"]))

    register.place(hold(people=[], regions=["DE"]))

    assert [row("customer-1")["held"], row("customer-2")["held"]] == [False, True]


def test_a_hold_of_a_purpose_covers_its_narrower_ones(register, choose):
    from consent.models import Purpose

    choose("customer-1", "give")
    Purpose.objects.filter(slug="newsletter").update(parent=Purpose.objects.get(slug="recommendations"))

    register.place(hold(purposes=["recommendations"]))

    assert row()["limits"] == {"newsletter": ["held"], "recommendations": ["held"]}


@pytest.mark.parametrize("kind", [hold, restriction])
def test_a_hold_begins_and_ends_by_itself(register, choose, kind, monkeypatch):
    choose("customer-1", "give")
    now = timezone.now()
    dates = {"starts_at": (now + timedelta(days=1)).isoformat(), "ends_at": (now + timedelta(days=3)).isoformat()}
    register.place(kind(**dates))
    seen = []

    for days in (0, 2, 4):
        monkeypatch.setattr(timezone, "now", lambda days=days: now + timedelta(days=days, hours=1))
        tasks.begin_and_end_holds()
        seen.append(HoldMember.objects.count())

    assert seen == [0, 1, 0]
    assert row() == NOBODY


def test_a_placed_hold_is_undone_by_two_officers(register, choose):
    choose("customer-1", "give")
    inverse = undoing.undo(register.place(hold()), actor=register.author)

    with pytest.raises(ChangeRefused, match="second officer"):
        applying.apply_protectively(inverse, actor=register.author, reason="a mistake")
    assert row()["held"]
    preview.check(inverse)
    drafting.propose(inverse, actor=register.author, reason="a mistake")
    approval.approve(inverse, actor=register.approver, seen=inverse.digest)

    assert row() == NOBODY


@pytest.mark.parametrize(
    ("proposed", "said"),
    [
        (hold(people=[]), "Name people"),
        (hold(people=["customer-1"]), "pseudonyms"),
        (hold(purposes=["no-such"]), "no processing activity"),
        (hold(chose_about=["no-such"]), "no processing activity"),
        (hold(data_sets=["no-such"]), "no data set"),
        (hold(age_bands=["old"]), "no age band"),
        (hold(ends_at="2025-01-01T00:00:00+00:00"), "ends before it begins"),
        (restriction(people=[]), "Name the person"),
        (restriction(is_released=True), "Inform the person"),
        (restriction(ground="whim"), "ground"),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused(register, proposed, said):
    with pytest.raises(ChangeRefused, match=said):
        register.place(proposed)

    assert HoldMember.objects.count() == 0


def test_a_hold_keeps_data_of_its_purpose_alone(register, choose, remember):
    choose("customer-1", "give")
    remember("customer-1", 2, days=400)
    remember("customer-1", 3, days=400, purpose="usage_statistics")
    register.place(hold(purposes=["recommendations"]))

    for run in disposal.queue_for_retention(actor="operator"):
        disposal.run(run.id)

    assert {run.purpose.slug: run.removed for run in Disposal.objects.all()} == {"usage_statistics": {"events": 3}}


def test_a_withdrawal_under_a_restriction_deletes_after_its_release(register, choose, remember):
    choose("customer-1", "give")
    remember("customer-1", 2)
    placed = restriction(purposes=["recommendations"])
    register.place(placed)
    disposal.queue_for_withdrawals([choose("customer-1", "withdraw")])
    queued = Disposal.objects.get()

    assert disposal.run(queued.id).status == Disposal.Status.QUEUED
    register.release(placed, informed_on="2026-11-01")

    assert disposal.run(queued.id).removed == {"events": 2}


def test_the_sweep_does_not_hand_over_what_a_hold_keeps(register, choose, remember, monkeypatch):
    choose("customer-1", "give")
    remember("customer-1", 2)
    disposal.queue_for_withdrawals([choose("customer-1", "withdraw")])
    Disposal.objects.update(queued_at=timezone.now() - timedelta(minutes=5))
    sent = []
    monkeypatch.setattr(disposal, "_hand_over", lambda found, *_queue: sent.extend(found))
    placed = hold(purposes=["recommendations"])
    register.place(placed)

    disposal.sweep()
    assert sent == []

    register.release(placed)
    disposal.sweep()
    assert sent == [Disposal.objects.get().id]


def test_whom_a_hold_keeps_stands_in_the_trail_without_names(register, choose):
    choose("customer-1", "give")
    placed = hold()
    register.place(placed)

    said = AuditEvent.objects.filter(action=members.EVENT).latest("position")

    assert (said.object, said.details["people"]) == ("claim-17", 1)
    assert said.details["digest"] == members.state_of(get(placed))[1]
    assert str(subject_ref("customer-1")) not in str(said.details)
