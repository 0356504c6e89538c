"""Every change of an account, a group or a right is in the trail, whichever page or command makes it."""

import io
import json

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import DatabaseError
from django.urls import reverse

from audit import trail
from audit.models import AuditEvent
from governance.officers import role_groups
from governance.officers.roles import ROLES
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db
SECRET = "Kx9-long-enough"


@pytest.fixture
def ben(officer):
    return User.objects.create_user("ben", is_staff=True)


@pytest.fixture
def anna(officer):
    return User.objects.get(username="anna")


def _last(action):
    event = AuditEvent.objects.filter(action=action).first()
    return None if event is None else (event.object, event.actor, event.details)


def _details(user, by=None, **more):
    return {"account": user.pk, "name": user.username, "by": by, **more}


def _reset_password(officer, user):
    fields = {"password1": SECRET, "password2": SECRET, "usable_password": "true"}
    return officer.post(reverse("admin:auth_user_password_change", args=[user.pk]), fields)


def test_a_password_reset_of_another_officer_is_recorded(officer, anna, ben):
    assert _reset_password(officer, ben).status_code == 302

    expected = (f"account:{ben.pk}", "officer:anna", _details(ben, anna.pk, usable=True))
    assert _last("officer.password_set") == expected
    ben.refresh_from_db()
    assert ben.check_password(SECRET)
    texts = json.dumps(list(AuditEvent.objects.values_list("details", flat=True)))
    assert SECRET not in texts
    assert ben.password not in texts


def test_an_own_new_password_is_recorded_as_the_accounts_own(officer, anna):
    fields = {"old_password": "a long password", "new_password1": SECRET, "new_password2": SECRET}

    assert officer.post("/admin/password_change/", fields).status_code == 302

    assert _last("officer.password_set") == (
        f"account:{anna.pk}", "officer:anna", _details(anna, anna.pk, usable=True),
    )  # fmt: skip


def test_a_password_of_djangos_own_command_is_recorded(ben, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda prompt="": SECRET)

    call_command("changepassword", "ben", stdout=io.StringIO())

    assert _last("officer.password_set") == (f"account:{ben.pk}", "job:shell", _details(ben, usable=True))


def test_a_password_hashed_anew_at_a_login_is_none_set(officer, ben):
    ben.set_password(SECRET)
    ben.save()
    AuditEvent.objects.filter(action="officer.password_set")
    before = AuditEvent.objects.filter(action="officer.password_set").count()
    ben.password = "md5$old$" + ben.password.rsplit("$", 1)[1]
    ben.save(update_fields=["password"])

    assert AuditEvent.objects.filter(action="officer.password_set").count() == before
    assert _last("officer.changed") == (f"account:{ben.pk}", "job:shell", _details(ben, fields=["password"]))


def test_a_password_taken_away_is_one_set(ben):
    ben.set_password(SECRET)
    ben.save()
    ben.set_unusable_password()
    ben.save(update_fields=["password"])

    assert _last("officer.password_set")[2]["usable"] is False


def test_a_password_is_not_reset_where_its_event_cannot_be_written(officer, ben, monkeypatch):
    officer.raise_request_exception = False
    before = User.objects.get(pk=ben.pk).password

    def fail(*event, **more):
        raise DatabaseError("full")

    with monkeypatch.context() as broken:
        broken.setattr(trail, "record", fail)
        assert _reset_password(officer, ben).status_code == 500

    assert User.objects.get(pk=ben.pk).password == before


def test_flags_are_recorded_with_before_and_after(officer, anna, ben):
    ben.is_superuser = True
    ben.save()

    assert _last("officer.rights_changed") == (
        f"account:{ben.pk}",
        "job:shell",
        _details(ben, before={"is_superuser": False}, after={"is_superuser": True}),
    )


def test_a_new_group_and_the_rights_given_to_it_are_recorded(db):
    group = Group.objects.create(name="all")
    group.permissions.set(Permission.objects.all())

    assert _last("group.created") == ("all", "job:shell", {"group": group.pk, "by": None})
    name, actor, details = _last("group.rights_changed")
    assert (name, actor, len(details["added"])) == ("all", "job:shell", Permission.objects.count())
    assert "auth.change_user" in details["added"]


