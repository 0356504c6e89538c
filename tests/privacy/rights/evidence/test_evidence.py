"""Evidence of a request: complete, without personal data, and not to be changed unnoticed."""

import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from audit import signed_zip
from audit.jws import NotGenuine
from audit.models import AuditEvent
from consent.ledger import ledger
from consent.models import Purpose
from privacy.erasures import ledger as erasure_ledger
from privacy.rights.clocks.laws import Right
from privacy.rights.evidence import building, verifying
from privacy.rights.models import RightsRequest
from privacy.rights.requests import fulfilling, requests
from privacy.rights.requests.states import Move
from privacy.rights.stores import seam
from tests.helpers.officers import signed_in, with_role
from tests.privacy.rights.requests.test_pages import opened


@pytest.fixture
def answered(register_in_force: None) -> RightsRequest:
    request = opened(Right.COMPLAINT)
    requests.move(request.pk, Move.START, actor="officer:anna")
    return fulfilling.verify_by_officer(request.pk, actor="officer:anna", decision="We have mended it.")


def changed(data: bytes, name: str, content: Any) -> bytes:
    files = signed_zip.unzipped(data)
    files[name] = json.dumps(content).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for each, said in files.items():
            archive.writestr(each, said)
    return buffer.getvalue()


def test_the_evidence_has_every_step_and_no_word_of_the_person(answered: RightsRequest, tmp_path: Any) -> None:
    data = building.build(answered.pk, actor="officer:anna")

    found = verifying.verify_request(data)
    assert (found.right, found.state, found.steps, found.unsealed_events) == ("complaint", "done", 5, 0)
    assert "My words." not in repr(signed_zip.unzipped(data))
    file = tmp_path / "evidence.zip"
    file.write_bytes(data)
    call_command("verify_receipt", str(file))


@pytest.mark.parametrize("name", ["request.json", "steps.json", "audit.json"])
def test_a_changed_file_is_not_genuine(answered: RightsRequest, name: str, tmp_path: Any) -> None:
    file = tmp_path / "evidence.zip"
    file.write_bytes(changed(building.build(answered.pk, actor="officer:anna"), name, []))

    with pytest.raises(CommandError, match="NOT GENUINE"):
        call_command("verify_receipt", str(file))


def test_steps_that_the_trail_does_not_know_are_not_genuine(answered: RightsRequest) -> None:
    answered.steps.create(move="extend", state="done", actor="officer:eve")

    with pytest.raises(NotGenuine, match="not those of the audit trail"):
        verifying.verify_request(building.build(answered.pk, actor="officer:anna"))


@pytest.mark.parametrize("taken", ["move = 'start'", "true"], ids=["one", "all"])
def test_steps_that_were_taken_away_are_missed(answered: RightsRequest, as_attacker: Any, taken: str) -> None:
    as_attacker(f"DELETE FROM rights_requeststep WHERE request_id = '{answered.pk}' AND {taken}")

    with pytest.raises(NotGenuine, match="not those of the audit trail"):
        verifying.verify_request(building.build(answered.pk, actor="officer:anna"))


@pytest.fixture
def erased_request(answered: RightsRequest, monkeypatch: Any, tmp_path: Any) -> RightsRequest:
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    purpose = Purpose.objects.filter(legal_basis="consent", is_active=True).exclude(recipients=[]).order_by("slug")[0]
    opening = requests.Opening(
        right=Right.ERASURE, subject_ref=uuid.uuid4(), region="DE", door="api", actor="service:shop", is_identified=True
    )  # fmt: skip
    choice = ledger.Choice(purpose=purpose.slug, choice="give", explicit=True)
    ledger.save_choices(
        ledger.Request(subject_ref=opening.subject_ref, choices=[choice], source="test", actor="test", region="DE")
    )
    return fulfilling.run(requests.open_request(opening).request.pk)


def signed_anew(data: bytes, name: str, change: Any) -> bytes:
    """Sign a file with one member changed: what a key of ours could be made to sign."""
    files = signed_zip.unzipped(data)
    files.pop(signed_zip.MANIFEST)
    content = json.loads(files[name])
    change(content)
    files[name] = signed_zip.text(content)
    said = {"request": json.loads(files["request.json"])["id"], "created_at": "2026-11-29T12:00:00+00:00"}
    return signed_zip.build(files, said, typ=verifying.TYP)


