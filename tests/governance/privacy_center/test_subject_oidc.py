"""Signing in through an OpenID Connect provider: who it vouches for sees their page, and nobody else sees anything."""

import logging
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from joserfc.jwk import ECKey, RSAKey

from audit.models import AuditEvent
from common.http import outgoing
from consent import links
from consent.models import SubjectLink
from consent.pseudonyms import subject_ref
from governance.oidc import fetch, provider
from governance.oidc.client import Client, ProviderUnavailable
from tests.helpers.fake_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, rsa_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake(register_in_force, monkeypatch):
    fake = FakeProvider()
    client = Client(
        issuer=fake.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        claim="sub",
        redirect_uri="http://localhost:8000/privacy/sign-in/back",
    )
    monkeypatch.setattr(settings, "SUBJECT_OIDC", client)
    provider.forget()
    yield fake
    provider.forget()
    fake.stop()


def _sign_in(fake, browser=None, person="customer-1", **changes):
    """Go there and back; ``changes`` replace parameters of the way back, None takes one away."""
    browser = browser or Browser()
    there = browser.get("/privacy/sign-in")
    assert there.status_code == 302, there.content
    back = {**fake.signs_in(there.headers["Location"], person), **changes}
    return browser.get("/privacy/sign-in/back", {name: value for name, value in back.items() if value is not None})


def test_somebody_the_provider_vouches_for_sees_their_own_page(fake):
    browser = Browser()

    answer = _sign_in(fake, browser)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/privacy/")
    secret = answer.cookies[settings.SUBJECT_COOKIE_NAME].value
    assert links.open_session(secret).subject_ref == subject_ref("customer-1")
    assert "You are seeing" in browser.get("/privacy/").content.decode()


def test_the_way_there_has_state_nonce_and_a_challenge_and_one_way_back(fake):
    answer = Browser().get("/privacy/sign-in")

    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    assert answer.headers["Location"].startswith(f"{fake.issuer}/authorize?")
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://localhost:8000/privacy/sign-in/back"
    assert asked["scope"] == "openid"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) == 43
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    cookie = answer.cookies[settings.SIGN_IN_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (True, "Lax", "/", 600)
    assert asked["state"] not in cookie.value


def test_no_account_name_address_or_claim_is_kept(fake, tmp_path):
    _sign_in(fake, person="a-very-particular-person")

    call_command("dumpdata", output=str(tmp_path / "everything.json"))
    kept = (tmp_path / "everything.json").read_text()
    for text in ("a-very-particular-person", "erika@example.org", "Erika"):
        assert text not in kept
    assert not User.objects.exists()
    (event,) = AuditEvent.objects.filter(action="subject_session.started")
    assert (event.actor, event.object) == ("sign-in", str(subject_ref("a-very-particular-person")))


class FromNow(int):
    """Seconds from when the test runs, which may be long after it was collected."""


def _as_of_now(claims):
    return {k: int(time.time()) + int(v) if isinstance(v, FromNow) else v for k, v in claims.items()}


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": 5},
        {"aud": "somebody-else"},
        {"aud": None},
        {"aud": [CLIENT_ID, "somebody-else"]},
        {"aud": [CLIENT_ID, "somebody-else"], "azp": "somebody-else"},
        {"azp": "somebody-else"},
        {"iss": "https://login.example.org"},
        {"iss": None},
        {"exp": FromNow(-61)},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"iat": FromNow(300)},
        {"iat": FromNow(-3600)},
        {"iat": None},
        {"nbf": FromNow(300)},
        {"sub": None},
        {"sub": ""},
        {"sub": 4711},
        {"sub": "x" * 257},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_sign_in_lets_nobody_in(fake, claims):
    fake.claims = _as_of_now(claims)

    _is_refused(_sign_in(fake))


@pytest.mark.parametrize(
    "claims",
    [{"aud": [CLIENT_ID]}, {"aud": [CLIENT_ID, "b"], "azp": CLIENT_ID}, {"exp": FromNow(-1)}],
    ids=str,
)
def test_what_the_standard_allows_lets_people_in(fake, claims):
    fake.claims = _as_of_now(claims)

    assert _sign_in(fake).status_code == 302


@pytest.mark.parametrize(
    "maker", ["unsigned", "signed_with_the_secret", "signed_by_a_stranger", "bringing_its_own_key", "altered"]
)
def test_a_token_the_provider_did_not_sign_lets_nobody_in(fake, maker):
    fake.make_token = getattr(fake, maker)

    _is_refused(_sign_in(fake))


