"""The banner in a real browser: yes, no, taking back, outages, no storage, signals, windows, keyboard, strict sites.

Screenshots go into the folder artifacts/, for people to look at.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from common.http.rate_limit import RateLimit
from consent.banner import views
from consent.models import ConsentRecord, Site
from governance.demo.register import SHOP
from tests.helpers.browser import AXE, CHROMIUM, needs_chromium
from tests.helpers.npm_judges import npm_judge
from tests.helpers.paths import CHECKOUT

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: requirements/dev.txt")

ROOT = CHECKOUT
ARTIFACTS = ROOT / "artifacts"
# The foreign site of these tests is on this machine, which a browser guards against sites elsewhere.
_LOCAL = "--disable-features=LocalNetworkAccessChecks"
PATIENCE_MS = 30_000
FOREIGN = "http://127.0.0.1:9099"
FOREIGN_HOST = "http://www.shop.example"
OTHER_HOST = "http://blog.shop.example"
VIEWS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
API = re.compile(r"/api/v1/banner/")
CHOICES = re.compile(r"/api/v1/banner/.*/choices")
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
SIGNAL = 'Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true });'


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


def _state(page: Any) -> dict[str, Any]:
    page.wait_for_function("() => window.assent && assent.state().ready")
    return dict(page.evaluate("assent.state()"))


def _given(page: Any, names: set[str]) -> None:
    """Wait until exactly these purposes are given."""
    page.wait_for_function(
        "names => window.assent && assent.state().ready && !assent.state().pending"
        " && assent.state().given.slice().sort().join() === names",
        arg=",".join(sorted(names)),
    )


def _signals(page: Any) -> list[tuple[str, dict[str, Any]]]:
    """What Google's tags would have been told, in order."""
    found = page.evaluate("dataLayer.map(entry => [...entry]).filter(entry => entry[0] === 'consent')")
    return [(entry[1], entry[2]) for entry in found]


def _button(page: Any, name: str) -> Any:
    return page.get_by_role("dialog").get_by_role("button", name=name, exact=True)


def _records() -> list[str]:
    return list(ConsentRecord.objects.order_by("recorded_at", "id").values_list("state", flat=True))


ALL = {"personalization", "recommendations", "newsletter"}


def test_a_yes_counts_after_the_server_has_it_and_is_remembered(visit):
    page = visit()
    page.evaluate("window.heard = []; document.addEventListener('assent:change', e => heard.push(e.detail.given))")

    _button(page, "Accept all").click()
    _given(page, ALL)

    page.get_by_role("dialog").wait_for(state="detached")
    assert _records() == ["given"] * 3
    assert sorted(page.evaluate("heard.at(-1)")) == sorted(ALL)
    proof = ConsentRecord.objects.first().proof["asked"]
    assert (proof["interface"], len(proof["layout_sha256"])) == ("assent.js@1", 64)
    first, *later = _signals(page)
    assert (first[0], {value for name, value in first[1].items() if name != "wait_for_update"}) == (
        "default",
        {"denied"},
    )
    assert later[-1][1]["personalization_storage"] == "granted"
    assert later[-1][1]["ad_storage"] == "denied"
    assert page.get_by_text("3 of 3 uses").count() == 1

    page.reload()
    _given(page, ALL)
    assert page.get_by_role("dialog").count() == 0


def test_a_no_is_as_easy_as_a_yes_and_as_durable(visit):
    page = visit()
    yes, no = _button(page, "Accept all").bounding_box(), _button(page, "Refuse all").bounding_box()
    assert (round(yes["width"]), yes["height"], yes["y"]) == (round(no["width"]), no["height"], no["y"])

    _button(page, "Refuse all").click()
    _given(page, set())

    assert _records() == ["refused"] * 3
    page.reload()
    assert set(_state(page)["purposes"].values()) == {"refused"}
    assert page.get_by_role("dialog").count() == 0
    assert [kind for kind, _ in _signals(page)] == ["default"]


