"""Officers in browsers of their own, over one installation that the test process serves itself.

Screenshots go into the folder artifacts/, for people to look at.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from tests.helpers.browser import CHROMIUM, broken_rules
from tests.helpers.paths import CHECKOUT
from tests.helpers.registers import without_writer

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: requirements/dev.txt")
PATIENCE_MS = 300_000
ARTIFACTS = CHECKOUT / "artifacts"
VIEWS = [(1280, "light"), (390, "dark")]  # some twenty pages: each width and each scheme once


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    # Playwright runs a loop in this thread, which Django takes for asynchronous code.
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as driver:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def site(live_server: Any, register_in_force: None) -> Iterator[str]:
    with without_writer():
        yield str(live_server.url)


@pytest.fixture
def as_officer(chromium: Any, site: str) -> Iterator[Callable[..., Any]]:
    """Open the administration as an officer; the test fails if a page's console complains."""
    complaints: list[str] = []
    contexts = []

    def opened(user: User | None, *, width: int = 1280, scheme: str = "light", scripts: bool = True) -> Any:
        viewport = {"width": width, "height": 900}
        contexts.append(chromium.new_context(viewport=viewport, color_scheme=scheme, java_script_enabled=scripts))
        context = contexts[-1]
        context.set_default_timeout(PATIENCE_MS)
        if user is not None:
            session = Client()
            session.force_login(user)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": session.cookies[name].value, "url": site}])
        page = context.new_page()
        page.on("console", lambda m: complaints.append(f"{page.url}: {m.text}") if _is_complaint(m) else None)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.goto(f"{site}/admin/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(message: Any) -> bool:
    # The browser also reports that a page was answered with an error status; some pages here are meant to be.
    return message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text


@pytest.fixture
def look(as_officer: Callable[..., Any]) -> Iterator[Callable[..., None]]:
    """Take pictures of a page, wide and light, narrow and dark; nothing may be cut and no rule of axe broken."""
    faults: list[Any] = []

    def taken(page: Any, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        for width, scheme in VIEWS:
            page.set_viewport_size({"width": width, "height": 900})
            # The theme reads the scheme once, as the page loads; what was typed into the page would be lost by that.
            page.emulate_media(color_scheme=scheme)  # of pages for everybody
            page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wider > 0:
                faults.append((name, width, f"{wider} px too wide"))
            page.screenshot(path=ARTIFACTS / f"officers-{name}-{width}-{scheme}.png", full_page=True)
            faults.extend((name, width, scheme, *fault) for fault in broken_rules(page))
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        page.evaluate("document.documentElement.classList.remove('dark')")

    yield taken
    assert faults == []
