"""Forms of registers say that they draft: their buttons, what is open about an object, and its history."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.actors import Officer
from consent.models import Purpose
from oversight.models import ChangeSet
from tests.helpers.registers import drafted, in_force, purpose_with

pytestmark = pytest.mark.django_db
REGISTERS = [
    "consent/purpose", "consent/datacategory", "consent/party", "consent/site",
    "privacy/retentionschedule", "policies/residencyrule", "policies/displayrule",
    "policies/rankingrule",
    "policies/jurisdiction", "policies/region", "policies/processingregion", "policies/transferinstrument",
    "policies/sensitivecategory", "policies/processingsystem",
]  # fmt: skip


@pytest.fixture
def browser(anna: Officer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=anna.account))
    return client


def page_of(slug: str) -> str:
    return f"/admin/consent/purpose/{Purpose.objects.get(slug=slug).pk}"


@pytest.mark.parametrize("register", REGISTERS)
def test_a_form_of_a_register_saves_as_a_draft(browser: Client, register: str) -> None:
    page = browser.get(f"/admin/{register}/add/").content.decode()

    assert page.count("Save as draft") == 1
    assert 'name="_continue"' not in page
    assert 'name="_addanother"' not in page
    assert "related-widget-wrapper-link" not in page, "a pop-up would only draft"


def test_a_form_of_another_table_saves(browser: Client) -> None:
    page = browser.get("/admin/auth/user/add/").content.decode()

    assert "Save as draft" not in page
    assert 'name="_save"' in page


def test_a_form_says_that_a_change_is_open_and_leads_to_it(browser: Client, anna: Officer, ben: Officer) -> None:
    page = f"{page_of('newsletter')}/change/"
    assert "is not in force yet" not in browser.get(page).content.decode()
    change_set = drafted(ben, purpose_with("newsletter", order=77))

    shown = " ".join(browser.get(page).content.decode().split())

    assert "A change of this object by Officer ben is not in force yet" in shown
    assert f'href="/admin/changes/{change_set.pk}/"' in shown
    assert "is not in force yet" not in browser.get(f"{page_of('recommendations')}/change/").content.decode()


def test_a_form_says_nothing_of_a_set_in_force(browser: Client, anna: Officer, ben: Officer) -> None:
    in_force(anna, ben, purpose_with("newsletter", order=77))

    assert "is not in force yet" not in browser.get(f"{page_of('newsletter')}/change/").content.decode()


def test_the_history_of_an_object_is_its_change_sets(browser: Client, anna: Officer, ben: Officer) -> None:
    assert (
        "No change set has changed this object yet."
        in browser.get(f"{page_of('newsletter')}/history/").content.decode()
    )
    change_set = in_force(anna, ben, purpose_with("newsletter", order=77))

    shown = browser.get(f"{page_of('newsletter')}/history/").content.decode()

    assert f'href="/admin/changes/{change_set.pk}/"' in shown
    assert "No change set" not in shown


def test_a_draft_with_an_error_is_not_offered_for_proposal(browser: Client, anna: Officer) -> None:
    wrong = drafted(anna, purpose_with("newsletter", recipients=["nobody-known"]))
    right = drafted(anna, purpose_with("newsletter", order=78))
    ChangeSet.objects.filter(pk=wrong.pk).update(
        findings=[{"register": "purpose", "key": "newsletter", "code": "x", "detail": "Wrong.", "is_error": True}]
    )

    shown = browser.get(f"/admin/changes/{wrong.pk}/").content.decode()

    assert f'action="/admin/changes/{wrong.pk}/propose"' not in shown
    assert "It cannot be proposed while lint finds an error." in shown
    assert f'action="/admin/changes/{right.pk}/propose"' in browser.get(f"/admin/changes/{right.pk}/").content.decode()
