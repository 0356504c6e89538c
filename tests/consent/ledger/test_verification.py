"""Verifying the ledger: whole saves, every purpose of the current state, and page by page."""

import json
import threading

import pytest
from django.db import connection

from consent.ledger import verification
from consent.models import ConsentRecord, NoticeTerms
from consent.pseudonyms import subject_ref

pytestmark = pytest.mark.django_db

PURPOSES = ["recommendations", "newsletter", "personalization"]


def _save_all(api, person, choice="give"):
    return api.post(
        "/api/v1/consents",
        {"subject": {"id": person}, "choices": [{"purpose": purpose, "choice": choice} for purpose in PURPOSES]},
    )


def test_an_empty_ledger_verifies():
    assert verification.verify_ledger() == verification.LedgerVerdict(0, 0, None)


def test_saves_of_several_choices_verify(api):
    for number in range(20):
        assert _save_all(api, f"customer-{number}").status_code == 201
        _save_all(api, f"customer-{number}", "refuse")

    verdict = verification.verify_ledger()

    assert (verdict.subjects, verdict.records, verdict.broken) == (20, 120, None)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("{recommendations,s}", "given"),
        ("{newsletter,x}", None),
        ("{recommendations,n}", 9),
        ("{recommendations,e}", True),
        ("{newsletter,x}", 99999999999),
        ("{usage_statistics}", {"s": "given", "n": 1, "x": None, "e": False, "r": "", "t": 0, "src": "api"}),
    ],
)
def test_a_current_state_that_no_record_says_is_found_for_every_purpose(api, as_attacker, path, value):
    api.save("customer-1", "give")
    api.save("customer-1", "refuse")
    api.save("customer-1", "give", "newsletter")  # the last record is about another purpose
    before = verification.verify_ledger()

    as_attacker(f"UPDATE consent_datasubject SET consents = jsonb_set(consents, '{path}', '{json.dumps(value)}')")

    assert before.ok
    assert "current state" in verification.verify_ledger().broken


def test_an_answer_missing_from_the_current_state_is_found(api, as_attacker):
    api.save("customer-1", "refuse")
    api.save("customer-1", "give", "newsletter")

    as_attacker("UPDATE consent_datasubject SET consents = consents - 'recommendations'")

    assert "current state" in verification.verify_ledger().broken


def test_a_person_with_a_state_but_no_record_is_found(api, as_attacker):
    api.save("customer-1", "give")

    as_attacker(
        "INSERT INTO consent_datasubject SELECT '00000000-0000-0000-0000-000000000001', region, age_band, revision, "
        "consents, restricted, held, last_digest, created_at, updated_at FROM consent_datasubject"
    )

    assert "no record" in verification.verify_ledger().broken


def test_a_record_the_trail_does_not_tell_of_is_found(api, as_attacker):
    api.save("customer-1", "give")

    as_attacker("DELETE FROM audit_auditevent WHERE action = 'consent.given'")

    assert "no event in the audit trail" in verification.verify_ledger().broken


def test_a_record_given_to_another_person_is_found(api, as_attacker):
    for person in ("customer-1", "customer-2"):
        api.save(person, "give")

    as_attacker(
        f"UPDATE consent_consentrecord SET purpose = 'newsletter', subject_id = '{subject_ref('customer-2')}' "
        f"WHERE subject_id = '{subject_ref('customer-1')}'"
    )

    assert not verification.verify_ledger().ok


def test_the_ledger_is_read_in_pages(api, monkeypatch, sql):
    for number in range(12):
        api.save(f"customer-{number}", "give")
    monkeypatch.setattr(verification, "_PAGE", 5)
    sql.clear()

    verdict = verification.verify_ledger()

    assert (verdict.ok, verdict.subjects) == (True, 12)
    # People are looked up by the page, not one by one.
    assert len([statement for statement in sql if 'FROM "consent_datasubject"' in statement]) <= 4


def test_what_is_broken_first_is_named_and_the_rest_not_read(api, as_attacker):
    for number in range(3):
        api.save(f"customer-{number}", "give")
    first = ConsentRecord.objects.order_by("subject_id").first()

    as_attacker("UPDATE consent_consentrecord SET state = 'refused'")

    assert verification.verify_ledger() == verification.LedgerVerdict(0, 0, f"consent record {first.id} was changed")


@pytest.mark.django_db(transaction=True)
def test_a_choice_made_meanwhile_breaks_nothing(api, monkeypatch):
    for number in range(3):
        api.save(f"customer-{number}", "give")
    check = verification._broken_chain

    def somebody_chooses():
        try:
            api.save("customer-0", "withdraw")
            api.save("customer-9", "give")
        finally:
            connection.close()

    def checked_while(links):
        person = threading.Thread(target=somebody_chooses)
        person.start()
        person.join(timeout=300)
        return check(links)

    with monkeypatch.context() as patched:
        patched.setattr(verification, "_broken_chain", checked_while)
        meanwhile = verification.verify_ledger()

    assert (meanwhile.broken, meanwhile.records) == (None, 3)
    assert verification.verify_ledger().ok


def test_a_record_names_the_terms_of_its_version(api):
    api.save("customer-1", "give")
    record = ConsentRecord.objects.get()

    assert record.proof["terms"]["sha256"] == NoticeTerms.objects.get(purpose="recommendations", version=1).sha256


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [("content", "{}", "were changed"), ("sha256", "0", "were changed"), ("version", "7", "names other terms")],
)
def test_terms_that_were_changed_are_found(api, as_attacker, column, value, found):
    api.save("customer-1", "give")
    before = verification.verify_ledger()

    as_attacker(
        f"UPDATE consent_noticeterms SET {column} = '{value}' WHERE purpose = 'recommendations' AND version = 1"
    )

    assert before.ok
    assert found in verification.verify_ledger().broken