def test_taking_back_is_one_click_like_giving(visit):
    page = visit()
    _button(page, "Accept all").click()
    _given(page, ALL)
    page.get_by_role("button", name="Look closer Banneton proofing basket").click()
    page.get_by_role("heading", name="Chosen for you").wait_for()

    page.get_by_role("button", name="Turn everything off").click()
    _given(page, set())

    assert _records() == ["given"] * 3 + ["withdrawn"] * 3
    assert page.get_by_role("heading", name="Chosen for you").is_hidden()
    assert page.locator("#remark").inner_text() == ""
    assert _signals(page)[-1][1]["personalization_storage"] == "denied"


def test_each_purpose_has_a_switch_that_starts_off(visit):
    page = visit()
    _button(page, "Choose").click()
    switches = page.get_by_role("switch")
    assert (switches.count(), page.get_by_role("switch", checked=True).count()) == (3, 0)

    page.get_by_role("switch", name="Newsletter").click()
    _button(page, "Save my choices").click()
    _given(page, {"newsletter"})

    assert sorted(_records()) == ["given", "refused", "refused"]


def test_escape_chooses_nothing_and_the_next_page_asks_again(visit):
    page = visit()
    _button(page, "Choose").wait_for()

    page.keyboard.press("Escape")

    page.get_by_role("dialog").wait_for(state="detached")
    assert _state(page)["given"] == []
    assert page.evaluate("localStorage.length") == 0
    assert _records() == []
    page.reload()
    _button(page, "Refuse all").wait_for()


def test_a_yes_the_server_never_got_does_not_count(visit):
    page = visit()
    _button(page, "Accept all").wait_for()
    page.route(CHOICES, lambda route: route.abort())

    _button(page, "Accept all").click()

    page.get_by_text("This could not be saved just now.").wait_for()
    assert _state(page)["given"] == []
    assert page.get_by_role("heading", name="Popular now").is_visible()
    assert [kind for kind, _ in _signals(page)] == ["default"]
    assert _records() == []


def test_a_no_that_could_not_be_sent_counts_at_once_and_is_delivered_later_once(visit):
    page = visit()
    keys = []
    page.on("request", lambda r: keys.append(r.headers["idempotency-key"]) if CHOICES.search(r.url) else None)
    _button(page, "Refuse all").wait_for()

    def swallow(route: Any) -> None:
        route.fetch()  # it arrives, but the answer is lost
        route.abort()

    page.route(CHOICES, swallow)
    _button(page, "Refuse all").click()
    page.wait_for_function("() => assent.state().pending === 1 && !assent.state().reachable")
    assert set(_state(page)["purposes"].values()) == {"refused"}

    page.unroute(CHOICES)
    page.reload()
    _given(page, set())

    assert len(keys) >= 2
    assert len(set(keys)) == 1
    assert _records() == ["refused"] * 3


def test_taking_back_during_an_outage_counts_at_once_and_reaches_the_server(visit):
    page = visit()
    _button(page, "Accept all").click()
    _given(page, ALL)
    page.route(API, lambda route: route.abort())
    page.reload()
    assert _state(page)["given"] == []

    page.evaluate("assent.withdraw()")
    page.wait_for_function("() => assent.state().pending === 1")
    page.unroute(API)
    page.reload()
    _given(page, set())

    assert _records() == ["given"] * 3 + ["withdrawn"] * 3


def test_with_the_server_down_the_page_works_and_everything_is_refused(visit):
    page = visit(routes=lambda context: context.route(API, lambda route: route.fulfill(status=502, body="<h1>no</h1>")))

    page.get_by_text("the consent server does not answer").wait_for()

    assert _state(page)["given"] == []
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("assent.ask()") is False
    page.get_by_role("button", name="Look closer Burr hand grinder").click()
    page.get_by_text("This was not recorded").wait_for()


