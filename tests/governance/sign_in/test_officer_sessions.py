"""Sessions of officers are listed and end with their next request."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from audit.models import AuditEvent
from governance.models import OfficerSession
from governance.sign_in import sessions
from tests.helpers.officers import PASSWORD, password_typed, signed_in, with_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def ben(register_in_force):
    return with_role("ben", "privacy-officer")


def _is_inside(browser):
    return browser.get("/admin/").status_code == 200


def test_an_officer_lists_and_ends_their_own_sessions(ben):
    here, there = signed_in(ben), password_typed(ben)
    other = OfficerSession.objects.order_by("-began_at").first()
    assert str(other.pk) in here.get("/admin/account/").content.decode()

    here.post(f"/admin/account/sessions/{other.pk}/end")

    assert _is_inside(here)
    assert not _is_inside(there)
    assert there.cookies[settings.SESSION_COOKIE_NAME].value == ""
    assert str(other.pk) not in here.get("/admin/account/").content.decode()


def test_all_others_end_at_once(ben):
    here, there, elsewhere = signed_in(ben), signed_in(ben), signed_in(ben)

    here.post("/admin/account/sessions/end-others")

    assert [_is_inside(browser) for browser in (here, there, elsewhere)] == [True, False, False]


def test_another_officers_session_is_neither_shown_nor_ended(ben):
    olga = signed_in(with_role("olga", "marketing"))
    bens = signed_in(ben)
    number = OfficerSession.objects.get(account=ben).pk

    assert str(number) not in olga.get("/admin/account/").content.decode()
    olga.post(f"/admin/account/sessions/{number}/end")

    assert _is_inside(bens)
    assert olga.get("/admin/governance/officersession/").status_code == 403


def test_an_operator_ends_sessions_of_all_and_it_is_on_record(ben):
    operator, bens = with_role("olga", "operator"), signed_in(ben)
    browser = signed_in(operator)
    number = OfficerSession.objects.get(account=ben).pk
    assert "ben" in browser.get("/admin/governance/officersession/").content.decode()

    browser.post("/admin/governance/officersession/", {"action": "end", "_selected_action": [str(number)]})

    assert not _is_inside(bens)
    event = AuditEvent.objects.get(action="officer.session_ended")
    assert (event.object, event.details["by"]) == (f"account:{ben.pk}", operator.pk)


def test_an_auditor_sees_sessions_and_ends_none(ben):
    bens = signed_in(ben)
    auditor = signed_in(with_role("ada", "auditor"))
    number = OfficerSession.objects.get(account=ben).pk
    assert auditor.get("/admin/governance/officersession/").status_code == 200

    auditor.post("/admin/governance/officersession/", {"action": "end", "_selected_action": [str(number)]})

    assert _is_inside(bens)


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(ben):
    here, there = signed_in(ben), signed_in(ben)
    new = "Kx9-long-enough"

    here.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert _is_inside(here)
    assert not _is_inside(there)
    assert sessions.in_force().filter(account=ben).count() == 1


def test_a_sign_out_ends_the_session_for_who_copied_it(ben):
    browser, thief = signed_in(ben), signed_in(ben)
    thief.cookies[settings.SESSION_COOKIE_NAME] = browser.cookies[settings.SESSION_COOKIE_NAME].value

    browser.post("/admin/logout/")

    assert not _is_inside(thief)


def test_a_session_ends_after_its_time_however_much_it_is_used(ben):
    browser = signed_in(ben)
    assert _is_inside(browser)
    OfficerSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert not _is_inside(browser)


def test_a_session_without_its_row_is_nobodys(ben):
    browser = signed_in(ben)
    OfficerSession.objects.all().delete()

    assert not _is_inside(browser)


def test_a_deactivated_account_is_out_at_its_next_request(ben):
    browser = signed_in(ben)
    User.objects.filter(pk=ben.pk).update(is_active=False)

    assert not _is_inside(browser)


def test_sessions_long_over_leave_no_row(ben):
    signed_in(ben)
    OfficerSession.objects.update(expires_at=timezone.now() - timedelta(days=2))

    signed_in(ben)

    assert OfficerSession.objects.count() == 1


def test_a_page_of_people_costs_no_look_at_officers_sessions(ben, sql):
    browser = signed_in(ben)
    sql.clear()

    browser.get("/privacy/")

    assert not any("officersession" in statement for statement in map(str, sql))
