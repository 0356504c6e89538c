"""Officers sign in through the provider: an account without a password, and the roles of their groups, each time."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client as Browser

from audit.models import AuditEvent
from governance.models import OfficerSession, ProviderIdentity
from governance.officers import role_groups
from governance.oidc import provider
from governance.oidc.client import Client
from tests.helpers.fake_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider
from tests.helpers.officers import PASSWORD, signed_in

pytestmark = pytest.mark.django_db
BACK = "/admin/sign-in/provider/back"


@pytest.fixture
def fake(register_in_force, monkeypatch):
    fake = FakeProvider()
    client = Client(
        issuer=fake.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        claim="preferred_username",
        redirect_uri=f"http://localhost:8000{BACK}",
        more_scopes=("profile",),
    )
    monkeypatch.setattr(settings, "OFFICER_OIDC", client)
    monkeypatch.setattr(settings, "OFFICER_OIDC_ROLES", {"dpo": ["privacy-officer"], "audit": ["auditor"]})
    provider.forget()
    fake.claims = {"preferred_username": "ben", "groups": ["dpo", "everybody"]}
    yield fake
    provider.forget()
    fake.stop()


def _sign_in(fake, browser=None, person="ben-at-work", **changes):
    browser = browser or Browser()
    there = browser.get("/admin/sign-in/provider")
    back = {**fake.signs_in(there.headers["Location"], person), **changes}
    return browser.get(BACK, {name: value for name, value in back.items() if value is not None})


def _is_inside(browser):
    return browser.get("/admin/").status_code == 200


def test_the_first_sign_in_makes_an_account_without_password_and_with_the_groups_roles(fake):
    browser = Browser()

    assert _sign_in(fake, browser).headers["Location"] == "/admin/"

    ben = User.objects.get()
    assert (ben.username, ben.is_staff, ben.is_superuser) == ("ben", True, False)
    assert not ben.has_usable_password()
    assert role_groups.roles_of(ben) == ["privacy-officer"]
    assert _is_inside(browser)
    assert OfficerSession.objects.get().means == "provider"
    events = AuditEvent.objects.filter(object=f"account:{ben.pk}").order_by("position")
    assert [event.action for event in events] == ["officer.created", "role.changed"]
    assert {(event.actor, event.details["by"]) for event in events} == {("job:officers-provider", None)}


def test_the_way_there_is_the_one_of_people_with_scopes_and_its_own_cookie(fake):
    answer = Browser().get("/admin/sign-in/provider")

    assert "scope=openid+profile" in answer.headers["Location"]
    assert "code_challenge_method=S256" in answer.headers["Location"]
    assert settings.OFFICER_SIGN_IN_COOKIE_NAME in answer.cookies
    assert settings.SIGN_IN_COOKIE_NAME not in answer.cookies


def test_a_group_that_is_gone_takes_its_role_at_the_next_sign_in(fake):
    fake.claims["groups"] = ["dpo", "audit"]
    _sign_in(fake)
    ben = User.objects.get()
    assert role_groups.roles_of(ben) == ["auditor", "privacy-officer"]

    fake.claims["groups"] = ["audit"]
    _sign_in(fake)

    assert role_groups.roles_of(ben) == ["auditor"]


def test_a_role_given_here_by_hand_does_not_outlive_the_next_sign_in(fake):
    _sign_in(fake)
    ben = User.objects.get()
    role_groups.set_roles(ben, ["privacy-officer", "operator"])

    _sign_in(fake)

    assert role_groups.roles_of(ben) == ["privacy-officer"]


@pytest.mark.parametrize("groups", [[], ["everybody"], None, "everybody", [5], {"dpo": True}])
def test_without_a_group_that_has_a_role_nobody_signs_in(fake, groups):
    fake.claims["groups"] = groups

    browser = Browser()
    assert _sign_in(fake, browser).status_code == 403
    assert not _is_inside(browser)
    assert not User.objects.exists()


def test_who_lost_the_last_group_is_refused_and_out_of_every_session(fake):
    before = Browser()
    _sign_in(fake, before)
    fake.claims["groups"] = []

    assert _sign_in(fake).status_code == 403

    assert role_groups.roles_of(User.objects.get()) == []
    assert not _is_inside(before)


def test_an_account_of_the_same_name_is_never_taken_over(fake):
    User.objects.create_superuser("BEN", password=PASSWORD)

    assert _sign_in(fake).status_code == 403
    assert User.objects.count() == 1
    assert not ProviderIdentity.objects.exists()


def test_an_officer_is_known_by_the_subject_whatever_name_they_take(fake):
    _sign_in(fake)
    fake.claims["preferred_username"] = "benedict"

    assert _sign_in(fake).status_code == 302
    assert User.objects.get().username == "ben"


@pytest.mark.parametrize("name", [None, "", 5, "x" * 151, "two words", "a\x00b"])
def test_a_name_that_no_account_can_have_makes_none(fake, name):
    fake.claims["preferred_username"] = name

    assert _sign_in(fake).status_code == 403
    assert not User.objects.exists()


def test_a_deactivated_account_stays_out(fake):
    _sign_in(fake)
    User.objects.update(is_active=False)

    assert _sign_in(fake).status_code == 403


def test_an_attempt_begins_one_session_even_after_its_end(fake):
    browser = Browser()
    back = fake.signs_in(browser.get("/admin/sign-in/provider").headers["Location"], "ben-at-work")
    copied = browser.cookies[settings.OFFICER_SIGN_IN_COOKIE_NAME].value
    code = dict(fake.codes[back["code"]])
    assert browser.get(BACK, back).status_code == 302
    browser.post("/admin/logout/")

    thief = Browser()
    thief.cookies[settings.OFFICER_SIGN_IN_COOKIE_NAME] = copied
    fake.codes[back["code"]] = code  # even where the provider takes the code again
    assert thief.get(BACK, back).status_code == 403
    assert not _is_inside(thief)


def test_another_browsers_answer_and_a_persons_attempt_sign_in_nobody(fake):
    browser = Browser()
    back = fake.signs_in(browser.get("/admin/sign-in/provider").headers["Location"], "ben-at-work")
    assert Browser().get(BACK, back).status_code == 403

    mixed = Browser()
    mixed.cookies[settings.SIGN_IN_COOKIE_NAME] = browser.cookies[settings.OFFICER_SIGN_IN_COOKIE_NAME].value
    assert mixed.get(BACK, back).status_code == 403


@pytest.mark.parametrize("claims", [{"nonce": "another"}, {"aud": "another"}, {"exp": 5}, {"iss": "https://a.example"}])
def test_a_token_that_is_not_for_this_sign_in_lets_nobody_in(fake, claims):
    fake.claims.update(claims)

    assert _sign_in(fake).status_code == 403
    assert not User.objects.exists()


def test_a_provider_that_is_away_is_named_and_nothing_is_made(fake):
    provider.forget()
    fake.stop()

    assert Browser().get("/admin/sign-in/provider").status_code == 503


def test_where_no_provider_is_set_there_is_no_such_page(register_in_force):
    assert Browser().get("/admin/sign-in/provider").status_code == 404
    assert Browser().get(BACK).status_code == 404
    assert "company" not in Browser().get("/admin/login/").content.decode()


def test_the_sign_in_page_offers_the_provider(fake):
    assert "/admin/sign-in/provider" in Browser().get("/admin/login/").content.decode()


def test_the_providers_sign_in_needs_no_factor_of_ours_and_a_password_does(fake, settings):
    settings.OFFICER_MFA = "required"
    browser = Browser()
    _sign_in(fake, browser)

    assert _is_inside(browser)
    assert not _is_inside(signed_in(User.objects.get()))
