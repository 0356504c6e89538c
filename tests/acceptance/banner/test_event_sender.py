"""The sender of events in a page: numbered, once, and nothing before a yes or after a no."""

import json
from typing import Any

import pytest

from tests.helpers.banner_pages import ALL, button, wait_for_given
from tests.helpers.browser import needs_chromium

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]
VIEW = '() => assentEvents.send({type: "view", item: "kettle"})'


@pytest.fixture
def page(visit, settings):
    """The shop with the sender, and what its own server was sent; ``failing`` answers are 503."""
    sent: list[dict[str, Any]] = []
    failing = [0]

    def own_server(route, request):
        sent.append(json.loads(request.post_data))
        failing[0] -= 1
        route.fulfill(status=503 if failing[0] >= 0 else 204)

    opened = visit(routes=lambda context: context.route("**/own-events", own_server))
    script = (settings.BASE_DIR / "static" / "assent" / "events.js").read_text()
    opened.evaluate("document.head.append(Object.assign(document.createElement('meta'), {name: 'loaded'}))")
    opened.add_script_tag(content=script.replace("script.dataset.to", '"/own-events"').replace(
        "script.dataset.purpose", "undefined"
    ))  # fmt: skip
    opened.sent, opened.failing = sent, failing
    return opened


def _numbers(page) -> list[int]:
    return [event["sequence"] for body in page.sent for event in body["events"]]


def test_nothing_is_sent_before_a_yes_and_after_a_no(page):
    assert page.evaluate(VIEW) is False
    button(page, "Accept all").click()
    wait_for_given(page, ALL)
    assert page.evaluate(VIEW) is True
    page.evaluate("() => assent.withdraw()")
    wait_for_given(page, set())

    page.evaluate("() => assentEvents.flush()")

    assert page.evaluate(VIEW) is False
    assert page.sent == []


def test_events_are_numbered_and_sent_again_under_the_same_ids_after_a_failure(page):
    button(page, "Accept all").click()
    wait_for_given(page, ALL)
    page.failing[0] = 1
    for _ in range(3):
        page.evaluate(VIEW)

    page.evaluate("() => assentEvents.flush()")
    page.evaluate("() => assentEvents.flush()")

    first, again = page.sent
    assert first == again
    assert [event["sequence"] for event in first["events"]] == [0, 1, 2]
    assert len({event["event_id"] for event in first["events"]}) == 3
    assert all(event["event_id"].startswith(first["stream"]) for event in first["events"])


def test_what_waits_is_sent_when_the_page_is_left(page):
    button(page, "Accept all").click()
    wait_for_given(page, ALL)
    for _ in range(60):
        page.evaluate(VIEW)

    page.goto("about:blank")
    page.wait_for_timeout(200)

    assert sorted(_numbers(page)) == list(range(60))
