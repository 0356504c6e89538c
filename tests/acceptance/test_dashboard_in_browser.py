"""A person and an officer in a real browser: keyboard only, without JavaScript, both widths, light and dark."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from consent import links
from consent.pseudonyms import subject_ref
from governance.demo import register
from policies import defaults

_CHROMIUM = os.environ.get("ASSENT_TEST_CHROMIUM", "")
ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not _CHROMIUM, reason="NO BROWSER: name Chromium in ASSENT_TEST_CHROMIUM"),
]


@pytest.fixture
def browser(monkeypatch):
    # Playwright runs an event loop in this thread, which Django would take for asynchronous code.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def register_committed(transactional_db):
    defaults.ensure_defaults()
    register.ensure_register()


def _open(browser: Browser, live_server, person: str, **options) -> tuple[Page, list[str]]:
    token, _link = links.issue_link(subject_ref=subject_ref(person), issued_by="test")
    page = browser.new_context(**options).new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{live_server.url}/privacy/open/{token}")
    return page, faults


@pytest.mark.parametrize("javascript", [True, False])
def test_a_person_allows_and_turns_everything_off(browser, live_server, register_committed, javascript):
    page, faults = _open(browser, live_server, "browser-person", java_script_enabled=javascript)
    card = page.locator(".card").filter(has=page.get_by_role("heading", name="Recommendations", exact=True))
    expect(card).to_contain_text("Not asked yet")

    allow = card.get_by_role("button", name="Allow").first
    allow.focus()
    page.keyboard.press("Enter")

    expect(card).to_contain_text("Allowed")
    page.get_by_role("button", name="Turn everything off").press("Enter")
    expect(card).to_contain_text("Turned off")
    assert faults == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dashboard_fits_every_screen(browser, live_server, register_committed, width, scheme):
    size = {"width": width, "height": 900}
    page, faults = _open(browser, live_server, "screen-person", viewport=size, color_scheme=scheme)

    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"dashboard-{width}-{scheme}.png", full_page=True)

    assert overflow <= 0
    assert faults == []


def test_an_officer_sees_what_needs_a_decision(browser, live_server, register_committed):
    register.reset_officer("correct-horse-battery")
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{live_server.url}/admin/")
    page.fill("#id_username", "officer")
    page.fill("#id_password", "correct-horse-battery")
    page.press("#id_password", "Enter")

    expect(page.get_by_role("heading", name="Needs a decision")).to_be_visible()
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "admin-1280-light.png", full_page=True)
