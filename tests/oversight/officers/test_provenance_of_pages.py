"""Who counts as a second person, with the events that the admin's pages and the operator's commands really write."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from common.actors import Officer
from governance.demo import register
from governance.officers import role_groups
from governance.officers.rights_register import operator_writes
from governance.sign_in import invitations
from oversight.changes import approval, undoing
from oversight.models import ChangeSet
from oversight.officers.provenance import independent
from oversight.problems import ChangeRefused, SecondOfficerNeeded
from tests.helpers.officers import signed_in, with_app
from tests.helpers.registers import proposed_by, purpose_with, second_newest

pytestmark = pytest.mark.django_db
SECRET = "Kx9-long-enough"
ROLES = ["privacy-officer", "approver"]


@pytest.fixture(autouse=True)
def _guarded(guarded: None) -> None:
    """Run without a named writer, over the register in force."""


def by_command(name: str, *, superuser: bool = False) -> User:
    more = ["--superuser"] if superuser else [part for role in ROLES for part in ("--role", role)]
    call_command("officers", "invite" if not superuser else "create", name, *_password(superuser), *more, stdout=_out())
    return User.objects.get(username=name)


def _out() -> io.StringIO:
    return io.StringIO()


def _password(is_needed: bool) -> list[str]:
    return ["--password-stdin"] if is_needed else []


@pytest.fixture
def anna(monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    return by_command("anna", superuser=True)


@pytest.fixture
def admin(anna: User) -> Client:
    return signed_in(anna)


def acting(user: User) -> Officer:
    return Officer.of(user.username, user.pk)


def add_account(admin: Client, name: str) -> User:
    """Let the administrator make an account; the operator gives it its roles, so that alone is not what counts."""
    form = {"username": name, "password1": SECRET, "password2": SECRET, "usable_password": "true"}
    assert admin.post(reverse("admin:auth_user_add"), form).status_code == 302
    with operator_writes():
        User.objects.filter(username=name).update(is_staff=True)
    call_command("officers", "roles", name, *(part for role in ROLES for part in ("--add", role)), stdout=_out())
    return User.objects.get(username=name)


def propose_roles(browser: Client, user: User, *roles: str) -> ChangeSet:
    """Save the page of an account with these roles; return the draft that it leads to, checked and proposed."""
    fields = {"is_active": "on", "is_staff": "on", "roles": roles, "email": ""}
    answer = browser.post(reverse("admin:auth_user_change", args=[user.pk]), fields)
    change_set = ChangeSet.objects.latest("id")
    assert answer.headers["Location"] == f"/admin/changes/{change_set.pk}/"
    browser.post(f"/admin/changes/{change_set.pk}/propose", {"because": "joins the team"})
    change_set.refresh_from_db()
    assert change_set.state == ChangeSet.State.PROPOSED
    return change_set


def press(browser: Client, change_set: ChangeSet, button: str) -> None:
    browser.post(f"/admin/changes/{change_set.pk}/{button}", {"seen": change_set.digest, "because": "looked at"})
    change_set.refresh_from_db()


def reset_password(admin: Client, user: User) -> None:
    form = {"password1": SECRET, "password2": SECRET, "usable_password": "true"}
    assert admin.post(reverse("admin:auth_user_password_change", args=[user.pk]), form).status_code == 302


def refused_through_the_page(author: User, approver: User) -> bool:
    """Let the approver press *Approve* on the set's page; return whether the set stayed a proposal."""
    change_set = proposed_by(acting(author), purpose_with("newsletter", order=77 + ChangeSet.objects.count()))
    browser = signed_in(User.objects.get(pk=approver.pk))
    page = f"/admin/changes/{change_set.pk}/"
    answer = browser.post(f"{page}approve", {"seen": change_set.digest}, follow=True)
    change_set.refresh_from_db()
    assert answer.status_code == 200
    if change_set.state == ChangeSet.State.IN_FORCE:
        return False
    assert change_set.state == ChangeSet.State.PROPOSED, "a refused approval keeps the proposal"
    assert "do not count as two persons" in answer.content.decode()
    assert f'action="{page}approve"' not in answer.content.decode()
    return True


def test_two_officers_of_the_operators_command_are_independent(anna: User) -> None:
    assert not refused_through_the_page(anna, by_command("ben"))


def test_who_sets_the_own_password_by_the_link_stays_independent(anna: User) -> None:
    ben = by_command("ben")
    link = invitations.link_for(ben)
    browser = Client()
    form = browser.get(link[link.index("/admin") :], follow=True)
    address = form.redirect_chain[-1][0] if form.redirect_chain else link[link.index("/admin") :]
    browser.post(address, {"new_password1": SECRET, "new_password2": SECRET}, follow=True)
    ben.refresh_from_db()
    assert ben.check_password(SECRET)

    assert not refused_through_the_page(anna, ben)


