"""A link to the privacy dashboard opens it once; whatever else happens, the page tells a guesser nothing."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from consent import links
from consent.models import SubjectLink
from consent.pseudonyms import subject_ref
from tests.helpers.visitor import Visitor, follow_link, forms_in

pytestmark = pytest.mark.django_db
SETTINGS = "governance.settings.test"
REF = subject_ref("customer-1")


def _issued() -> str:
    return f"/privacy/open/{links.issue_link(subject_ref=REF, issued_by='service:shop')[0]}"


def _used() -> str:
    path = _issued()
    follow_link(Client(), path)
    return path


def _revoked() -> str:
    path = _issued()
    links.revoke_access(subject_ref=REF, actor="service:shop")
    return path


def _expired() -> str:
    path = _issued()
    SubjectLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return path


def test_an_issued_link_and_its_button_lead_to_the_dashboard(register_in_force):
    browser = Client(enforce_csrf_checks=True)

    opened = follow_link(browser, _issued())

    assert (opened.status_code, opened.headers["Location"]) == (302, "/privacy/")
    assert "You are seeing" in browser.get("/privacy/").content.decode()


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_that_follows_the_link_does_not_use_it_up(register_in_force, method):
    path, scanner = _issued(), Client()

    answers = [getattr(scanner, method)(path) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert settings.SUBJECT_COOKIE_NAME not in scanner.cookies
    assert SubjectLink.objects.get().opened_at is None
    assert follow_link(Client(), path).status_code == 302


def test_the_button_works_only_with_the_token_of_its_own_page(register_in_force):
    path = _issued()
    token = path.rsplit("/", 1)[1]

    forged = Client(enforce_csrf_checks=True).post("/privacy/open", {"token": token})

    assert forged.status_code == 403
    assert SubjectLink.objects.get().opened_at is None


def test_the_page_with_the_button_hands_the_link_to_nobody(register_in_force):
    answer = Client().get(_issued())

    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert '<meta name="referrer" content="strict-origin">' in answer.content.decode()


def test_a_used_link_opens_nothing_in_another_browser(register_in_force):
    path, other = _used(), Client()

    again = follow_link(other, path)

    assert again.status_code == 410
    assert settings.SUBJECT_COOKIE_NAME not in again.cookies
    assert other.get("/privacy/").status_code == 403


def test_two_browsers_with_the_same_page_open_one_session(register_in_force):
    path, first, second = _issued(), Client(), Client()
    forms = [(browser, forms_in(browser.get(path))[0]) for browser in (first, second)]

    answers = [browser.post(form["action"], form["fields"]).status_code for browser, form in forms]

    assert answers == [302, 410]
    assert [browser.get("/privacy/").status_code for browser in (first, second)] == [200, 403]


def test_every_link_shows_the_same_page_before_its_button_is_pressed(register_in_force):
    paths = [_issued(), _used(), _revoked(), _expired(), "/privacy/open/never-issued"]

    pages = []
    for path in paths:
        answer = Client().get(path)
        (form,) = forms_in(answer)
        page = answer.content.decode().replace(form["fields"]["csrfmiddlewaretoken"], "CSRF")
        pages.append((answer.status_code, page.replace(path.rsplit("/", 1)[1], "TOKEN")))

    assert len(set(pages)) == 1
    assert pages[0][0] == 200


def test_used_expired_revoked_unknown_and_overlong_links_are_refused_alike(register_in_force):
    paths = [_used(), _revoked(), _expired(), "/privacy/open/never-issued", f"/privacy/open/{'x' * 500}"]

    answers = [follow_link(Client(), path) for path in paths]

    assert {answer.status_code for answer in answers} == {410}
    assert len({answer.content for answer in answers}) == 1
    assert "This link does not work" in answers[0].content.decode()


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(register_in_force):
    cookie = follow_link(Client(), _issued()).cookies[settings.SUBJECT_COOKIE_NAME]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert cookie["max-age"] == 30 * 60


def test_the_session_cookie_is_sent_over_tls_only_where_the_page_is_served_over_tls(register_in_force, monkeypatch):
    assert not follow_link(Client(), _issued()).cookies[settings.SUBJECT_COOKIE_NAME]["secure"]

    monkeypatch.setattr(settings, "SESSION_COOKIE_SECURE", True)

    assert follow_link(Client(), _issued()).cookies[settings.SUBJECT_COOKIE_NAME]["secure"]


def test_a_session_cookie_a_browser_brings_along_never_becomes_a_session(register_in_force):
    browser = Client()
    browser.cookies[settings.SUBJECT_COOKIE_NAME] = "planted-by-somebody"

    follow_link(browser, _issued())

    assert browser.cookies[settings.SUBJECT_COOKIE_NAME].value != "planted-by-somebody"
    planted = Client()
    planted.cookies[settings.SUBJECT_COOKIE_NAME] = "planted-by-somebody"
    assert planted.get("/privacy/").status_code == 403


def test_a_new_link_ends_the_session_this_browser_had(visitor):
    before = visitor.browser.cookies[settings.SUBJECT_COOKIE_NAME].value

    visitor.come_in()

    assert links.open_session(before) is None
    assert visitor.look().status_code == 200


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


def test_signing_out_everywhere_ends_every_session_and_every_link_of_that_person_only(visitor):
    elsewhere, other = Visitor("customer-1").come_in(), Visitor("customer-2").come_in()
    unopened = _issued()
    form = next(form for form in forms_in(visitor.look()) if form["action"] == "/privacy/end-all-sessions")

    visitor.press(form)

    assert visitor.browser.get("/privacy/").status_code == 403
    assert elsewhere.browser.get("/privacy/").status_code == 403
    assert follow_link(Client(), unopened).status_code == 410
    assert other.look().status_code == 200


def test_signing_out_everywhere_needs_a_session_and_its_form(visitor):
    assert Client().post("/privacy/end-all-sessions").status_code == 403
    assert visitor.browser.post("/privacy/end-all-sessions").status_code == 403
    assert visitor.look().status_code == 200


def test_cookies_on_https_are_bound_to_the_host():
    """Read as an installation with an https address would: in a process of its own."""
    names = ("SESSION", "CSRF", "SUBJECT", "SIGN_IN", "MESSAGE")
    script = (
        "import django; django.setup(); from django.conf import settings as s; "
        f"print(*(getattr(s, n + '_COOKIE_NAME') for n in {names})); "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_PATH, s.CSRF_COOKIE_PATH, "
        "s.SESSION_COOKIE_DOMAIN, s.CSRF_COOKIE_DOMAIN)"
    )
    environment = {**os.environ, "PUBLIC_URL": "https://privacy.example.org", "DJANGO_SETTINGS_MODULE": SETTINGS}

    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    cookies, rules = done.stdout.splitlines()
    assert all(name.startswith("__Host-") for name in cookies.split())
    assert len(set(cookies.split())) == len(names)
    assert rules == "True True / / None None"
