"""Accounts of officers by the operator's command, each step in the audit trail."""

import io
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from audit.models import AuditEvent
from governance.models import RecoveryCode, SecondFactor
from governance.officers import role_groups
from governance.sign_in import factors
from tests.helpers.officers import PASSWORD, password_typed, signed_in, with_app

pytestmark = pytest.mark.django_db
NEW = "Kx9-long-enough"


def _run(*words, **options):
    out = io.StringIO()
    call_command("officers", *words, stdout=out, **options)
    return out.getvalue()


def _create(monkeypatch, *words, password=PASSWORD):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    return _run("create", *words, "--password-stdin")


def _actions(user):
    events = AuditEvent.objects.filter(object=f"account:{user.pk}").order_by("position")
    assert {(event.actor, event.details["by"]) for event in events} <= {("job:shell", None), ("job:invitation", None)}
    return [event.action for event in events]


def test_an_account_is_created_with_password_and_roles(db, monkeypatch):
    _create(monkeypatch, "ben", "--role", "approver", "--role", "auditor")

    ben = User.objects.get(username="ben")
    assert ben.check_password(PASSWORD)
    assert (ben.is_staff, ben.is_superuser) == (True, False)
    assert role_groups.roles_of(ben) == ["approver", "auditor"]
    assert _actions(ben) == ["officer.created", "role.changed"]


def test_only_the_command_makes_an_account_that_may_do_everything(db, monkeypatch):
    _create(monkeypatch, "root", "--superuser")

    assert User.objects.get().is_superuser


@pytest.mark.parametrize("password", ["short", "password1234", ""])
def test_a_weak_password_makes_no_account(db, monkeypatch, password):
    with pytest.raises(CommandError):
        _create(monkeypatch, "ben", password=password)
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["ben", "", "x" * 151, "two words"])
def test_a_name_that_is_taken_or_none_makes_no_account(db, monkeypatch, name):
    User.objects.create_user("ben")

    with pytest.raises(CommandError):
        _create(monkeypatch, name)
    assert User.objects.count() == 1


def test_an_unknown_role_is_refused(db):
    with pytest.raises(CommandError):
        _run("invite", "ben", "--role", "king")


def _follow(link):
    browser = Client()
    page = browser.get(urlsplit(link).path, follow=True)
    return browser, page


def _choose(link, password=NEW):
    browser, page = _follow(link)
    if not page.context["validlink"]:
        return page
    return browser.post(page.request["PATH_INFO"], {"new_password1": password, "new_password2": password})


def test_an_invited_officer_sets_the_password_by_a_link_that_counts_once(register_in_force):
    link = _run("invite", "ben", "--role", "auditor").splitlines()[-1]
    ben = User.objects.get(username="ben")
    assert not ben.has_usable_password()

    assert _choose(link).status_code == 302

    ben.refresh_from_db()
    assert ben.check_password(NEW)
    assert _actions(ben) == ["officer.created", "role.changed", "officer.password_set"]
    assert _choose(link, "another-long-one").context["validlink"] is False


def test_the_links_token_leaves_the_address(register_in_force):
    link = _run("invite", "ben").splitlines()[-1]

    _browser, page = _follow(link)

    assert urlsplit(link).path.split("/")[-2] not in page.request["PATH_INFO"]
    assert page.status_code == 200


def test_a_weak_password_is_refused_behind_the_link(register_in_force):
    answer = _choose(_run("invite", "ben").splitlines()[-1], "short")

    assert answer.status_code == 200
    assert not User.objects.get().has_usable_password()


@pytest.fixture
def ben(register_in_force):
    return User.objects.create_superuser("ben", password=PASSWORD)


def test_a_reset_password_ends_sessions_and_is_set_anew_by_a_link(ben):
    browser = signed_in(ben)
    link = _run("reset-password", "ben").splitlines()[-1]

    assert browser.get("/admin/").status_code == 302
    assert password_typed(ben).get("/admin/").status_code == 302
    _choose(link)
    ben.refresh_from_db()
    assert ben.check_password(NEW)
    assert _actions(ben) == ["officer.created", "officer.password_set", "officer.password_set"]


def test_a_second_reset_ends_the_first_link(ben):
    first = _run("reset-password", "ben").splitlines()[-1]
    _run("reset-password", "ben")

    assert _choose(first).context["validlink"] is False


def test_a_link_leaves_the_second_factor_in_place(ben):
    with_app(ben)
    _choose(_run("reset-password", "ben").splitlines()[-1])

    browser = Client()
    browser.post("/admin/login/", {"username": "ben", "password": NEW})
    assert browser.get("/admin/").status_code == 302


def test_recovery_removes_factors_codes_and_sessions(ben):
    with_app(ben)
    factors.new_recovery_codes(ben)

    _run("recover", "ben")

    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert password_typed(ben).get("/admin/").status_code == 200
    event = AuditEvent.objects.get(action="officer.recovered")
    assert (event.object, event.actor, event.details["removed"]) == (f"account:{ben.pk}", "job:shell", ["app"])


def test_roles_are_given_and_taken_away(ben):
    assert "auditor, operator" in _run("roles", "ben", "--add", "auditor", "--add", "operator")
    assert "ben: operator" in _run("roles", "ben", "--remove", "auditor")

    assert _actions(ben) == ["officer.created", "role.changed", "role.changed"]
    assert "Reads everything and changes nothing." in _run("roles")


def test_vouching_is_on_record(ben):
    _run("vouch", "ben")

    event = AuditEvent.objects.get(action="officer.vouched")
    assert (event.object, event.details) == (f"account:{ben.pk}", {"account": ben.pk, "name": "ben", "by": None})


@pytest.mark.parametrize("command", ["reset-password", "recover", "vouch", "roles"])
def test_an_unknown_account_is_named(db, command):
    with pytest.raises(CommandError, match="no account 'carla'"):
        _run(command, "carla")


def test_the_list_names_accounts_with_factor_and_roles(ben):
    with_app(ben)
    User.objects.create_user("guest")

    text = _run("list")

    assert "second factor" in next(line for line in text.splitlines() if " ben " in line)
    assert "may not sign in" in next(line for line in text.splitlines() if " guest " in line)