def test_with_storage_blocked_the_page_works_and_everything_is_refused(visit):
    page = visit(scripts=NO_LOCAL_STORAGE + NO_COOKIE)

    state = _state(page)
    assert (state["durable"], state["given"]) == (False, [])
    assert page.get_by_role("dialog").count() == 0
    page.evaluate("assent.give()")

    assert _state(page)["given"] == []
    page.evaluate("assent.ask()")
    page.get_by_text("Your browser keeps nothing for this site").wait_for()
    _button(page, "Accept all").click()
    page.get_by_text("Your browser keeps nothing for this site").wait_for()
    assert _state(page)["given"] == []
    assert _records() == []


def test_without_local_storage_a_cookie_of_the_site_remembers(visit):
    page = visit(scripts=NO_LOCAL_STORAGE)
    _button(page, "Accept all").click()
    _given(page, ALL)

    page.reload()

    _given(page, ALL)
    assert [cookie["name"] for cookie in page.context.cookies()] == ["assent%3Ademo-shop"]


GPC: dict[str, Any] = {"scripts": SIGNAL, "extra_http_headers": {"Sec-GPC": "1"}}


def test_the_browsers_signal_is_followed_and_confirmed_without_a_question(visit):
    page = visit(**GPC)

    _button(page, "Keep everything off").wait_for()
    assert page.get_by_role("dialog").get_by_text("Your opt-out request was honoured").is_visible()
    assert set(_state(page)["purposes"].values()) == {"refused"}
    page.evaluate("assent.give()")
    _given(page, set())
    assert _records() == ["refused"] * 3
    assert ConsentRecord.objects.first().proof["asked"]["signals"] == {"gpc": True, "gpc_seen_in": ["header", "script"]}

    _button(page, "Keep everything off").click()
    page.reload()
    page.get_by_role("button", name="Your opt-out request was honoured").wait_for()
    assert page.get_by_role("dialog").count() == 0


def test_a_yes_after_the_notice_of_conflict_counts_despite_the_signal(visit):
    page = visit(**GPC)
    _button(page, "Choose").click()
    page.get_by_text("although your browser says otherwise").wait_for()

    page.get_by_role("switch", name="Recommendations").click()
    _button(page, "Save my choices").click()
    _given(page, {"recommendations"})

    assert ConsentRecord.objects.get(state="given").proof["told_of_signal_conflict"] is True
    page.reload()
    _given(page, {"recommendations"})


def test_a_signal_the_server_alone_sees_is_followed_too(visit):
    page = visit(extra_http_headers={"Sec-GPC": "1"})

    _button(page, "Keep everything off").wait_for()
    assert _state(page)["gpc"] is True


def test_without_javascript_the_page_is_whole_and_nothing_is_allowed(visit):
    page = visit(java_script_enabled=False)

    assert page.get_by_text("Without JavaScript nothing is asked, and that counts as no.").is_visible()
    assert page.get_by_role("heading", name="Popular now").is_visible()
    assert page.get_by_role("button").count() == 0
    assert page.context.cookies() == []


def test_what_one_window_refuses_the_other_follows(visit):
    one = visit()
    other = one.context.new_page()
    visit.watch(other)
    other.goto(one.url)
    _button(other, "Accept all").wait_for()

    _button(one, "Refuse all").click()
    _given(one, set())
    other.get_by_role("dialog").wait_for(state="detached")

    assert set(_state(other)["purposes"].values()) == {"refused"}


def test_a_stale_yes_never_overwrites_a_no_of_another_window(visit):
    one = visit()
    deaf = one.context.new_page()
    visit.watch(deaf)
    # A window that hears nothing of the other, as in a browser that keeps windows apart.
    deaf.add_init_script("addEventListener('storage', event => event.stopImmediatePropagation(), true)")
    deaf.goto(one.url)
    _button(deaf, "Accept all").wait_for()
    _button(one, "Refuse all").click()
    _given(one, set())

    _button(deaf, "Accept all").click()

    deaf.get_by_text("This was changed in another window.").wait_for()
    assert _state(deaf)["given"] == []
    assert _records() == ["refused"] * 3
    _button(deaf, "Accept all").click()  # now having seen the no: a later, explicit choice
    _given(deaf, ALL)
    _given(one, ALL)


