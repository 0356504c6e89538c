"""Sites of others: strict policies, replaced bodies, hostile sheets, right to left, several hosts, extensions."""

from typing import Any

import pytest

from consent.models import ConsentRecord
from governance.demo.register import SHOP
from tests.helpers.banner_pages import (
    ALL,
    FOREIGN,
    FOREIGN_HOST,
    OTHER_HOST,
    button,
    hosts,
    records,
    shoot,
    state_of,
    wait_for_given,
)
from tests.helpers.browser import needs_chromium
from tests.helpers.npm_judges import npm_judge

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


def test_a_foreign_site_with_the_strictest_policy_asks_without_a_violation(visit, server):
    policy = f"default-src 'none'; script-src {server}; connect-src {server}; require-trusted-types-for 'script'"
    html = (
        "<!doctype html><html lang=de><title>Laden</title><body><main><h1>Laden</h1></main>"
        f'<script src="{server}/assent.js" data-site="{SHOP}" defer></script>'
    )
    headers = {"Content-Security-Policy": policy, "Content-Type": "text/html; charset=utf-8"}
    page = visit(
        path=f"{FOREIGN}/",
        routes=lambda context: context.route(f"{FOREIGN}/**", lambda route: route.fulfill(body=html, headers=headers)),
        scripts="window.violations = []; document.addEventListener('securitypolicyviolation',"
        " e => violations.push(e.violatedDirective))",
    )

    button(page, "Alles annehmen").click()
    wait_for_given(page, ALL)

    assert page.evaluate("violations") == []
    assert page.context.cookies() == []
    assert ConsentRecord.objects.first().proof["notice"]["locale"] == "en"  # the register has no German text


