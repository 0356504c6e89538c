"""Proof of consent ends: people are redacted, everything still verifies, and an edit by hand is found."""

import hashlib
import json
import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import trail
from audit.commitments import commitments, record_digest
from audit.jws import NotGenuine
from audit.log import export
from audit.log.filters import Filter
from audit.log.verifying import verify_export
from audit.models import AuditEvent
from consent.ledger import verification
from consent.ledger.persons import erasing
from consent.ledger.verification import fields_of
from consent.models import ConsentRecord, DataSubject, Purpose
from consent.pseudonyms import subject_ref
from consent.receipts import evidence, issuing
from consent.receipts.manifest import _check_chain, verify_evidence
from consent.receipts.verifying import verify_file
from governance.evidence import checks
from privacy.erasures import ledger, replaying
from privacy.models import Disposal
from privacy.redaction import old_proof
from privacy.rights.models import Letter, Requester, RightsRequest
from privacy.rights.requesters import asking, requester
from tests.helpers.holds import Register, hold, restriction
from tests.helpers.old_choices import save

pytestmark = pytest.mark.django_db
ANN, BOB = subject_ref("ann"), subject_ref("bob")


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.ASSENT_HOME = tmp_path
    return tmp_path


@pytest.fixture
def long_ago():
    return timezone.now() - timedelta(days=3700)


@pytest.fixture
def people(api, long_ago):
    """Ann chose long ago and ended it; Bob chose long ago and once more lately."""
    for person in ("ann", "bob"):
        save(api, long_ago, person, "give")
        save(api, long_ago + timedelta(days=1), person, "refuse")
        save(api, long_ago + timedelta(days=1), person, "refuse", "newsletter")
    assert api.save("bob", "give").status_code == 201
    Disposal.objects.update(status="done")
    trail.anchor()
    return api


def _as_format_1(as_attacker):
    """Write the records as a release before format 2 did, chained and sealed in the trail anew."""
    for ref in (ANN, BOB):
        previous = None
        for record in ConsentRecord.objects.filter(subject_id=ref).order_by("subject_revision", "id"):
            record.salt, record.previous_digest = None, previous
            before, previous = bytes(record.digest), record_digest(fields_of(record))
            as_attacker(
                f"UPDATE consent_consentrecord SET salt = NULL, digest = '\\x{previous.hex()}', previous_digest ="
                f" {_bytea(record.previous_digest)} WHERE id = '{record.pk}'"
            )
            for event in AuditEvent.objects.filter(details__digest=before.hex()):
                event.details = {**event.details, "digest": previous.hex()}
                as_attacker(
                    f"UPDATE audit_auditevent SET details = '{json.dumps(event.details)}',"
                    f" digest = '\\x{trail.event_digest(event).hex()}' WHERE position = {event.position}"
                )
        as_attacker(f"UPDATE consent_datasubject SET last_digest = {_bytea(previous)} WHERE ref = '{ref}'")
    as_attacker("DELETE FROM audit_auditanchor")
    trail.anchor()


def _bytea(value):
    return f"'\\x{value.hex()}'" if value else "NULL"


@pytest.fixture(params=["format 1", "format 2"])
def either(request, people, as_attacker):
    if request.param == "format 1":
        _as_format_1(as_attacker)
    assert _broken() == []
    return request.param


def _broken():
    found = [trail.verify().broken, verification.verify_ledger().broken, *checks.besides().values()]
    return [each for each in found if each]


def _all_text():
    """Return every row of records, trail, people and runs as text."""
    with connection.cursor() as cursor:
        found = []
        for table in ("consent_consentrecord", "audit_auditevent", "consent_datasubject", "privacy_disposal"):
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            found += [text for (text,) in cursor]
    return "\n".join(found)


