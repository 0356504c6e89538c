"""A server that does not answer, a browser that keeps nothing, and a page without scripts: all of it is a no."""

from typing import Any

import pytest

from tests.helpers.banner_pages import ALL, API, CHOICES, button, consent_signals, records, state_of, wait_for_given
from tests.helpers.browser import needs_chromium

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


NO_LOCAL_STORAGE = """
Object.defineProperty(window, "localStorage", { get() { throw new DOMException("blocked", "SecurityError"); } });
"""


NO_COOKIE = """
Object.defineProperty(Document.prototype, "cookie", { get() { return ""; }, set() {} });
"""


def test_a_yes_the_server_never_got_does_not_count(visit):
    page = visit()
    button(page, "Accept all").wait_for()
    page.route(CHOICES, lambda route: route.abort())

    button(page, "Accept all").click()

    page.get_by_text("This could not be saved just now.").wait_for()
    assert state_of(page)["given"] == []
    assert page.get_by_role("heading", name="Popular now").is_visible()
    assert [kind for kind, _ in consent_signals(page)] == ["default"]
    assert records() == []


def test_a_no_that_could_not_be_sent_counts_at_once_and_is_delivered_later_once(visit):
    page = visit()
    keys = []
    page.on("request", lambda r: keys.append(r.headers["idempotency-key"]) if CHOICES.search(r.url) else None)
    button(page, "Refuse all").wait_for()

    def swallow(route: Any) -> None:
        route.fetch()  # it arrives, but the answer is lost
        route.abort()

    page.route(CHOICES, swallow)
    button(page, "Refuse all").click()
    page.wait_for_function("() => assent.state().pending === 1 && !assent.state().reachable")
    assert set(state_of(page)["purposes"].values()) == {"refused"}

    page.unroute(CHOICES)
    page.reload()
    wait_for_given(page, set())

    assert len(keys) >= 2
    assert len(set(keys)) == 1
    assert records() == ["refused"] * 3


def test_taking_back_during_an_outage_counts_at_once_and_reaches_the_server(visit):
    page = visit()
    button(page, "Accept all").click()
    wait_for_given(page, ALL)
    page.route(API, lambda route: route.abort())
    page.reload()
    assert state_of(page)["given"] == []

    page.evaluate("assent.withdraw()")
    page.wait_for_function("() => assent.state().pending === 1")
    page.unroute(API)
    page.reload()
    wait_for_given(page, set())

    assert records() == ["given"] * 3 + ["withdrawn"] * 3


def test_with_the_server_down_the_page_works_and_everything_is_refused(visit):
    page = visit(routes=lambda context: context.route(API, lambda route: route.fulfill(status=502, body="<h1>no</h1>")))

    page.get_by_text("the consent server does not answer").wait_for()

    assert state_of(page)["given"] == []
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("assent.ask()") is False
    page.get_by_role("button", name="Look closer Burr hand grinder").click()
    page.get_by_text("This was not recorded").wait_for()


def test_with_storage_blocked_the_page_works_and_everything_is_refused(visit):
    page = visit(scripts=NO_LOCAL_STORAGE + NO_COOKIE)

    state = state_of(page)
    assert (state["durable"], state["given"]) == (False, [])
    assert page.get_by_role("dialog").count() == 0
    page.evaluate("assent.give()")

    assert state_of(page)["given"] == []
    page.evaluate("assent.ask()")
    page.get_by_text("Your browser keeps nothing for this site").wait_for()
    button(page, "Accept all").click()
    page.get_by_text("Your browser keeps nothing for this site").wait_for()
    assert state_of(page)["given"] == []
    assert records() == []


def test_without_local_storage_a_cookie_of_the_site_remembers(visit):
    page = visit(scripts=NO_LOCAL_STORAGE)
    button(page, "Accept all").click()
    wait_for_given(page, ALL)

    page.reload()

    wait_for_given(page, ALL)
    assert [cookie["name"] for cookie in page.context.cookies()] == ["assent%3Ademo-shop"]


def test_without_javascript_the_page_is_whole_and_nothing_is_allowed(visit):
    page = visit(java_script_enabled=False)

    assert page.get_by_text("Without JavaScript nothing is asked, and that counts as no.").is_visible()
    assert page.get_by_role("heading", name="Popular now").is_visible()
    assert page.get_by_role("button").count() == 0
    assert page.context.cookies() == []
