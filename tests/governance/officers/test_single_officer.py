"""An installation where no second person can approve says so on every page of the administration."""

import pytest
from django.contrib.auth.models import User

from governance.officers import single_officer
from tests.helpers.officers import signed_in, with_role

pytestmark = pytest.mark.django_db
WORDS = "Single officer."
PAGES = ["/admin/", "/admin/consent/purpose/", "/admin/consent/purpose/add/", "/admin/trust/", "/admin/account/"]


@pytest.mark.parametrize("path", PAGES)
def test_with_one_officer_every_page_says_so(officer, path):
    assert WORDS in officer.get(path).content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_with_two_who_can_approve_no_page_does(officer, path):
    with_role("ben", "approver")

    assert WORDS not in officer.get(path).content.decode()


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_staff": False}])
def test_an_account_that_may_not_sign_in_is_no_second_one(officer, state):
    ben = with_role("ben", "approver")
    User.objects.filter(pk=ben.pk).update(**state)

    assert single_officer.is_single()


def test_an_auditor_is_no_second_one(officer):
    with_role("ada", "auditor")

    assert single_officer.is_single()


def test_the_sign_in_page_says_nothing_of_it(officer):
    officer.post("/admin/logout/")

    assert WORDS not in officer.get("/admin/login/").content.decode()


def test_a_role_without_the_right_to_approve_sees_the_mark_too(register_in_force):
    assert WORDS in signed_in(with_role("mia", "marketing")).get("/admin/").content.decode()
