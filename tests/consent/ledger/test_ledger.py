"""Saving choices: what is allowed, what is refused, and what a save costs."""

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEvent
from consent.ledger import verification
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref

pytestmark = pytest.mark.django_db


def _state(api, person, purpose="recommendations"):
    answer = api.post("/api/v1/consents/state", {"subject": {"id": person}})
    return answer.json()["purposes"][purpose]["state"]


@pytest.mark.parametrize(("choice", "state"), [("give", "given"), ("refuse", "refused")])
def test_a_first_answer_is_recorded(api, choice, state):
    answer = api.save("customer-1", choice)

    assert answer.status_code == 201
    assert answer.json()["subject_revision"] == 1
    assert _state(api, "customer-1") == state


def test_withdrawal_supersedes_the_record_given(api):
    given = api.save("customer-1", "give").json()["records"][0]

    withdrawn = api.save("customer-1", "withdraw").json()["records"][0]

    assert withdrawn["supersedes"] == given["id"]
    assert _state(api, "customer-1") == "withdrawn"


def test_there_is_nothing_to_withdraw_without_consent(api):
    api.save("customer-1", "refuse")

    answer = api.save("customer-1", "withdraw")

    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "nothing_to_withdraw"
    assert _state(api, "customer-1") == "refused"


def test_refusing_what_was_given_is_a_withdrawal(api):
    api.save("customer-1", "give")

    assert api.save("customer-1", "refuse").json()["records"][0]["state"] == "withdrawn"


def test_nobody_known_has_been_asked_anything(api):
    answer = api.post("/api/v1/consents/state", {"subject": {"id": "stranger"}}).json()

    assert answer["known"] is False
    assert answer["purposes"]["recommendations"]["state"] == "never_asked"
    assert answer["purposes"]["order_fulfilment"]["state"] == "not_required"


def test_the_history_lists_every_choice_newest_first(api):
    for choice in ("give", "withdraw", "give"):
        api.save("customer-1", choice)

    records = api.post("/api/v1/consents/history", {"subject": {"id": "customer-1"}}).json()["records"]

    assert [record["state"] for record in records] == ["given", "withdrawn", "given"]


def test_an_objection_is_for_legitimate_interests_only(api):
    assert api.save("customer-1", "object", "usage_statistics").status_code == 201
    assert api.save("customer-1", "object", "recommendations").json()["code"] == "cannot_object"
    assert api.save("customer-1", "give", "order_fulfilment").json()["code"] == "consent_not_asked"


def test_an_objection_can_be_lifted(api):
    api.save("customer-1", "object", "usage_statistics")
    assert _state(api, "customer-1", "usage_statistics") == "objected"

    api.save("customer-1", "give", "usage_statistics")

    assert _state(api, "customer-1", "usage_statistics") == "not_required"


def test_the_choice_a_person_did_not_see_is_not_overwritten(api):
    seen = api.save("customer-1", "give").json()["records"][0]["id"]
    api.save("customer-1", "withdraw", supersedes=seen)

    late = api.save("customer-1", "give", supersedes=seen)

    assert late.status_code == 409
    assert late.json()["code"] == "superseded"
    assert _state(api, "customer-1") == "withdrawn"


def test_the_same_key_gets_the_same_answer_and_writes_once(api):
    key = {"headers": {"Idempotency-Key": "order-17"}}
    first = api.save("customer-1", "give", **key)

    second = api.save("customer-1", "give", **key)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert ConsentRecord.objects.count() == 1


def test_a_key_is_not_lent_to_another_request(api):
    key = {"headers": {"Idempotency-Key": "order-17"}}
    api.save("customer-1", "give", **key)

    other = api.save("customer-2", "give", **key)

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert not DataSubject.objects.filter(ref=subject_ref("customer-2")).exists()


@pytest.mark.parametrize(
    "more",
    [
        {"source": "phone"},
        {"asked": {"signals": {"gpc": True}}},
        {"asked": {"layout_sha256": "ab" * 32}},
        {"asked": {"locale": "de"}},
        {"asked": {"interface": "app"}},
        {"asked": {"order": ["give", "refuse"]}},
        {"guardian": {"id": "parent-1", "method": "id_card", "adult_on": "2040-01-01"}},
        {"choices": [{"purpose": "recommendations", "choice": "give", "supersedes": None}]},
        {"choices": [{"purpose": "recommendations", "choice": "give", "told_of_conflict": True}]},
    ],
)
def test_a_key_is_not_lent_to_other_content(api, more):
    key = {"Idempotency-Key": "order-17"}
    body = {"subject": {"id": "customer-1"}, "choices": [{"purpose": "recommendations", "choice": "give"}]}
    assert api.post("/api/v1/consents", body, **key).status_code == 201

    other = api.post("/api/v1/consents", {**body, **more}, **key)

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert api.post("/api/v1/consents", body, **key).status_code == 200


def test_a_repeated_key_does_not_bring_a_withdrawn_consent_back(api):
    key = {"headers": {"Idempotency-Key": "order-17"}}
    api.save("customer-1", "give", **key)
    api.save("customer-1", "withdraw")

    api.save("customer-1", "give", **key)

    assert _state(api, "customer-1") == "withdrawn"


def test_a_save_is_at_most_four_statements(api, sql):
    api.save("customer-1", "give")
    sql.clear()

    api.save("customer-1", "withdraw")

    saved = [statement for statement in sql if "privacy_" not in statement and "SAVEPOINT" not in statement]
    assert len([s for s in saved if "consent_" in s or "credential" in s]) <= 4, sql


def test_every_record_has_its_audit_event(api):
    record = api.save("customer-1", "give").json()["records"][0]

    event = AuditEvent.objects.get(action="consent.given")

    assert event.object == str(subject_ref("customer-1"))
    assert event.details["digest"] == record["digest"]


def test_the_businesss_own_id_is_stored_nowhere(api):
    api.save("very-recognisable-id-4711", "give")

    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%very-recognisable%'")
            assert cursor.fetchone()[0] == 0, table


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_consentrecord SET state = 'given'",
        "DELETE FROM consent_consentrecord",
        "UPDATE consent_notice SET text = 'something else'",
    ],
)
def test_the_database_refuses_to_change_the_ledger(api, statement):
    api.save("customer-1", "refuse")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE consent_consentrecord SET state = 'given' WHERE state = 'refused'", "was changed"),
        ("DELETE FROM consent_consentrecord WHERE subject_revision = 1", "does not continue"),
        (
            "UPDATE consent_datasubject SET consents = jsonb_set(consents, '{recommendations,s}', '\"given\"')",
            "the current state says something else",
        ),
    ],
)
def test_verification_names_what_was_tampered_with(api, as_attacker, statement, finding):
    api.save("customer-1", "give")
    api.save("customer-1", "refuse")
    api.save("customer-1", "refuse")
    assert verification.verify_ledger().ok

    as_attacker(statement)

    assert finding in verification.verify_ledger().broken
