"""What each role of officers may do, as a table, and that it holds for the installation and its pages."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.urls import reverse

from audit.models import AuditEvent
from governance.admin_menu import SIDEBAR
from governance.officers import role_groups
from governance.officers.roles import CAPABILITIES, ROLES, with_right
from oversight import registers
from oversight.models import ChangeSet
from tests.helpers.officers import signed_in, with_role
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db

# x: may. Columns: privacy officer, approver, policy author, model owner, request handler, marketing,
# token custodian, auditor, operator.
COLUMNS = ["privacy-officer", "approver", "policy-author", "model-owner", "request-handler", "marketing",
           "token-custodian", "auditor", "operator"]  # fmt: skip
TABLE = """
consent.view_purpose            x x x x x x x x -
consent.change_purpose          x - x - - x - - -
consent.add_notice              x - x - - x - - -
oversight.propose_changeset     x - x x x x - - x
oversight.approve_changeset     x x - - - - - - -
oversight.emergency_changeset   x - - - - - - - -
oversight.view_relaxedregister  x x x x x x x x -
oversight.add_relaxedregister   x - - - - - - - -
oversight.change_relaxedregister x - - - - - - - -
oversight.delete_relaxedregister x - - - - - - - -
oversight.view_changeset        x x x x x x x x -
consent.view_dailycount         x x - x - x - x x
consent.view_exactfigures      x x - - - x - x -
consent.view_datasubject        x - - - x - - x -
consent.view_consentrecord      x - - - x - - x -
privacy.view_disposal           x - - - x - - x -
privacy.view_hold               x - - - x - - x -
privacy.change_hold             x - - - x - - - -
privacy.add_restriction         x - - - x - - - -
rights.view_rightsrequest       x - - - x - - x -
rights.change_rightsrequest     x - - - x - - - -
privacy.change_retentionschedule x - x - - x - - -
policies.change_residencyrule   x - x - - x - - -
policies.change_displayrule     x - x - - x - - -
policies.change_rankingrule     x - x - - x - - -
policies.add_policy             x - x - - - - - -
policies.add_policyactivation   x x - - - - - - -
policies.view_decision          x x x - - - - x -
policies.view_logdrop           x x x - - - - x -
privacy.change_recordperiod     x - x - - x - - -
model_registry.add_model        x - - x - - - - -
model_registry.change_modelversion x x - - - - - - -
personalization.use_playground  x x x x - - - - -
audit.view_auditevent           x x - - - - - x -
auth.view_user                  x - - - - - - x x
auth.change_user                - - - - - - - - x
governance.change_officersession - - - - - - - - x
policies.add_servicecredential  - - - - - - - - x
policies.change_servicecredential - - - - - - - - x
privacy.reveal_vaulttoken       - - - - - - x - -
"""
_OTHERS_REGISTERS = {"officer_rights", "service_credential", "model_permissions"}  # an operator's, a model owner's
_PEOPLE = {
    "consent.view_datasubject", "consent.view_consentrecord", "privacy.view_disposal", "privacy.view_hold",
    "privacy.view_restriction", "rights.view_rightsrequest",
}  # fmt: skip


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_a_right_is_held_by_these_roles_and_no_other(line):
    right, *marks = line.split()

    expected = {role for role, mark in zip(COLUMNS, marks, strict=True) if mark == "x"}
    assert {role.slug for role in with_right(right)} == expected


def test_the_table_names_every_role():
    assert list(ROLES) == COLUMNS


def test_a_privacy_officer_may_draft_every_register_with_its_parts():
    drafted = [register for register in registers.all_registers() if register.name not in _OTHERS_REGISTERS]
    models = {model for each in drafted for model in (each.model, *(child.model for child in each.children))}
    wanted = {f"{model._meta.app_label}.change_{model._meta.model_name}" for model in models} - {
        "consent.change_notice"
    }

    assert wanted <= ROLES["privacy-officer"].rights


def test_an_auditor_reads_and_changes_nothing():
    assert {right.split(".")[1].split("_")[0] for right in ROLES["auditor"].rights} == {"view"}


def test_no_role_but_these_may_look_at_people():
    assert {slug for slug, role in ROLES.items() if role.rights & _PEOPLE} == {
        "privacy-officer", "request-handler", "auditor",
    }  # fmt: skip


def test_no_one_role_manages_officers_and_changes_registers():
    both = [r.slug for r in ROLES.values() if "auth.change_user" in r.rights and "consent.change_purpose" in r.rights]

    assert both == []


def test_groups_get_exactly_the_rights_of_their_role():
    assert role_groups.keep_current() == [role.name for role in ROLES.values()]

    for role in ROLES.values():
        user = with_role(role.slug, role.slug)
        assert user.get_all_permissions() == role.rights


def test_roles_that_are_current_are_written_no_more():
    role_groups.keep_current()
    before = AuditEvent.objects.count()

    assert role_groups.keep_current() == []
    assert AuditEvent.objects.count() == before


def test_a_new_right_reaches_an_old_installation_and_a_foreign_one_leaves(tmp_path, settings):
    settings.STATIC_ROOT = tmp_path
    role_groups.keep_current()
    group = Group.objects.get(name=ROLES["auditor"].group)
    group.permissions.remove(Permission.objects.get(codename="view_purpose"))
    group.permissions.add(Permission.objects.get(codename="delete_user"))

    call_command("prepare", fast=True, verbosity=0)

    held = {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()}
    assert held == ROLES["auditor"].rights


def test_groups_that_are_no_roles_are_left_alone():
    own = Group.objects.create(name="auditor")
    user = User.objects.create_user("ben", is_staff=True)
    user.groups.add(own)

    role_groups.keep_current()
    role_groups.set_roles(user, ["operator"])

    assert not own.permissions.exists()
    assert {group.name for group in user.groups.all()} == {"auditor", ROLES["operator"].group}


def _menu():
    return {str(item["link"]) for group in SIDEBAR["navigation"] for item in group["items"]}


@pytest.mark.parametrize("role", COLUMNS)
def test_the_menu_offers_what_a_role_may_open_and_no_more(register_in_force, role):
    browser = signed_in(with_role("ben", role))

    page = browser.get("/admin/").content.decode()

    offered = {path for path in _menu() if f'href="{path}"' in page}
    opened = {path for path in _menu() if browser.get(path).status_code == 200}
    assert offered == opened
    assert "/admin/" in offered


def test_the_search_finds_what_one_may_open(register_in_force):
    marketing = signed_in(with_role("mia", "marketing"))

    assert "/admin/consent/purpose/" in marketing.get("/admin/search/?s=processing").content.decode().lower()
    assert "/admin/consent/datasubject/" not in marketing.get("/admin/search/?s=data").content.decode().lower()


def test_marketing_reads_figures_and_no_person(register_in_force):
    marketing = signed_in(with_role("mia", "marketing"))

    assert marketing.get("/admin/trust/").status_code == 200
    for page in ("consent-proof", "admin:consent_consentrecord_changelist", "admin:consent_datasubject_changelist"):
        assert marketing.get(reverse(page)).status_code == 403


def test_a_refusal_names_the_right_and_the_roles_that_have_it(register_in_force):
    marketing = signed_in(with_role("mia", "marketing"))

    page = marketing.get(reverse("admin:consent_datasubject_changelist"))

    assert page.status_code == 403
    text = page.content.decode()
    assert "consent.view_datasubject" in text
    assert "Privacy officer, Request handler, Auditor" in text
    assert "Policy author" not in text


@pytest.fixture
def operator(register_in_force):
    return with_role("olga", "operator")


def test_an_operator_gives_roles_but_never_everything(operator):
    ben = User.objects.create_user("ben", is_staff=True)
    page = f"/admin/auth/user/{ben.pk}/change/"
    browser = signed_in(operator)
    shown = browser.get(page).content.decode()
    assert "Answers for the registers" in shown
    assert 'name="is_superuser"' not in shown
    assert 'name="groups"' not in shown

    form = {"username": "benno", "is_active": "on", "is_staff": "on", "is_superuser": "on", "roles": ["auditor"]}
    assert browser.post(page, form).status_code == 302

    ben.refresh_from_db()
    assert role_groups.roles_of(ben) == []
    change_set = ChangeSet.objects.latest("id")
    shown = browser.get(f"/admin/changes/{change_set.pk}/").content.decode()
    assert ("<td>Auditor</td>" in shown, "role:auditor" in shown) == (True, False)
    second_newest()
    ben.refresh_from_db()
    assert (ben.username, ben.is_superuser, role_groups.roles_of(ben)) == ("ben", False, ["auditor"])


def test_an_officer_does_not_widen_their_own_roles(operator):
    page = f"/admin/auth/user/{operator.pk}/change/"

    signed_in(operator).post(page, {"is_active": "on", "is_staff": "on", "roles": ["privacy-officer"]})

    assert role_groups.roles_of(operator) == ["operator"]


def test_who_may_do_everything_is_changed_by_such_another_only(operator, officer):
    anna = User.objects.get(username="anna")
    pages = [reverse("admin:auth_user_password_change", args=[anna.pk]), f"/admin/auth/user/{anna.pk}/change/"]
    form = {"password1": "Kx9-long-enough", "password2": "Kx9-long-enough", "usable_password": "true"}

    assert {signed_in(operator).post(page, form).status_code for page in pages} == {403}

    before = anna.password
    anna.refresh_from_db()
    assert anna.password == before


def test_a_role_is_not_changed_or_deleted_in_the_admin(officer):
    role_groups.keep_current()
    group = Group.objects.get(name=ROLES["auditor"].group)

    assert officer.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"}).status_code == 403
    assert officer.post(f"/admin/auth/group/{group.pk}/change/", {"name": "x"}).status_code == 403
    assert officer.get("/admin/auth/group/add/").status_code == 403


def test_the_documents_table_is_the_table_of_the_code():
    text = (Path(__file__).parents[3] / "docs" / "officer-access.md").read_text()
    rows = [re.findall(r"[^|]+", line) for line in text.splitlines() if line.startswith("| ") and " x " in line]

    written = {row[0].strip(): [cell.strip() == "x" for cell in row[1:]] for row in rows}

    assert written == {
        capability.sentence: [name in role.capabilities for role in ROLES.values()]
        for name, capability in CAPABILITIES.items()
    }
