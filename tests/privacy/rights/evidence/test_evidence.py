"""Evidence of a request: complete, without personal data, and not to be changed unnoticed."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audit import signed_zip
from audit.jws import NotGenuine
from audit.models import AuditEvent
from consent.ledger import ledger
from consent.models import Purpose
from privacy.rights.clocks.laws import Right
from privacy.rights.evidence import building, verifying
from privacy.rights.models import RightsRequest
from privacy.rights.requests import fulfilling, requests
from privacy.rights.requests.states import Move
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
