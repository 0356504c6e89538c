"""A link to the privacy dashboard opens it once; whatever else happens, the page tells a guesser nothing."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from visitor import forms_in

from consent import links
from consent.models import SubjectLink
from consent.pseudonyms import subject_ref

pytestmark = pytest.mark.django_db
REF = subject_ref("customer-1")


def _issued() -> str:
    return f"/privacy/open/{links.issue_link(subject_ref=REF, issued_by='service:shop')[0]}"


def _used() -> str:
    path = _issued()
    Client().get(path)
    return path


def _expired() -> str:
    path = _issued()
    SubjectLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return path


def test_an_issued_link_leads_to_the_dashboard(register_in_force):
    opened = Client().get(_issued(), follow=True)

    assert opened.redirect_chain == [("/privacy/", 302)]
    assert "You are seeing" in opened.content.decode()


def test_a_used_link_opens_nothing_in_another_browser(register_in_force):
    path, other = _used(), Client()

    again = other.get(path)

    assert again.status_code == 410
    assert settings.SUBJECT_COOKIE_NAME not in again.cookies
    assert other.get("/privacy/").status_code == 403


def test_used_expired_unknown_and_overlong_links_show_the_same_page(register_in_force):
    paths = [_used(), _expired(), "/privacy/open/never-issued", f"/privacy/open/{'x' * 500}"]

    answers = [Client().get(path) for path in paths]

    assert {answer.status_code for answer in answers} == {410}
    assert len({answer.content for answer in answers}) == 1
    assert "This link does not work" in answers[0].content.decode()


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(register_in_force):
    cookie = Client().get(_issued()).cookies[settings.SUBJECT_COOKIE_NAME]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert cookie["max-age"] == 30 * 60


def test_the_session_cookie_is_sent_over_tls_only_where_the_page_is_served_over_tls(register_in_force, monkeypatch):
    assert not Client().get(_issued()).cookies[settings.SUBJECT_COOKIE_NAME]["secure"]

    monkeypatch.setattr(settings, "SESSION_COOKIE_SECURE", True)

    assert Client().get(_issued()).cookies[settings.SUBJECT_COOKIE_NAME]["secure"]


def test_the_link_itself_is_no_session(register_in_force):
    token = _issued().rsplit("/", 1)[1]
    browser = Client()
    browser.cookies[settings.SUBJECT_COOKIE_NAME] = token

    assert browser.get("/privacy/").status_code == 403


@pytest.mark.parametrize("secret", ["", "x", "x" * 5_000])
def test_a_made_up_session_sees_nobody(register_in_force, secret):
    browser = Client()
    browser.cookies[settings.SUBJECT_COOKIE_NAME] = secret

    answer = browser.get("/privacy/")

    assert answer.status_code == 403
    assert "purposes" not in (answer.context or {})


def test_signing_out_ends_the_session_and_not_only_the_cookie(visitor):
    secret = visitor.browser.cookies[settings.SUBJECT_COOKIE_NAME].value
    form = next(form for form in forms_in(visitor.look()) if form["action"] == "/privacy/sign-out")

    visitor.press(form)

    copied = Client()
    copied.cookies[settings.SUBJECT_COOKIE_NAME] = secret
    assert copied.get("/privacy/").status_code == 403
