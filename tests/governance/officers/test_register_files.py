"""Registers as files: a stable export, a plan that changes nothing, and refusals with their line."""

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from common import actors
from consent.models import DataCategory, Party, Purpose
from oversight import registers
from oversight.models import ChangeSet
from policies.models import Region
from tests.helpers.registers import make_officer, second_newest

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(register_in_force: None, tmp_path: Path) -> Path:
    call_command("registers", "export", str(tmp_path / "r"), stdout=StringIO())
    return tmp_path / "r"


def _plan(folder: Path) -> tuple[int, str, str]:
    out = StringIO()
    try:
        call_command("registers", "plan", str(folder), stdout=out)
    except CommandError as ended:
        return ended.returncode, out.getvalue(), str(ended)
    return 0, out.getvalue(), ""


def _edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / f"{name}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_plan_of_what_was_just_exported_is_empty(folder: Path) -> None:
    assert _plan(folder) == (0, "The registers are as the files say.\n", "")


def test_an_export_is_the_same_twice(folder: Path, tmp_path: Path) -> None:
    call_command("registers", "export", str(tmp_path / "again"), stdout=StringIO())

    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
    assert "- slug: mail-house\n  role: processor\n" in (folder / "party.yaml").read_text()
    assert "retain_for: 730 days" in (folder / "retention_schedule.yaml").read_text()


def test_a_plan_names_each_change_and_makes_none(folder: Path) -> None:
    _edit(folder, "party", "name: Mail House", "name: Post House")
    _edit(folder, "residency_rule", "slug: us-in-us", "slug: us-at-home")
    before = list(Party.objects.values())

    code, shown, _why = _plan(folder)

    assert code == 2
    assert '~ party mail-house\n    name: "Mail House" -> "Post House"\n' in shown
    assert "- residency_rule us-in-us" in shown
    assert "+ residency_rule us-at-home" in shown
    assert list(Party.objects.values()) == before


def test_a_plan_that_brings_an_error_is_refused_with_it(folder: Path) -> None:
    _edit(folder, "purpose", "- mail-house", "- mail-hose")

    code, shown, why = _plan(folder)

    assert (code, why) == (1, "The files would bring errors into the registers.")
    assert "Processing activity newsletter: recipients: “mail-hose” is not among the parties" in shown
    assert Purpose.objects.get(slug="newsletter").recipients == ["mail-house"]


def test_an_error_that_is_there_already_does_not_block_others(folder: Path, tmp_path: Path) -> None:
    Region.objects.filter(group="br").update(group="brazil")
    call_command("registers", "export", str(tmp_path / "s"), stdout=StringIO())
    _edit(tmp_path / "s", "party", "name: Mail House", "name: Post House")

    assert _plan(tmp_path / "s")[0] == 2


def _unknown_field(folder: Path) -> None:
    _edit(folder, "party", "  name: Mail House", "  nmae: x\n  name: Mail House")


def _twice_a_field(folder: Path) -> None:
    _edit(folder, "party", "  name: Mail House", "  name: x\n  name: Mail House")


def _twice_a_row(folder: Path) -> None:
    _edit(folder, "party", "slug: parcel-carrier", "slug: mail-house")


def _missing_field(folder: Path) -> None:
    _edit(folder, "party", "  name: Mail House\n", "")


def _no_text(folder: Path) -> None:
    _edit(folder, "party", "country: DE", "country: NO")


def _no_duration(folder: Path) -> None:
    _edit(folder, "retention_schedule", "730 days", "2 years")


def _no_flag(folder: Path) -> None:
    _edit(folder, "purpose", "is_active: true", "is_active: 1")


def _unknown_register(folder: Path) -> None:
    (folder / "partys.yaml").write_text("[]")


def _missing_register(folder: Path) -> None:
    (folder / "party.yaml").unlink()


def _no_yaml(folder: Path) -> None:
    (folder / "party.yaml").write_text("- [")


def _no_list(folder: Path) -> None:
    (folder / "party.yaml").write_text("a: b")


def _dangling(folder: Path) -> None:
    _edit(folder, "region", "jurisdiction: gdpr", "jurisdiction: xx")