def test_the_server_settles_a_race_the_windows_could_not_see(visit):
    page = visit()
    _button(page, "Accept all").click()
    _given(page, ALL)
    twin = page.evaluate("JSON.parse(localStorage['assent:demo-shop']).id")
    # The same browser's other copy, whose storage this one does not share, withdraws.
    page.evaluate(
        """async id => fetch("/api/v1/banner/demo-shop/choices", {method: "POST",
           headers: {"Content-Type": "application/json"}, body: JSON.stringify({browser: id,
           choices: [{purpose: "newsletter", choice: "refuse"}]})})""",
        twin,
    )

    page.evaluate("assent.give('newsletter')")
    _given(page, ALL - {"newsletter"})

    assert _records()[-1] == "withdrawn"


def test_a_no_overtakes_a_yes_that_is_still_on_its_way(visit):
    page = visit()
    _button(page, "Accept all").wait_for()
    held: list[Any] = []
    page.route(CHOICES, lambda route: held.append(route))
    page.evaluate("void assent.give()")
    page.wait_for_function("() => assent.state().pending === 1")
    page.evaluate("void assent.refuse()")
    assert set(_state(page)["purposes"].values()) == {"refused"}

    for _ in range(50):
        if held:
            break
        page.wait_for_timeout(100)
    page.unroute(CHOICES)  # which lets go what was held

    _given(page, set())
    assert _records() == ["given"] * 3 + ["withdrawn"] * 3
    page.reload()
    _given(page, set())


def test_the_keyboard_is_enough(visit):
    page = visit()
    _button(page, "Choose").wait_for()
    focused = "(document.activeElement.shadowRoot?.activeElement ?? document.activeElement)"
    assert page.evaluate(f"{focused}.getAttribute('role')") == "dialog"

    for name in ("Refuse all", "Accept all", "Choose"):
        page.keyboard.press("Tab")
        assert page.evaluate(f"{focused}.textContent") == name
        assert page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(f"{focused}.textContent") == "Save my choices":
            break
    page.keyboard.press("Enter")

    _given(page, {"personalization"})
    assert page.evaluate(f"{focused}.textContent") == "Privacy choices"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    _given(page, set())


def test_after_closing_the_focus_returns_to_what_opened_it(visit):
    page = visit()
    _button(page, "Refuse all").click()
    page.locator("#choices").focus()
    page.keyboard.press("Enter")
    _button(page, "Save my choices").wait_for()

    page.keyboard.press("Escape")

    assert page.evaluate("document.activeElement.id") == "choices"


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

    _button(page, "Alles annehmen").click()
    _given(page, ALL)

    assert page.evaluate("violations") == []
    assert page.context.cookies() == []
    assert ConsentRecord.objects.first().proof["notice"]["locale"] == "en"  # the register has no German text