def test_a_superusers_second_account_is_no_second_person(anna: User, admin: Client) -> None:
    second = add_account(admin, "anna2")

    assert refused_through_the_page(anna, second)
    assert refused_through_the_page(second, anna)


def test_two_accounts_that_a_third_made_are_one_person(admin: Client) -> None:
    first, second = add_account(admin, "first"), add_account(admin, "second")

    assert refused_through_the_page(first, second)


def test_who_reset_a_password_may_use_the_account(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    reset_password(admin, ben)

    assert refused_through_the_page(anna, ben)


def test_an_own_password_after_the_reset_clears_nothing(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    reset_password(admin, ben)
    form = {"old_password": SECRET, "new_password1": f"{SECRET}2", "new_password2": f"{SECRET}2"}
    assert signed_in(User.objects.get(pk=ben.pk)).post("/admin/password_change/", form).status_code == 302

    assert refused_through_the_page(anna, ben)


def test_a_factor_recovered_by_command_is_nobodys_step(anna: User) -> None:
    ben = by_command("ben")
    with_app(ben)
    call_command("officers", "recover", "ben", stdout=_out())

    assert not refused_through_the_page(anna, ben)


def test_roles_that_an_independent_officer_seconded_are_nobodys_step(anna: User, admin: Client) -> None:
    ben, carl = by_command("ben"), by_command("carl")
    change_set = propose_roles(admin, ben, *ROLES, "auditor")
    assert "auditor" not in role_groups.roles_of(ben)

    press(signed_in(carl), change_set, "approve")

    assert role_groups.roles_of(ben) == sorted([*ROLES, "auditor"])
    event = AuditEvent.objects.filter(action="role.changed").first()
    assert event is not None
    assert event.details == {
        "account": ben.pk, "name": "ben", "by": carl.pk, "set": change_set.pk, "added": ["role:auditor"],
    }  # fmt: skip
    assert not refused_through_the_page(anna, ben)
    assert not refused_through_the_page(carl, ben)


def test_roles_that_one_officer_took_away_alone_are_their_step(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    fields = {"is_active": "on", "is_staff": "on", "roles": ["approver"], "email": ""}
    admin.post(reverse("admin:auth_user_change", args=[ben.pk]), fields)
    change_set = ChangeSet.objects.latest("id")

    press(admin, change_set, "protective")

    assert (change_set.kind, role_groups.roles_of(ben)) == ("protective", ["approver"])
    assert refused_through_the_page(anna, ben)


def test_roles_are_given_by_no_single_officer(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    fields = {"is_active": "on", "is_staff": "on", "roles": [*ROLES, "operator"], "email": ""}
    admin.post(reverse("admin:auth_user_change", args=[ben.pk]), fields)
    change_set = ChangeSet.objects.latest("id")

    for button in ("emergency", "protective", "alone", "approve"):
        press(admin, change_set, button)

    assert (change_set.state, role_groups.roles_of(ben)) == ("draft", sorted(ROLES))


def test_an_account_made_on_the_page_has_no_rights(admin: Client) -> None:
    form = {"username": "zoe", "password1": SECRET, "password2": SECRET, "usable_password": "true", "is_staff": "on"}
    assert admin.post(reverse("admin:auth_user_add"), form).status_code == 302

    zoe = User.objects.get(username="zoe")
    assert (zoe.is_staff, zoe.is_superuser, zoe.groups.count()) == (False, False, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE auth_user SET is_superuser = true WHERE username = 'ben'",
        "UPDATE auth_user SET is_staff = false WHERE username = 'ben'",
        "INSERT INTO auth_user_groups (user_id, group_id) SELECT u.id, g.id FROM auth_user u, auth_group g",
        "DELETE FROM auth_user_groups",
        "DELETE FROM auth_user_user_permissions",
    ],
)
def test_rights_are_not_written_past_change_sets(anna: User, statement: str) -> None:
    by_command("ben")

    with pytest.raises(DatabaseError, match="changed by a change set"), transaction.atomic():
        connection.cursor().execute(statement)


def test_an_account_renamed_in_between_is_the_same(anna: User, admin: Client) -> None:
    second = add_account(admin, "anna2")
    with operator_writes():
        second.username = "zoe"
        second.save()

    assert refused_through_the_page(anna, second)


def test_an_account_deleted_and_made_again_is_no_second_person(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    page = reverse("admin:auth_user_delete", args=[ben.pk])
    assert admin.post(page, {"post": "yes"}).status_code == 302
    second_newest()
    assert not User.objects.filter(username="ben").exists()

    assert refused_through_the_page(anna, add_account(admin, "ben"))


def test_one_officer_deletes_no_account(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    admin.post(reverse("admin:auth_user_delete", args=[ben.pk]), {"post": "yes"})
    change_set = ChangeSet.objects.latest("id")

    assert change_set.title == "Delete the account of officer “ben”"
    assert User.objects.filter(pk=ben.pk).exists()
    for button in ("protective", "emergency"):
        press(admin, change_set, button)
        assert change_set.state == ChangeSet.State.DRAFT
    admin.post(f"/admin/changes/{change_set.pk}/propose", {"because": "has left"})
    press(admin, change_set, "approve")
    assert change_set.state == ChangeSet.State.PROPOSED
    assert User.objects.filter(pk=ben.pk).exists()


def test_a_deleted_account_does_not_come_back_by_undo(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    admin.post(reverse("admin:auth_user_delete", args=[ben.pk]), {"post": "yes"})

    with pytest.raises(ChangeRefused, match="does not come back"):
        undoing.undo(second_newest(), actor=acting(anna))


def test_an_account_that_records_name_is_not_deleted(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    proposed_by(acting(ben), purpose_with("newsletter", order=77))

    admin.post(reverse("admin:auth_user_delete", args=[ben.pk]), {"post": "yes"})

    assert User.objects.filter(pk=ben.pk).exists()
    assert not ChangeSet.objects.filter(title__startswith="Delete").exists(), "the page says what names it"


def test_one_officer_takes_the_sign_in_and_another_looks_later(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    fields = {"is_staff": "on", "roles": ROLES, "email": ""}
    admin.post(reverse("admin:auth_user_change", args=[ben.pk]), fields)
    change_set = ChangeSet.objects.latest("id")

    press(admin, change_set, "protective")

    ben.refresh_from_db()
    assert (ben.is_active, change_set.is_unreviewed) == (False, True)
    press(admin, change_set, "review")
    assert change_set.is_unreviewed, "its author does not review it"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active) VALUES ('e', '', 't', 't', 't')",
        "DELETE FROM auth_user WHERE username = 'ben'",
        "INSERT INTO auth_group (name) VALUES ('role:eve')",
        "UPDATE auth_group SET name = 'role:eve'",
        "DELETE FROM auth_group",
        "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (1, 1)",
        "DELETE FROM auth_group_permissions",
        "UPDATE auth_permission SET codename = 'approve_changeset' WHERE codename = 'view_changeset'",
        "DELETE FROM auth_permission",
    ],
)
def test_accounts_and_groups_are_not_written_past_named_ways(anna: User, statement: str) -> None:
    by_command("ben")

    with pytest.raises(DatabaseError, match="changed by a change set"), transaction.atomic():
        connection.cursor().execute(statement)


def test_the_demonstration_makes_its_officer_by_a_named_way(anna: User) -> None:
    register.reset_officer("a long password of the demonstration")

    assert User.objects.get(username="officer").is_superuser


def test_djangos_own_command_makes_no_superuser(anna: User) -> None:
    """docs/officer-access.md: an account that may do everything is made by the operator's command alone."""
    with pytest.raises(DatabaseError, match="changed by a change set"), transaction.atomic():
        call_command("createsuperuser", username="root", email="", interactive=False, stdout=_out())


def test_a_week_later_it_is_the_same(anna: User, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    second = add_account(admin, "anna2")
    later = timezone.now() + timedelta(days=8)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)

    assert not independent(anna.pk, second.pk).is_independent
    change_set = proposed_by(acting(anna), purpose_with("newsletter", order=77))
    with pytest.raises(SecondOfficerNeeded):
        approval.approve(change_set, actor=acting(second), seen=change_set.digest)


def test_a_group_edited_by_an_officer_touches_its_members(anna: User, admin: Client) -> None:
    ben = by_command("ben")
    with operator_writes():
        group = Group.objects.create(name="helpers")
        ben.groups.add(group)
    assert independent(anna.pk, ben.pk).is_independent
    page = reverse("admin:auth_group_delete", args=[group.pk])
    assert admin.post(page, {"post": "yes"}).status_code == 302
    assert not Group.objects.filter(name="helpers").exists()

    assert refused_through_the_page(anna, ben)


def test_the_operators_word_draws_a_line(anna: User, admin: Client) -> None:
    second = add_account(admin, "anna2")
    call_command("officers", "vouch", "anna2", stdout=_out())
    assert not refused_through_the_page(anna, second)

    reset_password(admin, second)
    assert refused_through_the_page(anna, second)
