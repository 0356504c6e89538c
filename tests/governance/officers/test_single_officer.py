"""An installation with a single officer says so on every page of the administration and in every file from it."""

import io
import json
import zipfile

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from pyarrow import parquet

from audit import jws
from audit.signed_zip import MANIFEST
from consent.ledger import ledger
from consent.pseudonyms import subject_ref
from consent.receipts import evidence, manifest
from governance.officers import single_officer
from oversight.officers import single
from policies.bundles import publishing
from tests.helpers.officers import signed_in, with_role

pytestmark = pytest.mark.django_db
REF = subject_ref("customer-1")
WORDS = "Single officer."
PAGES = [
    "/admin/", "/admin/consent/purpose/", "/admin/consent/purpose/add/", "/admin/trust/", "/admin/account/",
    "/admin/changes/", "/admin/policies/policy/",
]  # fmt: skip


@pytest.fixture
def declared():
    call_command("single_officer", "on")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_so_once_the_operator_has(officer, declared, path):
    assert officer.get(path).content.decode().count(WORDS) == 1


@pytest.mark.parametrize("path", PAGES)
def test_no_page_says_so_before_or_after(officer, path):
    assert WORDS not in officer.get(path).content.decode()
    call_command("single_officer", "on")
    call_command("single_officer", "off")
    assert WORDS not in officer.get(path).content.decode()


def test_the_sign_in_page_says_nothing_of_it(officer, declared):
    officer.post("/admin/logout/")

    assert WORDS not in officer.get("/admin/login/").content.decode()


def test_a_role_without_the_right_to_approve_sees_the_mark_too(register_in_force, declared):
    assert WORDS in signed_in(with_role("mia", "marketing")).get("/admin/").content.decode()


def test_files_of_the_administration_are_marked(officer, declared):
    name = officer.get(reverse("trust-csv")).headers["Content-Disposition"]
    assert name.startswith('attachment; filename="single-officer-trust-')

    call_command("single_officer", "off")
    name = officer.get(reverse("trust-csv")).headers["Content-Disposition"]
    assert name.startswith('attachment; filename="trust-')


@pytest.mark.parametrize("state", ["on", "off"])
def test_the_evidence_about_a_person_says_it_under_its_signature(register_in_force, state):
    call_command("single_officer", state)
    choice = ledger.Choice(purpose="recommendations", choice="give")
    ledger.save_choices(ledger.Request(subject_ref=REF, choices=[choice], source="banner", actor="service:shop"))
    file = evidence.build(REF, actor="officer:anna")

    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        readme = archive.read("README.txt").decode()
        payload, _kid = jws.verify(archive.read(MANIFEST).decode(), typ=manifest.TYP, trusted=None)
    is_on = state == "on"
    assert ("Single officer" in readme, json.loads(payload).get("single_officer", False)) == (is_on, is_on)
    assert manifest.verify_evidence(file).subject_ref == str(REF)


@pytest.mark.parametrize("state", ["on", "off"])
def test_a_parquet_file_and_a_report_say_it_in_their_content(register_in_force, own_spool, tmp_path, state):
    call_command("single_officer", state)
    call_command("export_decisions", output=tmp_path / "log.parquet")
    call_command("simulate", publishing.last_activation().policy_id, output=tmp_path / "report.json")

    prefix, is_on = (single.PREFIX, True) if state == "on" else ("", False)
    said = parquet.read_schema(tmp_path / f"{prefix}log.parquet").metadata or {}
    assert said.get(b"assent.single_officer") == (b"true" if is_on else None)
    report = json.loads((tmp_path / f"{prefix}report.json").read_text())
    assert report.get("single_officer", False) is is_on


def test_today_says_that_nothing_can_be_approved(officer):
    assert "No second officer" in officer.get("/admin/").content.decode()

    with_role("ben", "approver")
    assert "No second officer" not in officer.get("/admin/").content.decode()


def test_today_is_silent_where_one_officer_is_meant(officer, declared):
    assert "No second officer" not in officer.get("/admin/").content.decode()
    assert single.is_single()


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_staff": False}])
def test_an_account_that_may_not_sign_in_is_no_second_one(officer, state):
    ben = with_role("ben", "approver")
    assert not single_officer.lacks_second()
    User.objects.filter(pk=ben.pk).update(**state)

    assert single_officer.lacks_second()


def test_an_auditor_is_no_second_one(officer):
    with_role("ada", "auditor")

    assert single_officer.lacks_second()