def test_a_person_whose_proof_is_over_is_redacted_and_all_verifies(either):
    ids = [str(pk) for pk in ConsentRecord.objects.filter(subject_id=ANN).values_list("pk", flat=True)]
    digests = set(map(bytes, ConsentRecord.objects.values_list("digest", flat=True)))

    assert old_proof.run() == 1
    assert old_proof.run(now=timezone.now() + timedelta(days=2)) == 0

    assert _broken() == []
    text = _all_text()
    assert str(ANN) not in text
    assert str(BOB) in text
    assert any(each in text for each in ids) is (either == "format 2")
    assert set(map(bytes, ConsentRecord.objects.values_list("digest", flat=True))) == digests
    redacted = ConsentRecord.objects.filter(redacted_by__isnull=False)
    assert {(record.proof == {}, record.salt) for record in redacted} == {(True, None)}
    assert {record.commitments is None for record in redacted} == {either == "format 1"}
    [event] = AuditEvent.objects.filter(action="evidence.redacted")
    assert (event.details["records"], event.details["ground"]) == (3, "retention")
    trail.anchor()
    assert checks.check(actor="test", full=True)
    assert checks.check(actor="test")


def test_chains_of_both_formats_go_on(people, as_attacker):
    _as_format_1(as_attacker)

    assert people.save("bob", "refuse").status_code == 201

    records = ConsentRecord.objects.filter(subject_id=BOB).order_by("subject_revision")
    assert [record.salt is None for record in records] == [True] * 4 + [False]
    assert _broken() == []


_BY = "redacted_by = (SELECT code FROM audit_auditevent WHERE action = 'evidence.redacted')"
_ONE_OF_BOB = f"subject_id = '{BOB}' AND purpose = 'newsletter'"
_TAMPERING = {
    "a record is marked as redacted": (
        f"UPDATE consent_consentrecord SET proof = '{{}}', salt = NULL, {_BY} WHERE {_ONE_OF_BOB}",
        "the records that redaction",
    ),
    "a record is marked under no redaction": (
        f"UPDATE consent_consentrecord SET salt = NULL, redacted_by = '{uuid.uuid4()}' WHERE {_ONE_OF_BOB}",
        "which no event of the audit trail lists",
    ),
    "an event is marked as redacted": (
        f"UPDATE audit_auditevent SET actor = 'x', {_BY} WHERE object = '{BOB}'",
        "the events that redaction",
    ),
    "the event of the redaction is taken away": (
        "DELETE FROM audit_auditevent WHERE action = 'evidence.redacted'",
        "which no event of the audit trail lists",
    ),
    "the event of the redaction lists another number": (
        (
            "UPDATE audit_auditevent SET details = jsonb_set(details, '{records_root}', '\"00\"')"
            " WHERE action = 'evidence.redacted'"
        ),
        "evidence.redacted) was changed",
    ),
    "a redacted record is taken away": (
        "DELETE FROM consent_consentrecord WHERE redacted_by IS NOT NULL AND purpose = 'newsletter'",
        "is not the one the ledger ends in",
    ),
    "a digest of a redacted record": (
        (
            "UPDATE consent_consentrecord SET digest = sha256('x')"
            " WHERE redacted_by IS NOT NULL AND purpose = 'newsletter'"
        ),
        "consent record",
    ),
    "a digest of a redacted event": (
        "UPDATE audit_auditevent SET digest = sha256('x') WHERE redacted_by IS NOT NULL AND action = 'consent.given'",
        "are not the ones it sealed",
    ),
    "a commitment": (
        "UPDATE consent_consentrecord SET commitments = sha256('x') || sha256('x') WHERE redacted_by IS NOT NULL",
        "was changed",
    ),
    "a column that redaction leaves": (
        "UPDATE consent_consentrecord SET state = 'given' WHERE redacted_by IS NOT NULL AND purpose = 'newsletter'",
        "was changed",
    ),
}


@pytest.mark.parametrize(("statement", "finding"), _TAMPERING.values(), ids=_TAMPERING)
def test_the_same_edit_by_hand_is_found(people, as_attacker, statement, finding):
    old_proof.run()

    as_attacker(statement)

    assert any(finding in each for each in _broken()), _broken()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_consentrecord SET proof = '{}'",
        "UPDATE consent_consentrecord SET redacted_by = gen_random_uuid(), proof = '{}', salt = NULL",
        "UPDATE consent_consentrecord SET redacted_by = NULL WHERE redacted_by IS NOT NULL",
        "UPDATE audit_auditevent SET object = 'x', redacted_by = gen_random_uuid()",
        "UPDATE /* PL/pgSQL function assent_redact( */ audit_auditevent SET redacted_by = gen_random_uuid()",
        "DELETE FROM consent_consentrecord",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
    ],
)
def test_the_database_refuses_every_other_edit(people, statement):
    old_proof.run()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_one_function_redacts_no_row_twice(people):
    old_proof.run()
    record = ConsentRecord.objects.filter(redacted_by__isnull=False)[0]
    again = json.dumps([{"id": str(record.pk), "new_id": str(record.pk)}])

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT assent_redact(%s, '[]', %s, %s)", [again, record.subject_id, uuid.uuid4()])