def test_a_page_of_somebody_else_gets_nothing(visit, server):
    html = f'<!doctype html><title>x</title><script src="{server}/assent.js" data-site="{SHOP}" defer></script>'
    stranger = "http://127.0.0.1:9100"
    page = visit().context.new_page()  # what its console says of the refusal is meant to be there
    page.route(f"{stranger}/**", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{stranger}/")

    assert _state(page)["given"] == []
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
    page = visit(path=f"{FOREIGN_HOST}/", routes=_hosts(server))
    _button(page, "Accept all").click()
    _given(page, ALL)

    page.evaluate(script)
    page.locator("assent-banner").get_by_role("button", name="Turn everything off").click()
    _given(page, set())

    assert page.locator("assent-banner").count() == 1
    assert _records() == ["given"] * 3 + ["withdrawn"] * 3


@pytest.mark.parametrize("script", REPLACEMENTS.values(), ids=REPLACEMENTS)
def test_the_question_survives_a_replaced_body(visit, server, script):
    page = visit(path=f"{FOREIGN_HOST}/", routes=_hosts(server))
    _button(page, "Refuse all").wait_for()

    page.evaluate(script)
    _button(page, "Refuse all").click()
    _given(page, set())

    assert page.locator("assent-banner").count() == 1
    assert _records() == ["refused"] * 3


@pytest.mark.parametrize("value", ["true", "1", '"1"'])
def test_the_signal_counts_in_each_form_that_browsers_set(visit, value):
    page = visit(scripts=SIGNAL.replace("=> true", f"=> {value}"))

    _button(page, "Keep everything off").wait_for()
    assert _state(page)["gpc"] is True
    page.evaluate("assent.give()")
    _given(page, set())
    assert ConsentRecord.objects.first().proof["asked"]["signals"] == {"gpc": True, "gpc_seen_in": ["script"]}


@pytest.mark.parametrize("value", ["false", "0", "undefined", "null"])
def test_a_signal_that_is_off_is_no_opt_out(visit, value):
    page = visit(scripts=SIGNAL.replace("=> true", f"=> {value}"))

    _button(page, "Accept all").wait_for()
    assert _state(page)["gpc"] is False


def test_a_late_signal_stops_a_yes_that_was_asked_before_it(visit):
    page = visit()
    _button(page, "Accept all").wait_for()
    page.evaluate(SIGNAL)

    page.evaluate("assent.give()")
    _given(page, set())
    assert "given" not in _records()

    fresh = visit()
    _button(fresh, "Accept all").wait_for()
    fresh.evaluate(SIGNAL)
    fresh.evaluate("dispatchEvent(new Event('focus'))")
    _button(fresh, "Keep everything off").wait_for()
    assert _state(fresh)["given"] == []


HOSTILE = """
*, *::before, *::after { all: unset !important; --ground: red !important; --ink: red !important; }
button, [role=dialog], assent-banner { display: none !important; visibility: hidden !important; opacity: 0 !important; }
button:nth-of-type(1) { font-size: 4px !important; color: #fff !important; transform: scale(.1) !important; }
assent-banner > button { width: 1px !important; position: absolute !important; left: -9999px !important; }
"""


def test_a_hostile_sheet_leaves_both_buttons_visible_and_equal(visit):
    page = visit()
    _button(page, "Refuse all").wait_for()
    plain = [_looks(_button(page, name)) for name in ("Refuse all", "Accept all")]
    page.evaluate(
        "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); document.adoptedStyleSheets = [sheet]; }",
        HOSTILE,
    )

    dressed = [_looks(_button(page, name)) for name in ("Refuse all", "Accept all")]

    assert dressed == plain
    assert dressed[0] == dressed[1]
    assert dressed[0]["height"] >= 44
    _shoot(page, "banner-hostile", 1280, "light")
    _button(page, "Refuse all").click()
    _given(page, set())


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
    _given(page, set())

    page.wait_for_function("judged.some(message => message.type === 'optOutResult')")
    answers = page.evaluate("judged.filter(m => m.type === 'optOutResult').map(m => [m.cmp, m.result])")
    assert answers == [["HEURISTIC-REJECT", True]]
    assert _records() == ["refused"] * 3


@pytest.mark.parametrize("width", [1280, 390])
def test_on_a_right_to_left_page_the_banner_reads_left_to_right(visit, width):
    page = visit(
        scripts="addEventListener('DOMContentLoaded', () => { document.documentElement.dir = 'rtl'; })",
        viewport={"width": width, "height": 800},
    )
    _button(page, "Choose").click()
    page.get_by_role("switch", name="Newsletter").click()
    inside = page.get_by_role("switch", name="Newsletter").evaluate(
        "input => [getComputedStyle(input).direction, getComputedStyle(input, '::after').left]"
    )
    assert inside == ["ltr", "24px"]
    _shoot(page, "banner-rtl", width, "light")
    _button(page, "Save my choices").click()
    _given(page, {"newsletter"})

    box = page.locator("assent-banner").bounding_box()
    assert round(box["x"] + box["width"]) == width - 16


def _hosts(server: str, domain: str = "") -> Callable[[Any], None]:
    """Serve every host of shop.example as one plain page with the banner."""
    Site.objects.filter(slug=SHOP).update(origins=[FOREIGN_HOST, OTHER_HOST])
    html = (
        "<!doctype html><html lang=en><title>Shop</title><body><h1>Shop</h1>"
        f'<script src="{server}/assent.js" data-site="{SHOP}" data-domain="{domain}" defer></script>'
    )

    def routes(context: Any) -> None:
        context.route(
            re.compile(r"^http://\w+\.shop\.example/"), lambda r: r.fulfill(body=html, content_type="text/html")
        )

    return routes


def test_a_refusal_on_one_host_counts_on_all_of_the_domain(visit, server):
    page = visit(path=f"{FOREIGN_HOST}/", routes=_hosts(server, "shop.example"))
    _button(page, "Refuse all").click()
    _given(page, set())

    page.goto(f"{OTHER_HOST}/")

    assert set(_state(page)["purposes"].values()) == {"refused"}
    assert page.get_by_role("dialog").count() == 0


def test_a_refusal_outlives_the_storage_that_the_browser_clears(visit, server):
    page = visit(path=f"{FOREIGN_HOST}/", routes=_hosts(server, "shop.example"))
    _button(page, "Refuse all").click()
    _given(page, set())
    page.evaluate("localStorage.clear()")  # as Safari does after seven days; a cookie renewed by the site stays

    page.reload()

    assert set(_state(page)["purposes"].values()) == {"refused"}
    assert page.get_by_role("dialog").count() == 0


def test_a_refusal_kept_by_one_host_is_carried_into_the_shared_cookie(visit, server):
    page = visit(path=f"{FOREIGN_HOST}/", routes=_hosts(server))
    _button(page, "Refuse all").click()
    _given(page, set())

    page.unroute_all()
    _hosts(server, "shop.example")(page.context)
    page.reload()

    assert set(_state(page)["purposes"].values()) == {"refused"}
    assert {cookie["domain"] for cookie in page.context.cookies()} == {".shop.example"}


def _shoot(page: Any, name: str, width: int, scheme: str, *, full: bool = False) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}-{width}-{scheme}.png", full_page=full)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} is {wider} px wider than the screen of {width} px"


