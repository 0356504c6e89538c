"""An installation with one officer: by the operator's word only, and said wherever it matters."""

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from audit.log import export
from audit.log.filters import Filter
from common.actors import Officer
from consent.models import Purpose
from oversight.changes import approval
from oversight.models import Approval
from oversight.problems import Outdated, SecondOfficerNeeded
from tests.helpers.registers import drafted, widened

pytestmark = pytest.mark.django_db
WIDER = ["views", "purchases", "ratings", "postal_address"]


def test_one_officer_alone_is_refused_until_the_operator_says_so(anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))
    with pytest.raises(SecondOfficerNeeded):
        approval.approve(change_set, actor=anna, seen=change_set.digest)

    call_command("single_officer", "on")
    approval.approve(change_set, actor=anna, seen=change_set.digest)

    assert Purpose.objects.get(slug="recommendations").data_categories == WIDER
    change_set.refresh_from_db()
    assert (change_set.kind, Approval.objects.get().is_single) == ("single", True)


def test_what_was_not_seen_is_not_applied(anna: Officer) -> None:
    call_command("single_officer", "on")
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))

    with pytest.raises(Outdated):
        approval.approve(change_set, actor=anna, seen="0" * 64)


def test_it_ends_when_the_operator_says_so(anna: Officer, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("single_officer", "on")
    call_command("single_officer", "off")
    assert "Two officers are needed." in capsys.readouterr().out

    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))
    with pytest.raises(SecondOfficerNeeded):
        approval.approve(change_set, actor=anna, seen=change_set.digest)


def test_the_pages_say_it_and_offer_it(anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))
    client = Client()
    client.force_login(User.objects.get(pk=anna.account))
    page = f"/admin/changes/{change_set.pk}/"
    assert "Single officer." not in client.get(page).content.decode()
    assert f'action="{page}alone"' not in client.get(page).content.decode()

    call_command("single_officer", "on")

    assert "Single officer." in client.get("/admin/changes/").content.decode()
    assert f'action="{page}alone"' in client.get(page).content.decode()
    client.post(f"{page}alone", {"seen": change_set.digest})
    assert Purpose.objects.get(slug="recommendations").data_categories == WIDER


def _switched(is_on: bool) -> None:
    if is_on:
        call_command("single_officer", "on")


@pytest.mark.parametrize("is_on", [True, False])
def test_registers_as_files_say_it_and_plan_as_before(anna: Officer, tmp_path: Path, is_on: bool) -> None:
    _switched(is_on)
    call_command("registers", "export", str(tmp_path))

    written = {path.read_text(encoding="utf-8").startswith("# Single officer: ") for path in tmp_path.glob("*.yaml")}
    assert written == {is_on}
    call_command("registers", "plan", str(tmp_path))  # no difference: it would raise with exit status 2


@pytest.mark.parametrize(("is_on", "name"), [(True, "single-officer-log.csv"), (False, "log.csv")])
@pytest.mark.parametrize("command", ["export_consents", "export_decisions"])
def test_files_of_commands_say_it_in_their_name(
    anna: Officer, tmp_path: Path, command: str, is_on: bool, name: str
) -> None:
    _switched(is_on)
    call_command(command, "-o", str(tmp_path / "log.csv"))

    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("is_on", [True, False])
def test_consents_on_standard_output_say_it_aside(
    anna: Officer, capsysbinary: pytest.CaptureFixture[bytes], is_on: bool
) -> None:
    _switched(is_on)
    capsysbinary.readouterr()
    call_command("export_consents")

    written = capsysbinary.readouterr()
    assert (b"Single officer" in written.err) is is_on
    assert b"Single officer" not in written.out, "the lines themselves stay what a program reads"


@pytest.mark.parametrize("is_on", [True, False])
def test_an_exported_audit_log_says_it_in_its_signed_head(anna: Officer, is_on: bool) -> None:
    _switched(is_on)
    head = json.loads(b"".join(export.write("jsonl", Filter(), actor=anna)).split(b"\n")[0])

    assert head.get("single_officer", False) is is_on


@pytest.mark.parametrize(
    "address",
    ["/admin/audit/auditevent/export.csv", "/admin/audit/auditevent/export.jsonl", "/admin/trust/numbers.csv"],
)
def test_every_download_of_the_administration_says_it(anna: Officer, address: str) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=anna.account))
    assert "single-officer-" not in client.get(address)["Content-Disposition"]

    call_command("single_officer", "on")

    assert 'filename="single-officer-' in client.get(address)["Content-Disposition"]