def test_the_evidence_of_an_erasure_says_what_went_and_what_was_verified(
    erased_request: RightsRequest, tmp_path: Any, capsys: Any
) -> None:
    data = building.build(erased_request.pk, actor="officer:anna")

    found = verifying.verify_request(data)
    said = json.loads(signed_zip.unzipped(data)["erasure.json"])
    (line,) = erasure_ledger.read()
    assert said["ledger"] == {"line": line["seq"], "digest": line["digest"]}
    assert {step["store"]: step["rows"] for step in said["steps"]}["person"] == 1
    assert set(said["verification"]["figures"].values()) == {0}
    assert len(said["verification"]["figures"]) == len(list(seam.emptied()))
    assert found.recipients == tuple(erased_request.steps.get(move="start").details["recipients"])
    file = tmp_path / "evidence.zip"
    file.write_bytes(data)
    call_command("verify_receipt", str(file))
    out = capsys.readouterr().out
    assert line["digest"] in out
    assert f"nothing left in {found.erasure.verified_stores} stores" in out
    assert found.recipients[0] in out


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("erasure.json", lambda said: said["steps"].pop(), "not those that were completed"),
        ("erasure.json", lambda said: said["steps"][0].update(rows=9), "not those that were completed"),
        ("erasure.json", lambda said: said["ledger"].update(digest="0" * 64), "erasure ledger is another"),
        ("erasure.json", lambda said: said["verification"]["figures"].update(person=1), "not that of the step"),
        ("recipients.json", lambda said: said.pop(), "recipients are not those"),
        ("steps.json", lambda said: said[-1]["details"]["figures"].update(person=1), "not those of the audit trail"),
    ],
)
def test_an_erasure_that_says_something_else_than_the_trail_is_not_genuine(
    erased_request: RightsRequest, name: str, change: Any, says: str
) -> None:
    data = building.build(erased_request.pk, actor="officer:anna")
    assert verifying.verify_request(signed_anew(data, name, lambda content: None)).state == "done"

    with pytest.raises(NotGenuine, match=says):
        verifying.verify_request(signed_anew(data, name, change))


def test_without_its_steps_the_evidence_of_an_erasure_is_not_genuine(erased_request: RightsRequest) -> None:
    files = signed_zip.unzipped(building.build(erased_request.pk, actor="officer:anna"))
    del files[signed_zip.MANIFEST], files["erasure.json"]
    said = {"request": str(erased_request.pk), "created_at": "2026-11-29T12:00:00+00:00"}

    with pytest.raises(NotGenuine, match="steps of the erasure are missing"):
        verifying.verify_request(signed_zip.build(files, said, typ=verifying.TYP))


def test_who_may_see_requests_downloads_and_is_recorded(answered: RightsRequest) -> None:
    path = f"/admin/requests/{answered.pk}/evidence.zip"
    marketing: Client = signed_in(with_role("mia", "marketing"))
    assert marketing.post(path).status_code == 403

    auditor = signed_in(with_role("ada", "auditor"))
    assert verifying.verify_request(auditor.post(path).content).request == str(answered.pk)
    assert AuditEvent.objects.filter(action="request.evidence_exported", object=str(answered.pk)).count() == 1


def test_the_step_that_begins_an_erasure_names_the_recipients(register_in_force: None) -> None:
    request = opened(Right.RESTRICTION)
    purpose = Purpose.objects.filter(legal_basis="consent", is_active=True).exclude(recipients=[]).order_by("slug")[0]
    choice = ledger.Choice(purpose=purpose.slug, choice="give", explicit=True)
    ledger.save_choices(
        ledger.Request(subject_ref=request.subject_ref, choices=[choice], source="test", actor="test", region="DE")
    )

    begun = requests.move(request.pk, Move.START, actor="officer:anna")

    assert set(purpose.recipients) <= set(begun.steps.last().details["recipients"])
    other = requests.move(opened(Right.COMPLAINT).pk, Move.START, actor="officer:anna")
    assert "recipients" not in other.steps.last().details