def test_the_one_function_redacts_no_event_that_is_about_no_person(people):
    trail.record("changes.applied_in_emergency", "changes 7", actor="officer:anna")
    position = AuditEvent.objects.get(object="changes 7").position
    hidden = json.dumps([{"position": position, "code": str(uuid.uuid4()), "details": {}}])

    with pytest.raises(DatabaseError, match="only events about"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT assent_redact('[]', %s, %s, %s)", [hidden, uuid.uuid4(), uuid.uuid4()])

    assert AuditEvent.objects.get(position=position).object == "changes 7"


def _permission(api, long_ago):
    save(api, long_ago, "cara", "give", "newsletter")
    # Consents lapse; one that does not is in force for ever.
    person = DataSubject.objects.get(pk=subject_ref("cara"))
    person.consents["newsletter"]["x"] = None
    DataSubject.objects.filter(pk=person.pk).update(consents=person.consents)


def test_people_with_a_permission_in_force_stay(api, long_ago):
    _permission(api, long_ago)

    assert old_proof.run() == 0


@pytest.mark.parametrize("placed", [hold(people=[str(ANN)]), restriction(people=[str(ANN)])], ids=lambda p: p.key)
def test_people_under_a_hold_stay(people, placed):
    Register().place(placed)

    assert old_proof.run() == 0
    assert ConsentRecord.objects.filter(subject_id=ANN).count() == 3


@pytest.mark.parametrize(("status", "redacted"), [("queued", 0), ("running", 0), ("paused", 0), ("done", 1)])
def test_people_whose_data_is_being_deleted_stay(people, status, redacted):
    purpose = Purpose.objects.get(slug="recommendations")
    Disposal.objects.create(reason="withdrawal", purpose=purpose, subject_ref=ANN, before=timezone.now(), status=status)

    assert old_proof.run() == redacted
    assert Disposal.objects.filter(subject_ref=ANN).exists() is not bool(redacted)


@pytest.mark.parametrize(("closed", "redacted"), [(False, 0), (True, 1)])
def test_people_with_an_open_request_stay(people, closed, redacted):
    now = timezone.now()
    RightsRequest.objects.create(
        right="access", subject_ref=ANN, law="gdpr", door="api", opened_by="service:shop", received_on=now.date(),
        closed_at=now if closed else None, state="withdrawn" if closed else "received",
    )  # fmt: skip

    assert old_proof.run() == redacted
    assert RightsRequest.objects.filter(subject_ref=ANN).exists() is not bool(redacted)


def test_who_asked_is_not_recognised_after_a_redaction(people):
    now = timezone.now()
    request = RightsRequest.objects.create(
        right="access", subject_ref=ANN, law="gdpr", door="form", opened_by="subject", received_on=now.date(),
        closed_at=now, state="done", verified_at=now,
    )  # fmt: skip
    Requester.objects.create(request=request, locale="en", address_tag=requester.tag("ann@example.org"))

    old_proof.run()

    assert Requester.objects.get().address_tag is None
    asking.send_code(request, "ann@example.org")
    assert not Letter.objects.exists()


def test_within_the_period_nothing_is_redacted(api):
    save(api, timezone.now() - timedelta(days=3600), "ann", "give")
    save(api, timezone.now() - timedelta(days=3599), "ann", "refuse")

    assert old_proof.run() == 0


def test_a_person_who_comes_back_begins_a_chain_of_their_own(people):
    old_proof.run()

    assert people.save("ann", "give").status_code == 201

    assert _broken() == []
    assert old_proof.run(now=timezone.now() + timedelta(days=2)) == 0
    assert DataSubject.objects.get(pk=ANN).consents["recommendations"]["s"] == "given"


def test_blank_rows_go_after_a_day(people):
    old_proof.run()
    assert DataSubject.objects.filter(pk=ANN).exists()

    old_proof.run(now=timezone.now() + timedelta(days=2))

    assert not DataSubject.objects.filter(pk=ANN).exists()
    assert _broken() == []


def test_receipts_and_evidence_of_both_formats_verify(either, people):
    receipts = [json.dumps(issuing.issue(ANN, revision)).encode() for revision in (1, 3)]
    file = evidence.build(ANN, actor="test")

    old_proof.run()

    assert [verify_file(receipt).key_is_trusted for receipt in receipts] == [False, False]
    assert verify_evidence(file)


def test_an_evidence_file_with_a_record_that_hides_its_person_is_refused(people):
    fields = fields_of(ConsentRecord.objects.filter(subject_id=BOB).order_by("subject_revision")[0])
    made = {"commitments": commitments(fields), **fields}
    hidden = {name: value for name, value in made.items() if name not in ("salt", "proof")}
    record = {**hidden, "digest": record_digest(fields).hex()}

    with pytest.raises(NotGenuine, match="does not match its digest"):
        _check_chain([record], str(BOB))


def test_an_export_of_the_trail_with_redacted_events_verifies(people):
    old_proof.run()

    content = b"".join(export.write("jsonl", Filter(), actor="test"))

    assert verify_export(content).sealed_events > 6


def test_a_restored_backup_is_redacted_again(people):
    with transaction.atomic():
        old_proof.run()
        assert [line["kind"] for line in ledger.read()] == ["redaction"]
        transaction.set_rollback(True)
    assert ConsentRecord.objects.filter(subject_id=ANN).count() == 3

    replaying.replay(actor="test")
    replaying.replay(actor="test")

    assert not ConsentRecord.objects.filter(subject_id=ANN).exists()
    assert AuditEvent.objects.filter(action="evidence.redacted").count() == 1
    assert _broken() == []


def test_a_digest_of_format_2_covers_person_and_proof_by_their_salt(people):
    record = ConsentRecord.objects.filter(subject_id=ANN)[0]
    fields = fields_of(record)

    made = commitments(fields)

    salt, proof = bytes.fromhex(fields["salt"]), json.dumps(fields["proof"], sort_keys=True, separators=(",", ":"))
    assert made["who"] == hashlib.sha256(salt + b"who" + str(ANN).encode()).hexdigest()
    assert made["how"] == hashlib.sha256(salt + b"how" + proof.encode()).hexdigest()
    for name, other in (("subject", str(BOB)), ("proof", {}), ("salt", "00" * 16), ("state", "given")):
        assert record_digest({**fields, name: other}) != bytes(record.digest)
    hidden = {name: value for name, value in fields.items() if name not in ("salt", "subject", "proof")}
    assert record_digest({**hidden, "commitments": made}) == bytes(record.digest)


def test_verify_counts_what_was_redacted(people):
    old_proof.run()
    said = StringIO()

    call_command("verify", "--full", stdout=said)

    assert "1 of them redacted" in said.getvalue()


@pytest.fixture
def erase():
    def _erase(ref, moment):
        erasing.erase(ref, actor="subject", erasure=str(uuid.uuid4()), now=moment)
        DataSubject.objects.filter(pk=ref).update(updated_at=moment)
        return ref

    return _erase


def test_the_proof_left_by_an_erasure_is_redacted_at_its_end(people, erase, long_ago):
    erase(BOB, long_ago + timedelta(days=2))
    lately = erase(subject_ref("carla"), timezone.now())
    trail.anchor()

    assert old_proof.run() == 2  # Ann, whose proof is over, and Bob
    DataSubject.objects.filter(pk=BOB).update(updated_at=timezone.now() - timedelta(days=2))
    old_proof.run()

    assert BOB.hex not in _all_text().replace("-", "")
    assert DataSubject.objects.get(pk=lately).erased_revision is not None
    assert _broken() == []


def test_an_erased_person_without_a_record_is_remembered_as_long(people, erase, long_ago):
    recent = erase(subject_ref("carla"), timezone.now() - timedelta(days=30))
    old = erase(subject_ref("dora"), long_ago)
    DataSubject.objects.filter(pk=ANN).update(updated_at=timezone.now())

    assert old_proof.run() == 1
    DataSubject.objects.filter(pk=old).update(updated_at=timezone.now() - timedelta(days=2))
    old_proof.run()

    assert DataSubject.objects.filter(pk=recent).exists()
    assert not DataSubject.objects.filter(pk=old).exists()
    assert old.hex not in _all_text().replace("-", "")
    assert _broken() == []