@pytest.mark.parametrize("token", ["", "a.b.c", "no token", ".." * 9, "x" * 40_000])
def test_what_is_no_token_lets_nobody_in(fake, token):
    fake.make_token = lambda claims: token

    _is_refused(_sign_in(fake))


@pytest.mark.parametrize(
    "back",
    [
        {"state": "another"},
        {"state": ""},
        {"state": None},
        {"code": None},
        {"code": "never-issued"},
        {"code": "x" * 5_000},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"error": "access_denied"},
    ],
    ids=str,
)
def test_a_way_back_that_does_not_belong_to_the_way_there_lets_nobody_in(fake, back):
    _is_refused(_sign_in(fake, **back))


def test_a_code_brought_to_another_browser_lets_nobody_in(fake):
    victim, attacker = Browser(), Browser()
    victim.get("/privacy/sign-in")
    stolen = fake.signs_in(attacker.get("/privacy/sign-in").headers["Location"], "attacker")

    _is_refused(victim.get("/privacy/sign-in/back", stolen))
    _is_refused(Browser().get("/privacy/sign-in/back", stolen))


def test_a_way_back_taken_twice_lets_nobody_in_again(fake):
    browser = Browser()
    back = fake.signs_in(browser.get("/privacy/sign-in").headers["Location"], "customer-1")
    copied = browser.cookies[settings.SIGN_IN_COOKIE_NAME].value
    assert browser.get("/privacy/sign-in/back", back).status_code == 302

    thief = Browser()
    thief.cookies[settings.SIGN_IN_COOKIE_NAME] = copied

    _is_refused(thief.get("/privacy/sign-in/back", back), sessions=1)
    # Even where the provider, against its standard, takes the code again.
    fake.codes[back["code"]] = {**_asked_of(copied), "person": "customer-1"}
    thief.cookies[settings.SIGN_IN_COOKIE_NAME] = copied
    _is_refused(thief.get("/privacy/sign-in/back", back), sessions=1)
    assert fake.requests.count("/token") == 3


def _asked_of(cookie):
    from governance.oidc.attempts import attempt_of

    attempt = attempt_of(cookie, "subject")
    return {
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "redirect_uri": settings.SUBJECT_OIDC.redirect_uri,
    }


def test_an_attempt_ends_after_ten_minutes(fake, monkeypatch):
    browser, now = Browser(), time.time()
    back = fake.signs_in(browser.get("/privacy/sign-in").headers["Location"], "customer-1")

    monkeypatch.setattr("django.core.signing.time.time", lambda: now + 601)

    _is_refused(browser.get("/privacy/sign-in/back", back))


def test_the_session_before_ends_with_a_new_one(fake):
    browser = Browser()
    first = _sign_in(fake, browser).cookies[settings.SUBJECT_COOKIE_NAME].value

    second = _sign_in(fake, browser, person="customer-2").cookies[settings.SUBJECT_COOKIE_NAME].value

    assert links.open_session(first) is None
    assert links.open_session(second).subject_ref == subject_ref("customer-2")


def test_new_keys_of_the_provider_are_learned(fake, monkeypatch):
    assert _sign_in(fake).status_code == 302
    fake.key = rsa_key("provider", kid="second", use="sig")
    fake.published = [fake.key]
    asked_before = fake.requests.count("/keys")

    _is_refused(_sign_in(fake), sessions=1)
    assert fake.requests.count("/keys") == asked_before, "a stranger's key must not make us ask at once"
    monkeypatch.setattr(provider, "ASKED_AGAIN_AFTER_S", 0.0)

    assert _sign_in(fake).status_code == 302


@pytest.mark.parametrize(
    "published",
    [
        lambda key: [],
        lambda key: [key, key],
        lambda key: [RSAKey.import_key({**key.as_dict(private=False), "use": "enc"})],
        lambda key: [ECKey.generate_key("P-256", {"kid": "first"})],
    ],
)
def test_a_token_whose_key_is_not_clear_lets_nobody_in(fake, published):
    fake.published = published(fake.key)

    _is_refused(_sign_in(fake))


@pytest.mark.parametrize("verified", [True, False, None, "true"])
def test_an_address_names_a_person_only_where_it_is_verified(fake, monkeypatch, verified):
    monkeypatch.setattr(settings, "SUBJECT_OIDC", replace(settings.SUBJECT_OIDC, claim="email"))
    fake.claims = {"email_verified": verified}

    assert _sign_in(fake).status_code == (302 if verified is True else 403)


