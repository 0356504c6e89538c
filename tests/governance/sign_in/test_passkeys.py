"""Passkeys: only the account's own key, for this site, over the challenge of this browser, once."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from audit.models import AuditEvent
from governance.models import OfficerSession, SecondFactor
from tests.helpers.authenticator import Authenticator
from tests.helpers.officers import PASSWORD, password_typed, signed_in, with_app

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(register_in_force):
    return User.objects.create_superuser("anna", password=PASSWORD)


def _post(browser, path, document):
    return browser.post(path, json.dumps(document), content_type="application/json")


def _add(browser, key, name="My laptop"):
    options = browser.post("/admin/account/passkey/options").json()
    return _post(browser, f"/admin/account/passkey?name={name}", key.creates(options))


@pytest.fixture
def key(anna):
    key = Authenticator()
    assert _add(signed_in(anna), key).status_code == 200
    return key


def _options(browser):
    return browser.post("/admin/sign-in/passkey/options").json()


def _use(browser, answer, path="/admin/sign-in/passkey"):
    return _post(browser, path, answer)


def _is_inside(browser):
    return browser.get("/admin/").status_code == 200


def test_a_passkey_is_added_recorded_and_followed_by_recovery_codes(anna):
    browser = signed_in(anna)

    answer = _add(browser, Authenticator())

    factor = SecondFactor.objects.get()
    assert (factor.account, factor.kind, factor.name) == (anna, "passkey", "My laptop")
    assert browser.get(answer.json()["next"]).content.decode().count("<li><code>") == 10
    event = AuditEvent.objects.filter(action="officer.second_factor_set").last()
    assert (event.object, event.details["added"]) == (f"account:{anna.pk}", "passkey")
    assert _is_inside(browser)


def test_a_passkey_is_the_second_step(anna, key):
    browser = password_typed(anna)
    assert not _is_inside(browser)

    answer = _use(browser, key.uses(_options(browser)), "/admin/sign-in/passkey?next=/admin/trust/")

    assert answer.json() == {"next": "/admin/trust/"}
    assert _is_inside(browser)
    assert OfficerSession.objects.order_by("-began_at").first().means == "passkey"


def test_a_passkey_without_the_password_opens_nothing(anna, key):
    browser = Client()

    assert browser.post("/admin/sign-in/passkey/options").status_code == 403
    assert _use(browser, {}).status_code == 403


def test_a_challenge_counts_once(anna, key):
    browser = password_typed(anna)
    answer = key.uses(_options(browser))
    browser.post("/admin/sign-in/passkey", "nonsense", content_type="application/json")
    _use(browser, {"id": "x"})

    assert _use(browser, answer).status_code == 403
    assert not _is_inside(browser)


def test_an_answer_is_not_used_again_in_another_browser(anna, key):
    browser = password_typed(anna)
    answer = key.uses(_options(browser))
    assert _use(browser, answer).status_code == 200

    thief = password_typed(anna)
    _options(thief)
    assert _use(thief, answer).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [Authenticator(origin="https://evil.example"), Authenticator(host="evil.example"), Authenticator()],
    ids=["origin", "host", "key"],
)
def test_a_key_of_another_site_or_officer_is_refused(anna, key, wrong):
    if wrong.origin != key.origin or wrong.host != key.host:
        wrong.key, wrong.credential_id = key.key, key.credential_id
    browser = password_typed(anna)

    assert _use(browser, wrong.uses(_options(browser))).status_code == 403
    assert not _is_inside(browser)


def test_a_key_nobody_touched_is_refused(anna, key):
    browser = password_typed(anna)

    assert _use(browser, key.uses(_options(browser), flags=0)).status_code == 403


def test_a_copied_key_is_noticed_by_its_count(anna, key):
    key.counter = 5
    browser = password_typed(anna)
    assert _use(browser, key.uses(_options(browser))).status_code == 200

    again = password_typed(anna)
    assert _use(again, key.uses(_options(again))).status_code == 403


def test_a_key_of_one_officer_is_not_added_to_another(anna, key):
    ben = User.objects.create_superuser("ben", password=PASSWORD)

    assert _add(signed_in(ben), key).status_code == 403
    assert not SecondFactor.objects.filter(account=ben).exists()


@pytest.mark.parametrize(
    "document", [{}, {"id": 5}, {"rawId": "!!", "response": {}}, {"id": "a", "rawId": "b", "response": {"x": []}}]
)
def test_a_broken_document_is_refused(anna, key, document):
    browser = password_typed(anna)
    _options(browser)

    assert _use(browser, document).status_code == 403


def test_a_form_in_the_place_of_a_document_is_refused(anna, key):
    browser = password_typed(anna)
    _options(browser)

    assert browser.post("/admin/sign-in/passkey", {"id": "x"}).status_code == 403
    assert (
        signed_in(User.objects.create_superuser("ben")).post("/admin/account/passkey", {"id": "x"}).status_code == 403
    )


def test_passkeys_are_tried_no_more_often_than_codes(anna, key):
    browser = password_typed(anna)
    answers = []
    for _ in range(11):
        _options(browser)
        answers.append(_use(browser, {}).status_code)

    assert answers == [403] * 10 + [429]


def test_a_site_reached_by_an_address_offers_no_passkey(anna, settings):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    browser = signed_in(anna)

    assert browser.post("/admin/account/passkey/options").status_code == 403
    assert "Passkeys need a host name" in browser.get("/admin/account/").content.decode()


def test_an_officer_waiting_for_the_step_adds_no_passkey(anna, key):
    with_app(anna)
    browser = password_typed(anna)

    assert browser.post("/admin/account/passkey/options").status_code == 302
    assert SecondFactor.objects.filter(account=anna, kind="passkey").count() == 1
