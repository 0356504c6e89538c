"""A receipt proves a choice on a machine that has nothing but the file; whatever is changed in it is noticed."""

import copy
import io
import json
import subprocess
import sys
import zipfile

import pytest
from django.core.management import call_command

from audit import jws, signing, trail
from audit.jws import NotGenuine
from audit.models import SigningKey
from audit.signed_zip import MANIFEST
from consent.ledger import ledger
from consent.ledger.proof import Asked
from consent.models import Party, Purpose
from consent.pseudonyms import subject_ref
from consent.receipts import evidence, exports, issuing
from consent.receipts.manifest import verify_evidence
from consent.receipts.verifying import verify_file
from tests.helpers.paths import CHECKOUT

pytestmark = pytest.mark.django_db
REF = subject_ref("customer-1")
ROOT = CHECKOUT


@pytest.fixture
def saved(register_in_force):
    Party.objects.create(slug="shop", name="Northwind", address="Main Street 1", country="DE", email="p@shop.example")
    return ledger.save_choices(
        ledger.Request(
            subject_ref=REF,
            choices=[
                ledger.Choice(purpose="recommendations", choice="give"),
                ledger.Choice(purpose="newsletter", choice="refuse", channel="email"),
            ],
            source="banner",
            actor="service:shop",
            region="DE",
            asked=Asked(locale="en", interface="banner@1", order=("refuse", "accept")),
        )
    )


@pytest.fixture
def file(saved):
    return issuing.issue(REF, saved.subject_revision)


def as_bytes(file):
    return json.dumps(file).encode()


# The mandatory fields of ISO/IEC TS 27560, as the W3C guide lists them.
RECORD = {"schema_version", "record_id", "pii_principal_id"}
PROCESSING = {
    "privacy_notice", "language", "purpose", "pii_information", "pii_controllers", "storage_locations",
    "retention_period", "jurisdiction", "recipients", "withdrawal_method",
}  # fmt: skip
PARTY = {"party_id", "party_address", "party_name", "party_contact", "party_type"}
EVENT = {"event_time", "valid_until", "entity_id", "event_type", "event_state"}


def test_every_mandatory_field_is_there(file):
    record = file["receipt"]["consent_record"]

    assert file["receipt"].keys() >= {"schema_version", "receipt_id"}
    assert record.keys() >= RECORD
    for parts, mandatory in ((record["processing"], PROCESSING), (record["parties"], PARTY), (record["events"], EVENT)):
        assert parts
        assert all(part.keys() >= mandatory for part in parts)
    assert all(kind["pii_type"].startswith("https://w3id.org/dpv") for kind in record["pii_information"])


def test_a_genuine_receipt_is_verified_with_and_without_the_published_keys(file):
    alone = verify_file(as_bytes(file))
    with_keys = verify_file(as_bytes(file), keys=signing.published_keys())

    assert (alone.key_is_trusted, with_keys.key_is_trusted) == (False, True)
    assert alone.receipt["consent_record"]["events"][1]["record"]["scope"] == "channel=email"


def test_the_text_that_was_shown_is_in_the_receipt(file):
    notice = file["receipt"]["consent_record"]["processing"][0]["privacy_notice"]

    assert notice["text"] == Purpose.objects.get(slug="recommendations").notices.get().text
    assert notice["is_proven"] is True


def _forged_state(file):
    file["receipt"]["consent_record"]["events"][0]["event_state"] = "x"


def _other_payload(file):
    head, _, signature = file["jws"].split(".")
    payload = json.dumps({**file["receipt"], "issuer": "https://evil.example"}).encode()
    file["jws"] = f"{head}.{jws.encode(payload)}.{signature}"


def _no_algorithm(file):
    _, payload, signature = file["jws"].split(".")
    header = {"alg": "none", "typ": issuing.TYP}
    file["jws"] = f"{jws.encode(json.dumps(header).encode())}.{payload}.{signature}"


def _other_spelling(file):
    file["jws"] += "="


def _cut(file):
    file["jws"] = file["jws"][:-4]


@pytest.mark.parametrize("forge", [_forged_state, _other_payload, _no_algorithm, _other_spelling, _cut])
def test_a_changed_receipt_is_not_genuine(file, forge):
    forged = copy.deepcopy(file)
    forge(forged)

    with pytest.raises(NotGenuine):
        verify_file(as_bytes(forged))


def _with_a_second(name, value):
    """A file in which a member stands twice, the forged one first: one reader shows it, another the genuine one."""

    def forge(data):
        return b"{" + json.dumps({name: value}).encode()[1:-1] + b", " + data[1:]

    return forge


TWO_READINGS = {
    "a second receipt": _with_a_second("receipt", {"note": "FORGED: state given"}),
    "a second signature": _with_a_second("jws", "a.b.c"),
    "a second member inside": lambda data: data.replace(
        b'"issuer":', b'"issuer": "https://evil.example", "issuer":', 1
    ),
    "1 as true": lambda data: data.replace(b'"subject_revision": 1,', b'"subject_revision": true,', 1),
    "NaN beside": lambda data: b'{"more": NaN, ' + data[1:],
}


@pytest.mark.parametrize("forge", TWO_READINGS, ids=str)
def test_a_receipt_that_can_be_read_in_two_ways_is_not_genuine(file, forge):
    genuine = json.dumps(file).encode()
    forged = TWO_READINGS[forge](genuine)
    assert forged != genuine
    assert verify_file(genuine)

    with pytest.raises(NotGenuine):
        verify_file(forged)


