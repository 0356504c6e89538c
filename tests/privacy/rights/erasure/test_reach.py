"""From its commit on an erasure counts at every door, until the person agrees anew."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from consent.ledger import ledger, opt_outs, sealed_people
from consent.ledger.persons.erasing import ERASED
from consent.models import ConsentRecord, DataSubject
from consent.problems import SubjectErased
from personalization.models import Event, Item
from tests.consent.importing.conftest import report, take, write  # noqa: F401 (fixtures)
from tests.helpers.import_rows import PROVEN, row
from tests.helpers.wsgi_calls import question
from tests.privacy.rights.erasure.conftest import PERSON, REF, decided, erased

pytestmark = pytest.mark.django_db
USES = {"recommendations": "personalize", "order_fulfilment": "collect", "usage_statistics": "collect"}


def ask(purpose: str, action: str) -> dict[str, Any]:
    kind = "views" if purpose == "usage_statistics" else "purchases"
    return question(
        PERSON,
        action={"name": action, "properties": {"purpose": purpose}},
        resource={"type": "personalization", "id": "x", "properties": {"data_categories": [kind]}},
    )


@pytest.mark.parametrize("purpose", USES)
def test_the_erased_are_unknown_on_every_legal_basis(known: UUID, api: Any, purpose: str) -> None:
    body = ask(purpose, USES[purpose])
    assert [api.evaluate(body)[1]["decision"] for _ in range(2)] == [True, True]  # the second from memory

    erased()

    answer = api.evaluate(body)[1]
    assert answer["decision"] is False
    assert answer["context"]["reasons"][0]["code"] == "subject_unknown"
    assert decided(purpose=purpose, action=USES[purpose])[0] == "subject_unknown"


def test_several_questions_at_once_and_the_state_say_the_same(known: UUID, api: Any) -> None:
    erased()

    batch = api.post("/access/v1/evaluations", {"evaluations": [ask("order_fulfilment", "collect"), ask("x", "y")]})
    assert batch.json()["evaluations"][0]["decision"] is False
    assert "subject_unknown" in str(batch.json()["evaluations"][0])
    state = api.post("/api/v1/consents/state", {"subject": {"id": PERSON}}).json()
    assert (state["known"], state["opted_out_by_signal"]) == (False, False)
    assert state["purposes"]["recommendations"]["state"] == "never_asked"


def test_no_event_is_stored_and_nothing_personal_recommended(known: UUID, api: Any) -> None:
    Item.objects.get_or_create(slug="kettle", defaults={"title": "Kettle"})
    erased()

    moment = datetime.now(UTC).isoformat()
    event = {
        "event_id": "e-1", "subject": {"id": PERSON}, "purpose": "usage_statistics", "type": "view", "item": "kettle",
        "occurred_at": moment,
    }  # fmt: skip
    sent = api.post("/api/v1/events", event)
    assert sent.json()["stored"] is False
    assert not Event.objects.exists()
    served = api.post("/api/v1/recommendations", {"subject": {"id": PERSON}}).json()
    assert (served["level"], served["reasons"][0]["code"]) == ("none", "subject_unknown")


@pytest.mark.parametrize(
    ("choice", "more"),
    [("give", {}), ("refuse", {}), ("give", {"asked": {"interface": "web@3"}}), ("object", {})],
)
def test_the_api_takes_nothing_in_without_a_proven_yes(known: UUID, api: Any, choice: str, more: Any) -> None:
    erased()
    purpose = "usage_statistics" if choice == "object" else "recommendations"
    body = {"subject": {"id": PERSON, "region": "DE"}, "choices": [{"purpose": purpose, "choice": choice}], **more}

    answer = api.post("/api/v1/consents", body)

    assert (answer.status_code, answer.json()["code"]) == (409, "subject_erased")
    assert "names the notice" in answer.json()["detail"]
    assert DataSubject.objects.get(ref=known).is_erased


def test_a_proven_yes_begins_anew_behind_the_old_chain(known: UUID, api: Any) -> None:
    erased()
    end = ConsentRecord.objects.get(subject_id=known, source="erasure", purpose_id="recommendations")

    answer = api.save(PERSON, "give", notice_version=1)

    assert answer.status_code == 201, answer.json()
    record = ConsentRecord.objects.get(pk=answer.json()["records"][0]["id"])
    assert record.supersedes_id == end.pk
    assert not DataSubject.objects.get(ref=known).is_erased
    assert decided() == []
    # What came before stays where it was: another purpose goes on behind its own end.
    later = api.save(PERSON, "refuse", "newsletter")
    assert later.status_code == 201, later.json()


def test_the_person_themselves_may_choose_anew(known: UUID, choose: Any) -> None:
    erased()
    with pytest.raises(SubjectErased):
        choose(PERSON, "refuse")

    choose(PERSON, "refuse", actor="subject")

    assert DataSubject.objects.get(ref=known).consents["recommendations"]["s"] == "refused"


def test_an_import_remembers_the_erased(known: UUID, take: Any, report: Any) -> None:  # noqa: F811
    erased()
    later = (datetime.now(UTC) + timedelta(milliseconds=1)).isoformat()

    take(
        row(PERSON, **PROVEN),  # of before the erasure
        row(PERSON, "refuse", recorded_at=later),
        row(PERSON, recorded_at=later),  # unproven
        row("customer-2"),
    )
    assert report() == [(1, "subject_erased"), (2, "subject_erased"), (3, "subject_erased")]
    assert DataSubject.objects.get(ref=known).is_erased

    take(row(PERSON, recorded_at=later, **PROVEN), row(PERSON, purpose="newsletter", **PROVEN), name="second.jsonl")
    assert report() == [(2, "subject_erased")]
    assert DataSubject.objects.get(ref=known).consents["recommendations"]["s"] == "given"


def test_a_choice_that_was_on_its_way_finds_the_person_erased(known: UUID, choose: Any, monkeypatch: Any) -> None:
    read = ledger._read

    def read_then_erased(request: Any) -> Any:
        found = read(request)
        monkeypatch.setattr(ledger, "_read", read)
        erased()
        return found

    monkeypatch.setattr(ledger, "_read", read_then_erased)

    with pytest.raises(SubjectErased):
        choose(PERSON, "give")
    assert DataSubject.objects.get(ref=known).is_erased


def test_a_signal_of_before_is_forgotten_and_one_of_after_is_not(known: UUID) -> None:
    opt_outs.opt_out(REF, actor="subject")
    erased()
    assert (DataSubject.objects.get(ref=known).gpc_since, sealed_people.broken()) == (None, None)

    opt_outs.opt_out(REF, actor="subject")
    assert sealed_people.broken() is None
    assert ERASED == sealed_people.ERASED


def test_sessions_and_links_end_with_the_commit(known: UUID, visitor: Any) -> None:
    assert visitor.browser.get("/privacy/").status_code == 200

    erased(visitor.ref)

    assert visitor.browser.get("/privacy/").status_code == 403


def test_services_read_no_history_and_no_receipt_of_before(known: UUID, api: Any) -> None:
    subject = {"subject": {"id": PERSON}}
    assert api.post("/api/v1/consents/history", subject).json()["records"]
    assert api.post("/api/v1/consents/receipts", {**subject, "subject_revision": 1}).status_code == 200

    erased()

    assert api.post("/api/v1/consents/history", subject).json() == {"records": []}
    for body in (subject, {**subject, "subject_revision": 1}):
        answer = api.post("/api/v1/consents/receipts", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "receipt_unknown")
    api.save(PERSON, "give", notice_version=1)
    assert len(api.post("/api/v1/consents/history", subject).json()["records"]) == 1
    assert api.post("/api/v1/consents/receipts", subject).status_code == 200
