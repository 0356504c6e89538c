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

pytestmark = pytest.mark.django_db
SECRET = "Kx9-long-enough"


@pytest.fixture
def ben(officer):
    return User.objects.create_user("ben", is_staff=True)


def _last(action):
    event = AuditEvent.objects.filter(action=action).first()
    return None if event is None else (event.object, event.actor, event.details)


def _reset_password(officer, user):
    fields = {"password1": SECRET, "password2": SECRET, "usable_password": "true"}
    return officer.post(reverse("admin:auth_user_password_change", args=[user.pk]), fields)


def test_a_password_reset_of_another_officer_is_recorded(officer, ben):
    assert _reset_password(officer, ben).status_code == 302

    assert _last("officer.changed") == ("ben", "officer:anna", {"account": ben.pk, "fields": ["password"]})
    ben.refresh_from_db()
    assert ben.check_password(SECRET)
    texts = json.dumps(list(AuditEvent.objects.values_list("details", flat=True)))
    assert SECRET not in texts
    assert ben.password not in texts


def test_a_password_is_not_reset_where_its_event_cannot_be_written(officer, ben, monkeypatch):
    officer.raise_request_exception = False
    before = User.objects.get(pk=ben.pk).password

    def fail(*event, **more):
        raise DatabaseError("full")

    with monkeypatch.context() as broken:
        broken.setattr(trail, "record", fail)
        assert _reset_password(officer, ben).status_code == 500

    assert User.objects.get(pk=ben.pk).password == before


def test_a_new_group_and_the_rights_given_to_it_are_recorded(officer):
    rights = list(Permission.objects.values_list("pk", flat=True))

    assert officer.post("/admin/auth/group/add/", {"name": "all", "permissions": rights}).status_code == 302

    group = Group.objects.get()
    assert _last("group.created") == ("all", "officer:anna", {"account": group.pk, "fields": []})
    name, actor, details = _last("group.rights_changed")
    assert (name, actor, len(details["added"])) == ("all", "officer:anna", len(rights))
    assert "auth.change_user" in details["added"]


def test_rights_taken_from_a_group_are_recorded(officer):
    group = Group.objects.create(name="readers")
    kept, taken = Permission.objects.order_by("pk")[:2]
    group.permissions.set([kept, taken])

    officer.post(f"/admin/auth/group/{group.pk}/change/", {"name": "readers", "permissions": [kept.pk]})

    removed = [f"{taken.content_type.app_label}.{taken.codename}"]
    assert _last("group.rights_changed") == ("readers", "officer:anna", {"account": group.pk, "removed": removed})


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

    if change == "reverse":
        assert _last("group.members_changed") == ("readers", "job:shell", {"account": group.pk, "added": ["ben"]})
    else:
        word = "removed" if change == "clear" else "added"
        assert _last("officer.groups_changed") == ("ben", "job:shell", {"account": ben.pk, word: ["readers"]})


def test_a_right_given_to_one_account_is_recorded(ben):
    ben.user_permissions.add(Permission.objects.get(codename="add_group"))

    assert _last("officer.rights_changed") == ("ben", "job:shell", {"account": ben.pk, "added": ["auth.add_group"]})


def test_a_renamed_account_is_recorded_with_both_names(ben):
    ben.username = "benno"
    ben.save()

    assert _last("officer.changed") == (
        "benno", "job:shell", {"account": ben.pk, "fields": ["username"], "before": "ben"},
    )  # fmt: skip


def test_accounts_deleted_in_a_list_are_recorded_each(officer, ben):
    carla = User.objects.create_user("carla")
    rows = [ben.pk, carla.pk]

    officer.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": rows, "post": "yes"})

    gone = AuditEvent.objects.filter(action="officer.deleted", actor="officer:anna")
    assert {(event.object, event.details["account"]) for event in gone} == {("ben", rows[0]), ("carla", rows[1])}


def test_a_deleted_group_is_recorded_with_its_members(officer, ben):
    group = Group.objects.create(name="readers")
    ben.groups.add(group)
    number = group.pk

    officer.post(f"/admin/auth/group/{number}/delete/", {"post": "yes"})

    assert _last("group.deleted") == ("readers", "officer:anna", {"account": number, "members": ["ben"]})


def test_an_account_made_on_the_shell_is_recorded(db):
    call_command("createsuperuser", username="root", email="", interactive=False, stdout=io.StringIO())

    name, actor, details = _last("officer.created")
    assert (name, actor) == ("root", "job:shell")
    assert details["fields"] == ["is_active", "is_staff", "is_superuser"]


def test_a_login_by_itself_is_no_change(officer, ben):
    ben.set_password(SECRET)
    ben.save()
    before = AuditEvent.objects.count()

    officer.post("/admin/login/", {"username": "ben", "password": SECRET})

    assert AuditEvent.objects.count() == before
