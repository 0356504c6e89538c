"""A shop with the banner, served by the application itself, and browsers that visit it.

Screenshots go into the folder artifacts/, for people to look at.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.request import urlopen

import pytest

from common.http.rate_limit import RateLimit
from consent.banner import views
from consent.models import Site
from governance.demo.register import SHOP
from tests.helpers.banner_pages import FOREIGN, PATIENCE_MS
from tests.helpers.browser import CHROMIUM

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: requirements/dev.txt")

# The foreign site of these tests is on this machine, which a browser guards against sites elsewhere.
_LOCAL = "--disable-features=LocalNetworkAccessChecks"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    # Playwright runs a loop in this thread, which Django takes for asynchronous code.
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as driver:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", _LOCAL]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def server(live_server: Any, register_in_force: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(views, "CALLS", RateLimit("test", 100_000, per=timedelta(minutes=1)))
    Site.objects.filter(slug=SHOP).update(origins=[live_server.url, FOREIGN])
    yield str(live_server.url)
    _await_its_threads(live_server.url)


def _await_its_threads(url: str) -> None:
    """Wait until no request is in progress, before the tables are emptied.

    Emptied under a request they fail it, or the emptying itself (a deadlock). Both tracebacks are then formatted at
    once, which ends the whole run on Python before 3.11.8: "AST constructor recursion depth mismatch".

    The browser has closed its connections; all of them are accepted once a later one was answered.
    """
    with urlopen(f"{url}/assent.js", timeout=PATIENCE_MS / 1_000) as answer:
        answer.read()
    for thread in threading.enumerate():
        if thread.name.endswith("(process_request_thread)"):
            thread.join(PATIENCE_MS / 1_000)


@pytest.fixture
def visit(chromium: Any, server: str) -> Iterator[Callable[..., Any]]:
    """Open the shop in a fresh browser; the test fails if a page's console complains of anything but the network."""
    complaints: list[str] = []
    contexts = []

    def opened(*, scripts: str = "", path: str = "/shop/", routes: Any = None, **options: Any) -> Any:
        contexts.append(chromium.new_context(**options))
        context = contexts[-1]
        context.set_default_timeout(PATIENCE_MS)
        if scripts:
            context.add_init_script(scripts)
        if routes:
            routes(context)
        page = context.new_page()
        watch(page)
        page.goto(path if path.startswith("http") else f"{server}{path}")
        return page

    def watch(page: Any) -> None:
        page.on("console", lambda m: complaints.append(m.text) if _is_complaint(m) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))

    opened.watch = watch  # type: ignore[attr-defined]
    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(message: Any) -> bool:
    return message.type in ("error", "warning") and "Failed to load resource" not in message.text
