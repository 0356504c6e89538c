"""The menu of the admin on a phone: by keyboard, and without scripts."""

import pytest

from tests.helpers.browser import needs_chromium
from tests.helpers.officers import with_role

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True), needs_chromium]


@pytest.fixture
def officer(site):
    return with_role("frida", "privacy-officer")


def test_the_menu_opens_and_closes_by_keyboard_on_a_phone(as_officer, officer):
    page = as_officer(officer, width=390, scheme="dark")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.get_by_role("button", name="Menu").press("Enter")
    page.get_by_role("link", name="Releases of tables").wait_for()
    page.wait_for_function("document.activeElement.id == 'menu-close'")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id == 'menu-open'")

    assert page.get_by_role("link", name="Releases of tables").count() == 0, "what is closed is not reached"


def test_an_officer_signs_out_by_keyboard(as_officer, officer):
    page = as_officer(officer)

    page.locator(".user-menu > summary").press("Enter")
    page.get_by_role("button", name="Dark").press("Enter")
    page.wait_for_function("document.documentElement.classList.contains('dark')")
    page.get_by_role("button", name="Log out").press("Enter")

    page.get_by_role("heading", name="Logged out").wait_for()


def test_without_scripts_the_menu_stands_above_the_page_of_a_phone(as_officer, officer):
    page = as_officer(officer, width=390, scripts=False)

    page.get_by_role("link", name="Releases of tables").click()
    page.get_by_role("heading", name="Upload a table").wait_for()
    page.locator(".user-menu > summary").click()
    page.get_by_role("button", name="Log out").click()

    page.get_by_role("heading", name="Logged out").wait_for()