def _faults(page: Any) -> list[Any]:
    if not AXE:
        return []
    page.evaluate(Path(AXE).read_text())
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [(fault["id"], json.dumps(fault["nodes"][0]["target"]), fault["nodes"][0]["html"][:200]) for fault in found]


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_banner_and_shop_fit_and_axe_finds_nothing_where_it_is_named(visit, width, scheme):
    view = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    page = visit(**view)
    _button(page, "Choose").wait_for()
    _shoot(page, "banner-asks", width, scheme)
    faults = _faults(page)
    _button(page, "Choose").click()
    page.get_by_role("switch", name="Recommendations").click()
    _shoot(page, "banner-choose", width, scheme)
    faults += _faults(page)
    _button(page, "Save my choices").click()
    _given(page, {"recommendations"})
    page.get_by_role("button", name="Look closer Burr hand grinder").click()
    _shoot(page, "shop-allowed", width, scheme, full=True)
    faults += _faults(page)
    signal = visit(**view, **GPC)
    _button(signal, "Choose").wait_for()
    _shoot(signal, "banner-signal", width, scheme)
    faults += _faults(signal)
    _button(signal, "Keep everything off").click()
    _shoot(signal, "shop-signal", width, scheme)
    home = visit(**view, path="/")
    _shoot(home, "home-with-shop", width, scheme, full=True)
    faults += _faults(home)

    assert faults == []