def test_members_that_no_receipt_has_are_named(file, tmp_path, capsys):
    path = tmp_path / "receipt.json"
    path.write_bytes(as_bytes({**file, "note": "FORGED: state given"}))

    assert verify_file(path.read_bytes()).unsigned == ("note",)
    call_command("verify_receipt", path)

    assert "NOT SIGNED, and no part of a receipt: the file's member 'note'" in capsys.readouterr().out
    assert verify_file(as_bytes(file)).unsigned == ()


def test_a_receipt_signed_with_a_key_nobody_published_is_not_believed(file):
    with pytest.raises(NotGenuine, match="trusted"):
        verify_file(as_bytes(file), keys={"keys": []})


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"jws": 3}', b'{"jws": "a.b.c"}', b"[" * 100_000])
def test_what_is_no_receipt_is_refused_with_a_sentence(data):
    with pytest.raises(NotGenuine):
        verify_file(data)


def test_a_signed_document_of_another_kind_is_no_receipt(saved):
    token = signing.sign(b"{}", typ="something-else+jws")

    with pytest.raises(NotGenuine):
        verify_file(as_bytes({"jws": token}))


def test_after_rotation_old_receipts_stay_verifiable_and_new_ones_have_the_new_key(file, saved):
    old = verify_file(as_bytes(file)).kid

    signing.rotate(actor="officer:anna")
    new = verify_file(as_bytes(issuing.issue(REF, saved.subject_revision)), keys=signing.published_keys()).kid

    assert new != old
    assert verify_file(as_bytes(file), keys=signing.published_keys()).kid == old


def test_a_changed_secret_retires_no_key_by_itself(file, settings):
    settings.SECRET_KEY = "another secret of this instance, long enough"

    with pytest.raises(signing.SigningKeyUnavailable, match="signing_keys rotate"):
        signing.sign(b"x", typ="t")

    assert SigningKey.objects.filter(retired_at=None).count() == SigningKey.objects.count() == 1


def test_the_private_key_is_not_in_the_database(file):
    stored = SigningKey.objects.values().get()

    assert set(stored) == {"kid", "salt", "public_key", "created_at", "retired_at"}


def test_the_exports_speak_the_words_of_the_standards(file):
    graph = exports.as_json_ld(file["receipt"])
    kantara = exports.as_kantara(file["receipt"], public_key="k")

    assert graph["dpv:hasRecordOfActivity"]["dpv:hasProcess"][0]["dpv:hasConsentStatus"]["@type"].endswith(
        "#ConsentGiven"
    )
    assert kantara["version"] == "KI-CR-v1.1.0"
    assert kantara["piiControllers"][0]["piiController"] == "Northwind"
    assert [purpose["purpose"] for purpose in kantara["services"][0]["purposes"]] == ["Recommendations"]


def test_the_command_verifies_without_a_database(file, tmp_path):
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(file))
    forged = tmp_path / "forged.json"
    forged.write_text(path.read_text().replace("banner@1", "banner@2"))

    good, bad = (_verify(file) for file in (path, forged))

    assert good.returncode == 0, good.stderr
    assert "Genuine receipt" in good.stdout
    assert "recommendations: given" in good.stdout
    assert (bad.returncode, "NOT GENUINE" in bad.stderr) == (1, True)


def _verify(path):
    return subprocess.run(
        [sys.executable, "assent", "--home", str(path.parent / "home"), "verify-receipt", str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(path.parent)},
    )  # fmt: skip


def test_the_evidence_about_a_person_holds_together(saved):
    trail.anchor()

    data = evidence.build(REF, actor="officer:anna")
    found = verify_evidence(data, keys=signing.published_keys())

    assert (found.records, found.receipts, found.unsealed_events) == (2, 1, 0)
    assert found.sealed_events == 3  # two records, and this export


def _repacked(data, change):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


CHANGES = {
    "a record is taken away": lambda files: files.update({"records.json": b"[]"}),
    "a file is added": lambda files: files.update({"more.json": b"{}"}),
    "a receipt is taken away": lambda files: files.pop("receipts/000001.json"),
    "the manifest is taken away": lambda files: files.pop(MANIFEST),
}


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_changed_evidence_is_not_genuine(saved, change):
    data = _repacked(evidence.build(REF, actor="officer:anna"), CHANGES[change])

    with pytest.raises(NotGenuine):
        verify_evidence(data)


def test_nobody_gets_a_receipt_that_is_not_there(saved):
    with pytest.raises(issuing.ReceiptUnknown):
        issuing.issue(REF, 99)
    with pytest.raises(issuing.ReceiptUnknown):
        issuing.issue(subject_ref("somebody else"), saved.subject_revision)


def test_evidence_whose_receipt_can_be_read_in_two_ways_is_refused(saved, monkeypatch):
    """Also where the forger has the manifest signed: the file inside is what a reader opens."""
    write = evidence.text

    def forged(document):
        text = write(document)
        return b'{"receipt": {"note": "FORGED"}, ' + text[1:] if "jws" in document else text

    monkeypatch.setattr(evidence, "text", forged)

    with pytest.raises(NotGenuine, match="twice"):
        verify_evidence(evidence.build(REF, actor="officer:anna"))
