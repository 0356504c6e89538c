"""A correction that protects more is done at once; one that protects less, or has no field, is an officer's."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from audit.models import AuditEvent
from consent.ledger import sealed_people
from consent.ledger.persons import correcting
from consent.models import DataSubject
from consent.problems import OtherCell
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.requests import fulfilling, requests, statements
from privacy.rights.requests.statements import Said
from privacy.rights.requests.states import Move, State
from tests.privacy.rights.erasure.conftest import PERSON, REF, choose, erased, home, remember  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(choose: Any) -> UUID:  # noqa: F811
    choose(PERSON, "give", age_band="unknown")
    return REF


def asked(ref: UUID = REF, words: str = "", **correction: str) -> RightsRequest:
    opening = requests.Opening(
        right=Right.RECTIFICATION, subject_ref=ref, region="DE", door="api", actor="service:shop", is_identified=True,
        said=Said(words, correction),
    )  # fmt: skip
    return fulfilling.run(requests.open_request(opening).request.pk)


@pytest.mark.parametrize("correction", [{"region": "FR"}, {"age_band": "child"}, {"region": "FR", "age_band": "minor"}])
def test_what_protects_more_is_corrected_at_once(known: UUID, correction: dict[str, str]) -> None:
    request = asked(**correction)

    assert request.state == State.DONE
    row = DataSubject.objects.get(ref=known)
    assert {item: getattr(row, item) for item in correction} == correction
    event = AuditEvent.objects.get(action=correcting.CORRECTED, object=str(known))
    assert event.details["before"] == {"region": "DE", "age_band": "unknown"}
    assert event.details["request"] == str(request.pk)
    assert sealed_people.broken() is None


def test_what_protects_less_waits_for_an_officer(known: UUID) -> None:
    DataSubject.objects.filter(ref=known).update(age_band="child")
    request = asked(age_band="adult")
    assert request.state == State.ACCEPTED
    assert DataSubject.objects.get(ref=known).age_band == "child"
    fulfilling.sweep()
    request.refresh_from_db()
    assert request.state == State.ACCEPTED

    requests.move(request.pk, Move.START, actor="officer:anna")
    done = fulfilling.run(request.pk, actor="officer:anna")

    assert (done.state, DataSubject.objects.get(ref=known).age_band) == (State.DONE, "adult")


def test_a_correction_in_words_is_decided_in_words(known: UUID) -> None:
    request = asked(words="My guardian is another person.")
    assert request.state == State.ACCEPTED
    assert fulfilling.run(request.pk, actor="officer:anna").state == State.ACCEPTED

    requests.move(request.pk, Move.START, actor="officer:anna")
    done = fulfilling.verify_by_officer(request.pk, actor="officer:anna", decision="The consent is withdrawn.")

    assert done.state == State.DONE


def test_an_officer_cannot_end_a_correction_that_was_not_made(known: UUID) -> None:
    DataSubject.objects.filter(ref=known).update(age_band="child")
    request = asked(age_band="adult")
    requests.move(request.pk, Move.START, actor="officer:anna")

    left = fulfilling.verify_by_officer(request.pk, actor="officer:anna", decision="Done.")

    assert (left.state, left.steps.last().reason) == (State.IN_PROGRESS, "Missing: age_band.")


def test_a_region_of_another_cell_is_left_to_an_officer(known: UUID, monkeypatch: Any) -> None:
    def refuse(_region: str, *, known: bool) -> None:
        raise OtherCell("It belongs to another cell.")

    monkeypatch.setattr(correcting.residence, "check", refuse)

    request = asked(region="FR")

    assert (request.state, DataSubject.objects.get(ref=known).region) == (State.IN_PROGRESS, "DE")


def test_nothing_is_corrected_about_the_unknown_and_the_erased(known: UUID, home: Any) -> None:  # noqa: F811
    assert asked(uuid4(), region="FR").state == State.ACCEPTED
    erased()

    assert asked(region="FR").state == State.ACCEPTED
    assert DataSubject.objects.get(ref=known).region == ""
    assert not AuditEvent.objects.filter(action=correcting.CORRECTED).exists()


def test_what_was_asked_is_sealed_and_ends_with_the_request(known: UUID) -> None:
    DataSubject.objects.filter(ref=known).update(age_band="child")
    request = asked(age_band="adult")
    assert b"adult" not in bytes(request.statement or b"")
    assert statements.unseal(request.statement, request.statement_salt).correction == {"age_band": "adult"}

    refused = requests.move(request.pk, Move.REFUSE, actor="officer:anna", reason="The school says otherwise.")

    assert statements.unseal(refused.statement, refused.statement_salt) == statements.NOTHING


def test_words_of_an_older_release_are_still_read() -> None:
    salt = b"0" * 16
    sealed = statements._box(salt, statements.settings.SECRET_KEY).encrypt(b"My words.")

    assert statements.unseal(sealed, salt) == Said("My words.")
