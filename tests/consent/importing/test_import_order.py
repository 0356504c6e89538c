"""A stored no is never turned into a yes: which of two choices about the same stays."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consent.importing import rules
from consent.ledger import scopes, verification
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from tests.helpers.import_rows import PROVEN, at, row

pytestmark = pytest.mark.django_db


def _state(person="customer-1", place="recommendations"):
    return DataSubject.objects.get(ref=subject_ref(person)).consents[place]["s"]


@pytest.mark.parametrize(
    ("stored", "line", "stays", "code"),
    [
        # older than what is stored: the newer choice stays
        (("give", 20), ("give", 10, PROVEN), "given", "newer_choice_stored"),
        (("refuse", 20), ("give", 10, PROVEN), "refused", "newer_choice_stored"),
        (("refuse", 20), ("give", 10, {}), "refused", "newer_choice_stored"),
        (("refuse", 20), ("refuse", 10, {}), "refused", "newer_choice_stored"),
        (("give", 20), ("refuse", 10, {}), "given", "newer_choice_stored"),
        # of the same moment: the no wins
        (("refuse", 20), ("give", 20, PROVEN), "refused", "newer_choice_stored"),
        (("give", 20), ("give", 20, PROVEN), "given", "newer_choice_stored"),
        (("give", 20), ("refuse", 20, {}), "withdrawn", None),
        # newer: a no always counts, a yes against a no only with proof
        (("give", 20), ("refuse", 30, {}), "withdrawn", None),
        (("give", 20), ("withdraw", 30, {}), "withdrawn", None),
        (("give", 20), ("give", 30, {}), "given", None),
        (("refuse", 20), ("give", 30, {}), "refused", "unproven_yes"),
        (("refuse", 20), ("give", 30, PROVEN), "given", None),
        (("refuse", 20), ("withdraw", 30, {}), "withdrawn", None),  # every later no counts, so no yes slips between
    ],
)
def test_which_of_two_choices_stays(take, report, stored, line, stays, code):
    before = row(choice=stored[0], recorded_at=at(stored[1]), **PROVEN)
    take(before, row("somebody-else"), name="first.jsonl")

    take(row(choice=line[0], recorded_at=at(line[1]), **line[2]))

    assert _state() == stays
    assert report() == ([(1, code)] if code else [])
    assert verification.verify_ledger().ok


def test_a_choice_saved_here_is_newer_than_what_another_system_kept(choose, take, report):
    choose("customer-1", "refuse")
    choose("customer-2", "give")

    take(row("customer-1", **PROVEN), row("customer-2", "refuse"))

    assert report() == [(1, "newer_choice_stored"), (2, "newer_choice_stored")]
    assert (_state("customer-1"), _state("customer-2")) == ("refused", "given")


def test_a_withdrawal_made_here_is_not_undone_by_an_import_of_the_same_moment(choose, take, report):
    choose("customer-1", "give")
    choose("customer-1", "withdraw")
    moment = ConsentRecord.objects.get(state="withdrawn").recorded_at

    take(row(recorded_at=moment.isoformat(), **PROVEN))

    assert report() == [(1, "newer_choice_stored")]


def test_lines_of_one_person_out_of_the_order_of_time_are_refused(take, report):
    take(
        row(choice="refuse", recorded_at=at(30)),
        row(choice="give", recorded_at=at(20), **PROVEN),
        row("customer-2", recorded_at=at(20)),
        row("customer-2", recorded_at=at(20)),
        row("customer-2", "refuse", recorded_at=at(20)),
        batch=1,
    )

    assert report() == [(2, "out_of_order"), (4, "out_of_order")]
    assert (_state(), _state("customer-2")) == ("refused", "withdrawn")


def test_a_withdrawal_of_what_was_never_here_is_kept_as_a_no(take):
    assert take(row(choice="withdraw")).imported == 1
    assert _state() == "withdrawn"


def test_an_unproven_yes_to_a_part_does_not_open_what_was_refused_as_a_whole(take, report):
    part = {"purpose": "newsletter", "channel": "email"}

    take(
        row(choice="refuse", purpose="newsletter", recorded_at=at(20)),
        row(**part, recorded_at=at(30)),
        row(**part, recorded_at=at(10), **PROVEN),
        row("customer-2", **part, recorded_at=at(20), **PROVEN),
        row("customer-2", "refuse", purpose="newsletter", recorded_at=at(20)),
    )

    assert report() == [(2, "unproven_yes"), (3, "out_of_order")]
    assert _allowed("customer-1") is False
    assert _allowed("customer-2") is False


def _allowed(person):
    consents = DataSubject.objects.get(ref=subject_ref(person)).consents
    found = scopes.effective(consents, "newsletter", channel="email", recipient=None, categories=())
    return found.channel_allowed and found.entry is not None and found.entry["s"] == "given"


def test_an_objection_is_lifted_only_by_a_later_proven_choice(take, report):
    about = {"purpose": "usage_statistics"}

    take(
        row(choice="object", recorded_at=at(20), **about),
        row(recorded_at=at(30), **about),
        row(recorded_at=at(10), **about, **PROVEN),
        row("customer-2", **about),
        batch=2,
    )

    assert [code for _, code in report()] == ["unproven_yes", "out_of_order", "consent_not_asked"]
    assert _state(place="usage_statistics") == "objected"


def test_a_consent_ends_when_the_other_system_said_and_never_later_than_here(take):
    take(
        row("customer-1", expires_at="2025-04-01T00:00:00Z"),
        row("customer-2", region="DE", expires_at="2050-01-01T00:00:00Z"),
    )

    ends = {record.subject_id: record.expires_at for record in ConsentRecord.objects.all()}
    assert ends[subject_ref("customer-1")] == datetime(2025, 4, 1, tzinfo=UTC)
    assert ends[subject_ref("customer-2")] == datetime(2025, 3, 1, 10, tzinfo=UTC) + timedelta(days=730)


def test_what_is_known_of_a_person_is_completed_and_not_replaced(choose, take):
    choose("customer-1", "give")

    take(
        row("customer-1", purpose="newsletter", region="FR", age_band="child"),
        row("customer-2", region="FR", age_band="minor"),
    )

    known = {person.ref: (person.region, person.age_band) for person in DataSubject.objects.all()}
    assert known == {subject_ref("customer-1"): ("DE", "adult"), subject_ref("customer-2"): ("FR", "minor")}


_LINES = st.lists(
    st.tuples(st.sampled_from(["give", "refuse", "withdraw"]), st.integers(0, 9), st.booleans()), max_size=8
)


@example(lines=[("refuse", 0, False), ("withdraw", 1, False), ("give", 1, True)], batch=1)
@given(lines=_LINES, batch=st.integers(1, 4))
@settings(
    max_examples=60,
    suppress_health_check=[*settings.default.suppress_health_check, HealthCheck.function_scoped_fixture],
)
def test_after_any_lines_a_yes_in_force_is_newer_than_every_no_and_proven(take, lines, batch):
    _LINES_SEEN.append(None)
    person = f"customer-{len(_LINES_SEEN)}"
    rows = [row(person, choice, recorded_at=at(minute), **(PROVEN if p else {})) for choice, minute, p in lines]

    take(*rows, row("somebody-else", "refuse"), batch=batch)

    noes = [minute for choice, minute, _ in lines if choice != "give"]
    stored = DataSubject.objects.filter(ref=subject_ref(person)).first()
    entry = stored.consents["recommendations"] if stored else None
    if entry and entry["s"] == "given" and noes:
        record = ConsentRecord.objects.get(pk=entry["r"])
        assert record.recorded_at.minute > max(noes)
    if entry:
        newest = max(minute for _, minute, proven in lines)
        assert rules.moment_of(entry) <= datetime.fromisoformat(at(newest)).timestamp() * 1000 + 1


_LINES_SEEN: list[None] = []
