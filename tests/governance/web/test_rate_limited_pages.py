"""Whoever tries too often is told to wait, calmly; whoever succeeds is never in the way of others."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from consent import links
from consent.models import SubjectLink
from consent.pseudonyms import subject_ref
from tests.helpers.visitor import follow_link, question

pytestmark = pytest.mark.django_db
PASSWORD = "a long password"


def _issued(person="customer-1"):
    return links.issue_link(subject_ref=subject_ref(person), issued_by="service:shop")[0]


def _open(token, network="192.0.2.1"):
    return Client(REMOTE_ADDR=network).post("/privacy/open", {"token": token})


def test_guessing_links_ends_in_a_calm_page_that_says_when_to_come_again(register_in_force):
    token = _issued()

    answers = [_open(f"guess-{number}") for number in range(31)]

    assert [answer.status_code for answer in answers] == [410] * 30 + [429]
    assert "Too many attempts" in answers[-1].content.decode()
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 300
    # The real link is not used up by a visit that was turned away, and works from elsewhere.
    assert _open(token).status_code == 429
    assert _open(token, "203.0.113.1").status_code == 302


def test_people_of_one_network_who_open_their_links_do_not_get_in_each_others_way(register_in_force):
    answers = {_open(_issued(f"customer-{number}")).status_code for number in range(40)}

    assert answers == {302}


def test_a_forged_forwarded_address_helps_nobody(register_in_force):
    for number in range(31):
        client = Client(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=f"198.51.{number}.1")
        answer = client.post("/privacy/open", {"token": f"guess-{number}"})

    assert answer.status_code == 429


def test_a_person_gets_so_many_links_an_hour(api):
    body = {"subject": {"id": "customer-1"}}

    answers = [api.post("/api/v1/dashboard-links", body) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [201] * 20 + [429]
    refused = answers[-1]
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 180
    assert SubjectLink.objects.count() == 20
    assert api.post("/api/v1/dashboard-links", {"subject": {"id": "customer-2"}}).status_code == 201


def test_a_credential_gets_so_many_links_a_minute(api, monkeypatch):
    from datetime import timedelta

    from common.http.rate_limit import RateLimit
    from consent import views

    monkeypatch.setattr(views, "_ISSUED_BY_CREDENTIAL", RateLimit("small", 3, per=timedelta(minutes=1)))

    answers = [
        api.post("/api/v1/dashboard-links", {"subject": {"id": f"customer-{number}"}}).status_code
        for number in range(4)
    ]

    assert answers == [201, 201, 201, 429]


@pytest.fixture
def anna(register_in_force):
    return User.objects.create_superuser("anna", password=PASSWORD)


def _log_in(password, *, name="anna", network="192.0.2.1"):
    return Client(REMOTE_ADDR=network).post("/admin/login/", {"username": name, "password": password})


def test_passwords_are_not_guessed_one_after_the_other(anna):
    answers = [_log_in(f"guess {number}") for number in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 90
    assert _log_in(PASSWORD).status_code == 429, "a limit that lets the right password through tells which one it is"
    assert _log_in(PASSWORD, name="ANNA ").status_code == 429
    assert _log_in(PASSWORD, network="203.0.113.1").status_code == 302, "a guesser must not lock the officer out"


def test_an_unknown_account_is_limited_like_a_known_one(anna):
    known = [_log_in(f"guess {number}").status_code for number in range(11)]
    unknown = [_log_in(f"guess {number}", name="nobody", network="203.0.113.1").status_code for number in range(11)]

    assert known == unknown


def test_one_password_tried_on_many_accounts_is_limited_too(anna):
    answers = [_log_in("spring 2026 !", name=f"officer-{number}").status_code for number in range(51)]

    assert answers == [200] * 50 + [429]


def test_an_officer_who_logs_in_often_is_not_limited(anna):
    assert {_log_in(PASSWORD).status_code for _ in range(15)} == {302}


def test_looking_at_the_login_page_is_not_an_attempt(anna):
    assert {Client().get("/admin/login/").status_code for _ in range(20)} == {200}


def test_signing_in_is_limited(register_in_force, monkeypatch, settings):
    from governance.oidc.client import Client as OidcClient

    settings.SUBJECT_OIDC = OidcClient("https://login.example.org", "a", "b", "sub", "http://localhost/back")

    answers = [Client().get("/privacy/sign-in/back?state=a&code=b").status_code for _ in range(61)]

    assert answers == [403] * 60 + [429]


def test_the_decision_path_and_the_dashboard_never_ask_the_limits(visitor, api, sql):
    sql.clear()
    api.evaluate(question())
    visitor.look()

    assert not [statement for statement in sql if "ratebucket" in statement]
    assert follow_link(Client(), f"/privacy/open/{_issued()}").status_code == 302
    assert [statement for statement in sql if "ratebucket" in statement]
