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
_LOAD = """() => new Promise((loaded) => {
  const script = Object.assign(document.createElement("script"), {src: "/own-sender.js", onload: loaded});
  script.dataset.to = "/own-events";
  document.head.append(script);
})"""
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

    script = (settings.BASE_DIR / "static" / "assent" / "events.js").read_text()

    def routes(context):
        context.route("**/own-events", own_server)
        context.route("**/own-sender.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))

    opened = visit(routes=routes)
    opened.evaluate(_LOAD)
    opened.sent, opened.failing = sent, failing
    return opened


def _numbers(bodies) -> list[int]:
    return [event["sequence"] for body in bodies for event in body["events"]]


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
    page.evaluate(
        "() => { window.beacons = []; navigator.sendBeacon = (to, blob) => blob.text().then(t => beacons.push(t)); }"
    )
    for _ in range(60):
        page.evaluate(VIEW)
    page.evaluate("() => dispatchEvent(new Event('pagehide'))")

    page.wait_for_function("() => beacons.length === 1")
    left = [json.loads(text) for text in page.evaluate("() => beacons")]
    sent = [*_numbers(page.sent), *_numbers(left)]
    assert sorted(sent) == list(range(60))
    assert page.sent[0]["stream"] == left[0]["stream"]


def test_what_is_queued_while_a_request_is_under_way_is_not_taken_for_sent(page):
    button(page, "Accept all").click()
    wait_for_given(page, ALL)
    page.evaluate(
        """async () => {
          const fetched = window.fetch;
          let go;
          const held = new Promise((free) => { go = free; });
          window.fetch = (...asked) => held.then(() => fetched(...asked));
          navigator.sendBeacon = () => true;
          const view = () => assentEvents.send({type: "view", item: "kettle"});
          view(); view();
          const first = assentEvents.flush();
          dispatchEvent(new Event("pagehide"));  // such as a look at another tab: the page goes on
          view(); view();
          go();
          await first;
          await assentEvents.flush();
        }"""
    )

    assert _numbers(page.sent) == [0, 1, 2, 3]