def test_rights_taken_from_a_group_are_recorded_for_its_members(ben):
    group = Group.objects.create(name="readers")
    kept, taken = Permission.objects.order_by("pk")[:2]
    group.permissions.set([kept, taken])
    ben.groups.add(group)

    group.permissions.set([kept])

    removed = [f"{taken.content_type.app_label}.{taken.codename}"]
    assert _last("group.rights_changed") == (
        "readers", "job:shell", {"group": group.pk, "by": None, "removed": removed},
    )  # fmt: skip
    assert _last("officer.rights_changed") == (
        f"account:{ben.pk}", "job:shell", _details(ben, group="readers", removed=removed),
    )  # fmt: skip


@pytest.mark.parametrize("change", ["add", "set", "clear", "reverse"])
def test_memberships_are_recorded_from_either_side(ben, change):
    group = Group.objects.create(name="readers")
    if change == "clear":
        ben.groups.add(group)
    act = {
        "add": lambda: ben.groups.add(group),
        "set": lambda: ben.groups.set([group]),
        "clear": ben.groups.clear,
        "reverse": lambda: group.user_set.add(ben),
    }[change]

    act()

    word = "removed" if change == "clear" else "added"
    assert _last("role.changed") == (f"account:{ben.pk}", "job:shell", _details(ben, **{word: ["readers"]}))


def test_a_right_given_to_one_account_is_recorded_from_either_side(ben):
    right = Permission.objects.get(codename="add_group")
    expected = (f"account:{ben.pk}", "job:shell", _details(ben, added=["auth.add_group"]))

    ben.user_permissions.add(right)
    assert _last("officer.rights_changed") == expected

    ben.user_permissions.clear()
    right.user_set.add(ben)
    assert _last("officer.rights_changed") == expected


def test_a_renamed_account_is_recorded_with_both_names(ben):
    ben.username = "benno"
    ben.save()

    assert _last("officer.changed") == (
        f"account:{ben.pk}", "job:shell", _details(ben, fields=["username"], before="ben"),
    )  # fmt: skip


def test_accounts_deleted_in_a_list_are_recorded_each(officer, ben):
    carla = User.objects.create_user("carla")
    rows = [ben.pk, carla.pk]

    officer.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": rows})
    assert User.objects.filter(pk__in=rows).count() == 2, "it takes another officer"
    change_set = second_newest()

    gone = AuditEvent.objects.filter(action="officer.deleted")
    assert {event.details["set"] for event in gone} == {change_set.pk}
    assert {(event.object, event.details["name"]) for event in gone} == {
        (f"account:{rows[0]}", "ben"), (f"account:{rows[1]}", "carla"),
    }  # fmt: skip


def test_a_deleted_group_is_recorded_with_its_members(officer, anna, ben):
    group = Group.objects.create(name="readers")
    ben.groups.add(group)
    number = group.pk

    officer.post(f"/admin/auth/group/{number}/delete/", {"post": "yes"})

    expected = ("readers", "officer:anna", {"group": number, "by": anna.pk, "members": ["ben"]})
    assert _last("group.deleted") == expected
    assert _last("role.changed") == (f"account:{ben.pk}", "officer:anna", _details(ben, anna.pk, removed=["readers"]))


def test_roles_given_on_the_form_are_recorded_with_the_officer(officer, anna, ben, send):
    send(f"/admin/auth/user/{ben.pk}/change/", roles=["auditor"])

    assert _last("role.changed") is None
    change_set = second_newest()

    expected = _details(ben, None, set=change_set.pk, added=[ROLES["auditor"].group])
    assert role_groups.roles_of(ben) == ["auditor"]
    assert _last("role.changed") == (f"account:{ben.pk}", "job:shell", expected)  # no request: the test approves


def test_an_account_made_on_the_shell_is_recorded(db):
    call_command("createsuperuser", username="root", email="", interactive=False, stdout=io.StringIO())

    user = User.objects.get(username="root")
    flags = ["is_active", "is_staff", "is_superuser"]
    assert _last("officer.created") == (f"account:{user.pk}", "job:shell", _details(user, fields=flags))


def test_a_login_by_itself_is_no_change(officer, ben):
    ben.set_password(SECRET)
    ben.save()
    before = AuditEvent.objects.count()

    officer.post("/admin/login/", {"username": "ben", "password": SECRET})

    assert AuditEvent.objects.count() == before