def test_a_page_of_somebody_else_gets_nothing(visit, server):
    html = f'<!doctype html><title>x</title><script src="{server}/assent.js" data-site="{SHOP}" defer></script>'
    stranger = "http://127.0.0.1:9100"
    page = visit().context.new_page()  # what its console says of the refusal is meant to be there
    page.route(f"{stranger}/**", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{stranger}/")

    assert state_of(page)["given"] == []
    assert page.get_by_role("dialog").count() == 0


REPLACEMENTS = {
    "another body": "document.documentElement.replaceChild(document.createElement('body'), document.body)",
    "other content": "document.body.innerHTML = '<p>next page</p>'",
    "a cached copy": "document.documentElement.replaceChild(document.body.cloneNode(true), document.body)",
    "another root": "document.replaceChild(document.documentElement.cloneNode(true), document.documentElement)",
}
"""What libraries that swap pages without loading them (Turbo, htmx, pjax) do to the document."""


@pytest.mark.parametrize("script", REPLACEMENTS.values(), ids=REPLACEMENTS)
def test_the_way_back_survives_a_replaced_body(visit, server, script):
    page = visit(path=f"{FOREIGN_HOST}/", routes=hosts(server))
    button(page, "Accept all").click()
    wait_for_given(page, ALL)

    page.evaluate(script)
    page.locator("assent-banner").get_by_role("button", name="Turn everything off").click()
    wait_for_given(page, set())

    assert page.locator("assent-banner").count() == 1
    assert records() == ["given"] * 3 + ["withdrawn"] * 3


@pytest.mark.parametrize("script", REPLACEMENTS.values(), ids=REPLACEMENTS)
def test_the_question_survives_a_replaced_body(visit, server, script):
    page = visit(path=f"{FOREIGN_HOST}/", routes=hosts(server))
    button(page, "Refuse all").wait_for()

    page.evaluate(script)
    button(page, "Refuse all").click()
    wait_for_given(page, set())

    assert page.locator("assent-banner").count() == 1
    assert records() == ["refused"] * 3


HOSTILE = """
*, *::before, *::after { all: unset !important; --ground: red !important; --ink: red !important; }
button, [role=dialog], assent-banner { display: none !important; visibility: hidden !important; opacity: 0 !important; }
button:nth-of-type(1) { font-size: 4px !important; color: #fff !important; transform: scale(.1) !important; }
assent-banner > button { width: 1px !important; position: absolute !important; left: -9999px !important; }
"""


def test_a_hostile_sheet_leaves_both_buttons_visible_and_equal(visit):
    page = visit()
    button(page, "Refuse all").wait_for()
    plain = [_looks(button(page, name)) for name in ("Refuse all", "Accept all")]
    page.evaluate(
        "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); document.adoptedStyleSheets = [sheet]; }",
        HOSTILE,
    )

    dressed = [_looks(button(page, name)) for name in ("Refuse all", "Accept all")]

    assert dressed == plain
    assert dressed[0] == dressed[1]
    assert dressed[0]["height"] >= 44
    shoot(page, "banner-hostile", 1280, "light")
    button(page, "Refuse all").click()
    wait_for_given(page, set())


def _looks(button: Any) -> dict[str, Any]:
    assert button.is_visible()
    found: dict[str, Any] = button.evaluate(
        """button => {
          const style = getComputedStyle(button), box = button.getBoundingClientRect();
          const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          const names = ["color", "backgroundColor", "fontSize", "fontWeight", "borderTopWidth", "opacity",
            "transform"];
          return {width: Math.round(box.width), height: Math.round(box.height), y: box.y, hit: at === button,
            ...Object.fromEntries(names.map(name => [name, style[name]]))};
        }"""
    )
    assert found["hit"]
    return found


# The extension that refuses: its content script as it stands in the package, with no rule for any named banner, so that
# its general detection alone has to find ours and the button.
AUTOREFUSE = """() => {
window.judged = [];
window.autoconsentSendMessage = async message => {
  judged.push(message);
  await Promise.resolve();  // the script is still starting when it sends the first
  if (message.type === "init") autoconsentReceiveMessage({type: "initResp", rules: {autoconsent: []}, config: {
    enabled: true, autoAction: "optOut", disabledCmps: [], enablePrehide: false, detectRetries: 20, isMainWorld: false,
    enableCosmeticRules: true, enableHeuristicDetection: true, heuristicMode: "reject"}});
}; }"""


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_an_extension_that_refuses_presses_refuse_all(visit, language):
    script = npm_judge("autoconsent") / "@duckduckgo/autoconsent/dist/autoconsent.playwright.js"
    page = visit(path=f"/shop/?language={language}", locale=language)
    page.get_by_role("dialog").wait_for()
    assert page.get_by_role("dialog").get_attribute("lang") == language

    page.evaluate(AUTOREFUSE)
    page.evaluate(script.read_text())
    page.get_by_role("dialog").wait_for(state="detached")
    wait_for_given(page, set())

    page.wait_for_function("judged.some(message => message.type === 'optOutResult')")
    answers = page.evaluate("judged.filter(m => m.type === 'optOutResult').map(m => [m.cmp, m.result])")
    assert answers == [["HEURISTIC-REJECT", True]]
    assert records() == ["refused"] * 3


@pytest.mark.parametrize("width", [1280, 390])
def test_on_a_right_to_left_page_the_banner_reads_left_to_right(visit, width):
    page = visit(
        scripts="addEventListener('DOMContentLoaded', () => { document.documentElement.dir = 'rtl'; })",
        viewport={"width": width, "height": 800},
    )
    button(page, "Choose").click()
    page.get_by_role("switch", name="Newsletter").click()
    inside = page.get_by_role("switch", name="Newsletter").evaluate(
        "input => [getComputedStyle(input).direction, getComputedStyle(input, '::after').left]"
    )
    assert inside == ["ltr", "24px"]
    shoot(page, "banner-rtl", width, "light")
    button(page, "Save my choices").click()
    wait_for_given(page, {"newsletter"})

    box = page.locator("assent-banner").bounding_box()
    assert round(box["x"] + box["width"]) == width - 16


def test_a_refusal_on_one_host_counts_on_all_of_the_domain(visit, server):
    page = visit(path=f"{FOREIGN_HOST}/", routes=hosts(server, "shop.example"))
    button(page, "Refuse all").click()
    wait_for_given(page, set())

    page.goto(f"{OTHER_HOST}/")

    assert set(state_of(page)["purposes"].values()) == {"refused"}
    assert page.get_by_role("dialog").count() == 0


def test_a_refusal_outlives_the_storage_that_the_browser_clears(visit, server):
    page = visit(path=f"{FOREIGN_HOST}/", routes=hosts(server, "shop.example"))
    button(page, "Refuse all").click()
    wait_for_given(page, set())
    page.evaluate("localStorage.clear()")  # as Safari does after seven days; a cookie renewed by the site stays

    page.reload()

    assert set(state_of(page)["purposes"].values()) == {"refused"}
    assert page.get_by_role("dialog").count() == 0


def test_a_refusal_kept_by_one_host_is_carried_into_the_shared_cookie(visit, server):
    page = visit(path=f"{FOREIGN_HOST}/", routes=hosts(server))
    button(page, "Refuse all").click()
    wait_for_given(page, set())

    page.unroute_all()
    hosts(server, "shop.example")(page.context)
    page.reload()

    assert set(state_of(page)["purposes"].values()) == {"refused"}
    assert {cookie["domain"] for cookie in page.context.cookies()} == {".shop.example"}