def _slowly(handler):
    """Answer a byte at a time; whoever waits for the end of it is remembered."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(400):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)
    handler.server.was_waited_for = True


def _hugely(handler):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b'{"a": "' + b"x" * (outgoing.MAX_ANSWER_BYTES + 1) + b'"}')


def _elsewhere(handler):
    handler.send_response(302)
    handler.send_header("Location", "http://169.254.169.254/latest/meta-data/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _brokenly(handler):
    handler.send_response(500)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"{}")


def _not_json(handler):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"<html>")


@pytest.mark.parametrize("answer", [_slowly, _hugely, _elsewhere, _brokenly, _not_json])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_a_provider_that_does_not_answer_well_gets_a_calm_page(fake, monkeypatch, path, answer):
    monkeypatch.setattr(outgoing, "DEADLINE_S", 0.4)
    fake.answers[path] = answer
    browser = Browser()

    there = browser.get("/privacy/sign-in")
    if there.status_code == 302 and "authorize" in there.headers["Location"]:
        there = browser.get("/privacy/sign-in/back", fake.signs_in(there.headers["Location"], "customer-1"))

    assert there.status_code == 503
    assert "Signing in did not work" in there.content.decode()
    assert not SubjectLink.objects.exists()
    assert not hasattr(fake.server, "was_waited_for")


def test_a_provider_that_is_down_gets_a_calm_page(fake):
    fake.stop()

    answer = Browser().get("/privacy/sign-in")

    assert answer.status_code == 503
    assert "Signing in did not work" in answer.content.decode()


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://login.example.org"},
        {"issuer": None},
        {"token_endpoint": "http://login.example.org/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "https://user:password@login.example.org/token"},
        {"jwks_uri": ""},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://login.example.org/\r\nSet-Cookie: a=b"},
    ],
    ids=str,
)
def test_a_configuration_that_leads_astray_is_not_followed(fake, configuration):
    fake.configuration = configuration

    assert Browser().get("/privacy/sign-in").status_code == 503


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.5", "127.0.0.1", "169.254.169.254", "192.88.99.1", "224.0.0.1", "[::1]", "[fd00::1]",
        "[::ffff:10.0.0.5]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]",
    ],
)  # fmt: skip
def test_the_provider_cannot_send_us_into_a_private_network(address):
    with pytest.raises(ProviderUnavailable, match="private network"):
        fetch.fetch_json(f"https://{address}/keys", issuer="https://login.example.org")


def test_every_refusal_shows_the_same_page_and_logs_no_more_than_why(fake, caplog):
    pages = set()
    with caplog.at_level(logging.INFO):
        for claims, back in [({"nonce": "n"}, {}), ({"exp": 1}, {}), ({}, {"state": "s"}), ({}, {"code": "c"})]:
            fake.claims = claims
            pages.add(_sign_in(fake, person="a-very-particular-person", **back).content)

    assert len(pages) == 1
    assert "refused" in caplog.text
    for text in ("a-very-particular-person", "erika", "code-", "eyJ"):
        assert text not in caplog.text


def test_where_it_is_not_set_up_there_is_nothing_to_find(register_in_force):
    assert settings.SUBJECT_OIDC is None
    assert Browser().get("/privacy/sign-in").status_code == 404
    assert Browser().get("/privacy/sign-in/back?code=a&state=b").status_code == 404
    for path in ("/", "/privacy/"):
        assert "/privacy/sign-in" not in Browser().get(path).content.decode()


def test_where_it_is_set_up_the_pages_outside_offer_it(fake):
    for path in ("/", "/privacy/"):
        assert 'href="/privacy/sign-in"' in Browser().get(path).content.decode()


def test_a_page_loaded_ahead_signs_nobody_in(fake):
    assert Browser().head("/privacy/sign-in").status_code == 405
    assert Browser().head("/privacy/sign-in/back").status_code == 405
    assert not SubjectLink.objects.exists()


def _is_refused(answer, *, sessions=0):
    assert answer.status_code == 403
    assert "Signing in did not work" in answer.content.decode()
    assert settings.SUBJECT_COOKIE_NAME not in answer.cookies
    assert answer.cookies[settings.SIGN_IN_COOKIE_NAME].value == ""
    assert SubjectLink.objects.count() == sessions
    assert not connection.needs_rollback
