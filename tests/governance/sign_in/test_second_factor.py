"""The second step of an officer's sign-in cannot be skipped, guessed or repeated."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from governance import checks
from governance.models import OfficerSession, RecoveryCode, SecondFactor
from governance.sign_in import factors, sealing
from tests.helpers.officers import PASSWORD, code_of, password_typed, signed_in, with_app

pytestmark = pytest.mark.django_db
STEP = "/admin/sign-in/step"


@pytest.fixture
def anna(register_in_force):
    return User.objects.create_superuser("anna", password=PASSWORD)


@pytest.fixture
def secret(anna):
    return with_app(anna)


def _is_inside(browser):
    return browser.get("/admin/").status_code == 200


def test_a_password_alone_opens_nothing(anna, secret):
    browser = password_typed(anna)

    for path in ("/admin/", "/admin/consent/purpose/", "/admin/account/", "/admin/trust/", "/admin/consent/proof/"):
        assert browser.get(path).status_code == 302, path
    assert browser.post("/admin/consent/proof/", {"business_id": "x"}).status_code == 302
    assert browser.post("/admin/check-evidence").status_code == 302


def test_a_session_made_by_other_means_waits_too(anna, secret):
    assert not _is_inside(signed_in(anna))


def test_the_right_code_signs_in_and_leads_on(anna, secret):
    browser = password_typed(anna)
    assert browser.get("/admin/trust/", follow=True).redirect_chain[-1][0].startswith(STEP)

    answer = browser.post(STEP, {"code": code_of(secret), "next": "/admin/trust/"})

    assert answer.headers["Location"] == "/admin/trust/"
    assert _is_inside(browser)
    assert OfficerSession.objects.get(account=anna).means == "app"


def test_the_second_step_gives_the_session_another_key(anna, secret):
    browser = password_typed(anna)
    stolen = browser.cookies[settings.SESSION_COOKIE_NAME].value

    browser.post(STEP, {"code": code_of(secret)})

    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert not _is_inside(thief)


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_a_foreign_next_ends_on_the_start_page(anna, secret, wanted):
    answer = password_typed(anna).post(STEP, {"code": code_of(secret), "next": wanted})

    assert answer.headers["Location"] == "/admin/"


@pytest.mark.parametrize("code", ["", "000000", "12345", "\uff11\uff12\uff13\uff14\uff15\uff16", "a" * 5000, "\x00"])
def test_a_wrong_code_is_refused(anna, secret, code):
    browser = password_typed(anna)

    assert browser.post(STEP, {"code": code}).status_code == 400
    assert not _is_inside(browser)


def test_a_code_counts_once(anna, secret):
    code = code_of(secret)
    password_typed(anna).post(STEP, {"code": code})

    second = password_typed(anna)
    assert second.post(STEP, {"code": code}).status_code == 400
    assert not _is_inside(second)


def test_a_code_older_than_the_last_used_counts_no_more(anna, secret):
    password_typed(anna).post(STEP, {"code": code_of(secret, steps=1)})

    assert password_typed(anna).post(STEP, {"code": code_of(secret)}).status_code == 400


def test_codes_far_from_now_count_nothing(anna, secret):
    for steps in (-3, 3):
        assert password_typed(anna).post(STEP, {"code": code_of(secret, steps=steps)}).status_code == 400


def test_codes_are_not_guessed_one_after_the_other(anna, secret):
    browser = password_typed(anna)
    answers = [browser.post(STEP, {"code": "000000"}).status_code for _ in range(11)]

    assert answers == [400] * 10 + [429]
    elsewhere = password_typed(anna)
    assert elsewhere.post(STEP, {"code": code_of(secret)}, REMOTE_ADDR="203.0.113.9").status_code == 429


def test_successes_use_up_no_try(anna, secret):
    codes = factors.new_recovery_codes(anna)
    for code in codes:
        assert password_typed(anna).post(STEP, {"code": code}).status_code == 302
    assert password_typed(anna).post(STEP, {"code": code_of(secret)}).status_code == 302


def test_the_step_without_a_password_leads_to_the_sign_in(anna, secret):
    answer = Client().post(STEP, {"code": code_of(secret)}, follow=True)

    assert answer.redirect_chain[-1][0].startswith("/admin/login/")


def test_another_accounts_code_counts_nothing(anna, secret):
    ben = User.objects.create_superuser("ben", password=PASSWORD)
    other = with_app(ben)

    assert password_typed(anna).post(STEP, {"code": code_of(other)}).status_code == 400


def test_a_recovery_code_counts_once(anna, secret):
    code = factors.new_recovery_codes(anna)[0]

    assert password_typed(anna).post(STEP, {"code": code.lower().replace("-", " ")}).status_code == 302
    assert password_typed(anna).post(STEP, {"code": code}).status_code == 400
    event = AuditEvent.objects.get(action="officer.recovery_code_used")
    assert (event.object, event.details["left"]) == (f"account:{anna.pk}", 9)


def test_new_recovery_codes_end_those_before(anna, secret):
    old = factors.new_recovery_codes(anna)[0]
    factors.new_recovery_codes(anna)

    assert password_typed(anna).post(STEP, {"code": old}).status_code == 400


def test_neither_secret_nor_recovery_codes_stand_in_the_database(anna, secret):
    codes = factors.new_recovery_codes(anna)

    assert secret not in bytes(SecondFactor.objects.get().secret)
    kept = b"".join(bytes(row.digest) for row in RecoveryCode.objects.all())
    assert not any(code.encode() in kept for code in codes)


def test_a_replaced_instance_secret_keeps_the_app_and_is_taken_over(anna, secret, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    assert factors.use_app(anna, code_of(secret))

    settings.SECRET_KEY_FALLBACKS = []
    assert sealing.unseal(bytes(SecondFactor.objects.get().secret)) == secret


def test_an_app_sealed_by_a_lost_secret_makes_no_code_right(anna, secret, settings):
    settings.SECRET_KEY = "n" * 50

    assert not factors.use_app(anna, code_of(secret))


def _enrol(browser):
    shown = browser.get("/admin/account/app").content.decode()
    typed = re.search(r"Secret: <code[^>]*>([A-Z2-7 ]+)</code>", shown)[1].replace(" ", "")
    from base64 import b32decode

    return b32decode(typed)


def test_an_officer_adds_an_app_and_gets_recovery_codes_once(anna):
    browser = signed_in(anna)
    assert _is_inside(browser)
    secret = _enrol(browser)

    page = browser.post("/admin/account/app", {"code": code_of(secret)})

    codes = re.findall(r"<code>([A-Z2-7-]{19})</code>", page.content.decode())
    assert len(set(codes)) == 10
    assert page.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert _is_inside(browser)
    assert not any(code in browser.get("/admin/account/").content.decode() for code in codes)
    events = AuditEvent.objects.filter(action="officer.second_factor_set", object=f"account:{anna.pk}")
    assert {(event.details["added"], event.details["by"]) for event in events} == {
        ("app", anna.pk), ("recovery codes", anna.pk),
    }  # fmt: skip


def test_an_app_whose_code_does_not_fit_is_not_added(anna):
    browser = signed_in(anna)
    _enrol(browser)

    assert browser.post("/admin/account/app", {"code": "000000"}).status_code == 400
    assert not SecondFactor.objects.exists()


def test_factors_change_only_right_after_a_sign_in(anna):
    browser = signed_in(anna)
    secret = _enrol(browser)
    OfficerSession.objects.update(began_at=timezone.now() - timedelta(minutes=16))

    assert browser.post("/admin/account/app", {"code": code_of(secret)}).status_code == 302
    assert browser.post("/admin/account/passkey/options").status_code == 403
    assert not SecondFactor.objects.exists()


def test_where_every_officer_needs_one_it_is_added_first(anna, settings):
    settings.OFFICER_MFA = "required"
    browser = password_typed(anna)
    assert not _is_inside(browser)
    assert browser.get("/admin/", follow=True).request["PATH_INFO"] == "/admin/account/"

    secret = _enrol(browser)
    assert not _is_inside(browser)
    browser.post("/admin/account/app", {"code": code_of(secret)})

    assert _is_inside(browser)


def test_the_first_officer_of_an_installation_gets_in_alone(register_in_force, settings, monkeypatch):
    """Where a second factor is required from the start, nobody is inside who could help the first officer."""
    settings.OFFICER_MFA = "required"
    out = StringIO()
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))
    call_command("officers", "create", "first", "--superuser", "--password-stdin", stdout=out)
    browser = password_typed(User.objects.get(username="first"))

    for closed in ("/admin/changes/", "/admin/auth/user/", "/admin/consent/purpose/"):
        assert browser.get(closed).status_code == 302, "the password alone opens nothing"
    browser.post("/admin/account/app", {"code": code_of(_enrol(browser))})

    assert _is_inside(browser)


def test_a_thief_of_the_password_adds_no_second_factor_of_his_own(anna, secret, settings):
    settings.OFFICER_MFA = "required"
    browser = password_typed(anna)

    assert browser.get("/admin/account/app").headers["Location"].startswith("/admin/login/")
    assert browser.post("/admin/account/recovery-codes").headers["Location"].startswith("/admin/login/")
    assert browser.post(f"/admin/account/factors/{SecondFactor.objects.get().pk}/remove").status_code == 302
    assert SecondFactor.objects.count() == 1
    assert not RecoveryCode.objects.exists()


def test_the_last_factor_stays_where_every_officer_needs_one(anna, secret, settings):
    browser = password_typed(anna)
    browser.post(STEP, {"code": code_of(secret)})
    number = SecondFactor.objects.get().pk
    settings.OFFICER_MFA = "required"

    page = browser.post(f"/admin/account/factors/{number}/remove", follow=True)
    assert "Add another one first" in page.content.decode()
    assert SecondFactor.objects.filter(pk=number).exists()

    settings.OFFICER_MFA = "optional"
    browser.post(f"/admin/account/factors/{number}/remove")
    assert not SecondFactor.objects.exists()
    removed = AuditEvent.objects.filter(action="officer.second_factor_set").first()
    assert removed.details["removed"] == "app"


def test_another_officers_factor_is_not_removed(anna, secret):
    ben = User.objects.create_superuser("ben", password=PASSWORD)

    signed_in(ben).post(f"/admin/account/factors/{SecondFactor.objects.get().pk}/remove")

    assert SecondFactor.objects.filter(account=anna).exists()


def test_who_is_no_officer_adds_no_factor(register_in_force):
    browser = signed_in(User.objects.create_user("guest", password=PASSWORD))

    assert browser.get("/admin/account/app").status_code == 302


def test_the_step_works_without_scripts_and_under_the_policy_of_the_admin(anna, secret):
    page = password_typed(anna).get(STEP)

    text = page.content.decode()
    assert '<form method="post" class="start-form"' in text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text)


def test_a_public_site_without_a_required_factor_is_warned_of(settings):
    assert checks.check_second_factor(None) == []

    settings.PUBLIC_URL = "https://privacy.example.org"
    assert [warning.id for warning in checks.check_second_factor(None)] == ["governance.W002"]

    settings.OFFICER_MFA = "required"
    assert checks.check_second_factor(None) == []