def _unknown_reason(folder: Path) -> None:
    _edit(folder, "purpose", "      reason:", "      why: x\n      reason:")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_unknown_field, r"party\.yaml, line \d+: “nmae” is no field of party\. Did you mean name"),
        (_twice_a_field, r"party\.yaml: a mapping at line \d+ states a member twice"),
        (_twice_a_row, r"party\.yaml, line \d+: mail-house is stated twice"),
        (_missing_field, r"party\.yaml, line \d+: name is missing"),
        (_no_text, r"party\.yaml, line \d+: country cannot be False: put the text in quotes"),
        (_no_duration, r"retain_for cannot be '2 years': write 365 days"),
        (_no_flag, r"is_active cannot be 1: write true or false"),
        (_unknown_register, r"partys\.yaml: this is no register\. Did you mean party"),
        (_missing_register, r"party\.yaml is missing"),
        (_no_yaml, r"party\.yaml: it is not YAML"),
        (_no_list, r"party\.yaml: it is no list of rows"),
        (_unknown_reason, r"purpose\.yaml, line \d+: data_reasons .*: “why” is no field of data_reasons"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused(folder: Path, spoil: Callable[[Path], None], message: str) -> None:
    spoil(folder)

    code, _shown, why = _plan(folder)

    assert code == 1
    assert re.search(message, why), why


def test_a_row_that_names_what_is_not_there_is_refused(folder: Path) -> None:
    _dangling(folder)

    code, shown, _why = _plan(folder)

    assert code == 1
    assert "names something that is not there" in shown


def test_a_notice_is_never_changed_nor_removed_by_files(folder: Path) -> None:
    _edit(folder, "notice", "We use your e-mail address", "We sell your e-mail address")
    assert "can never be changed" in _plan(folder)[1]

    (folder / "notice.yaml").write_text("[]")
    assert "can never be deleted" in _plan(folder)[1]


def test_files_hold_every_register(folder: Path) -> None:
    assert {path.stem for path in folder.iterdir()} == {
        register.name for register in registers.all_registers() if not register.is_local
    }
    assert {"site", "processing_system", "data_category"} <= {path.stem for path in folder.iterdir()}


# Apply


def _apply(folder: Path, officer: str = "anna") -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("registers", "apply", str(folder), "--officer", officer, stdout=out)
    except CommandError as ended:
        return ended.returncode, out.getvalue() + str(ended)
    return 0, out.getvalue()


@pytest.fixture
def anna(folder: Path) -> actors.Officer:
    return make_officer("anna")


def test_files_are_drafted_and_come_into_force_by_two_officers(folder: Path, anna: actors.Officer) -> None:
    _edit(folder, "party", "name: Mail House", "name: Post House")
    new = "- slug: shoe_size\n  name: shoe size\n  fideslang_key: ''\n  dpv_term: ''\n  texts: {}\n"
    path = folder / "data_category.yaml"
    path.write_text(path.read_text() + new)

    code, shown = _apply(folder)

    change_set = ChangeSet.objects.get()
    assert (code, change_set.state, change_set.author_id) == (0, "draft", anna.account)
    assert f"/admin/changes/{change_set.pk}/" in shown
    assert Party.objects.get(slug="mail-house").name == "Mail House"
    step = AuditEvent.objects.get(action="changes.drafted")
    assert "by the command registers apply of the operator" in step.details["reason"]

    second_newest()

    assert Party.objects.get(slug="mail-house").name == "Post House"
    assert DataCategory.objects.filter(slug="shoe_size").exists()
    assert _plan(folder)[0] == 0


def test_applying_what_was_just_exported_drafts_nothing(folder: Path, anna: actors.Officer) -> None:
    assert _apply(folder) == (0, "The registers are as the files say.\n")
    assert not ChangeSet.objects.exists()


def test_files_with_an_error_draft_nothing(folder: Path, anna: actors.Officer) -> None:
    _edit(folder, "party", "name: Mail House", "name: Post House")
    _edit(folder, "purpose", "- mail-house", "- mail-hose")

    code, shown = _apply(folder)

    assert code == 1
    assert "would bring errors" in shown
    assert not ChangeSet.objects.exists()


def test_a_draft_for_no_officer_is_refused(folder: Path) -> None:
    _edit(folder, "party", "name: Mail House", "name: Post House")

    assert _apply(folder, "zoe") == (1, "There is no active officer 'zoe'. See ./assent officers list.")


def test_a_draft_for_an_officer_without_the_right_is_refused(folder: Path) -> None:
    _edit(folder, "party", "name: Mail House", "name: Post House")
    User.objects.create_user("ben", password="a long password", is_staff=True)

    code, shown = _apply(folder, "ben")

    assert code == 1
    assert "'ben' may not change parties." in shown
    assert not ChangeSet.objects.exists()


def test_a_folder_that_is_not_there_is_refused(register_in_force: None, tmp_path: Path) -> None:
    assert _plan(tmp_path / "none")[0] == 1
