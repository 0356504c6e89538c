"""A whole instance in a real browser: the person, the officer, the developer; keyboard, no scripts, small and dark.

Screenshots of every page go into the folder artifacts/, for people to look at.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from governance.launcher.home.home import open_home
from governance.launcher.home.home_paths import remove_outside_parts
from tests.helpers.browser import AXE, CHROMIUM, broken_rules, needs_axe, needs_chromium
from tests.helpers.paths import CHECKOUT
from tests.helpers.ports import claimed_port
from tests.helpers.processes import start_leashed

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: requirements/dev.txt")

ROOT = CHECKOUT
ARTIFACTS = ROOT / "artifacts"
PASSWORD = "only-for-this-instance"
PATIENCE_S = 300
VIEWS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
PUBLIC = ["/", "/shop/", "/nowhere/", "/privacy/", "/privacy/request", "/api/docs"]
# Pages of officers that show nothing before there is something to decide; "one": the first that the list links to.
FILLED = [
    ("/admin/changes/", "one"),
    ("/admin/requests/", "one"),
    ("/admin/privacy/deletionplan/", "one"),
    ("/admin/privacy/disposal/", "list"),
    ("/admin/privacy/retentionschedule/", "one"),
    ("/admin/privacy/recordperiod/", "one"),
    ("/admin/policies/logdrop/", "one"),
    ("/admin/privacy/hold/add/", "list"),
    ("/admin/auth/user/", "one"),
    ("/admin/account/", "list"),
    ("/admin/data-map", "list"),
    ("/admin/residency-matrix", "list"),
    ("/admin/audit/auditevent/", "list"),
]
TO_DECIDE = """
from django.contrib.auth.models import User
from common.actors import Officer
from consent.models import DataSubject
from governance.officers import role_groups
from governance.officers.rights_register import operator_writes
from oversight import registers, rows
from oversight.admin.forms import draft_of
from oversight.changes.documents import Proposed
from policies.models import LogDrop
from privacy.models import RetentionSchedule
from privacy.retention import plans
from privacy.rights.clocks.laws import Right
from privacy.rights.requests import requests

role_groups.keep_current()
with operator_writes():
    author = User.objects.create_user("author", is_staff=True)
actor = Officer.of("author", author.pk)
plans.make(RetentionSchedule.objects.select_related("purpose").first(), actor=actor)
LogDrop.objects.create(day="2026-01-01", state="refused", why="It could not be exported: No space left on device")
document = rows.document_of(registers.find("officer_rights"), author)
document["groups"] = role_groups.groups_with(author, ["auditor"])
draft_of([Proposed("officer_rights", "author", document)], title="Change rights", actor=actor)
requests.open_request(requests.Opening(
    right=Right.ERASURE, subject_ref=DataSubject.objects.first().ref, region="DE", door="letter", actor=actor,
    is_identified=False,  # waits for an officer; an accepted erasure is fulfilled within a minute
))
"""
SECOND_SIGNS_IN = f"""
from django.contrib.auth.models import User

second = User.objects.get(username="second")
second.set_password({PASSWORD!r})
second.save(update_fields=["password"])
"""
pytestmark = [
    pytest.mark.acceptance,
    needs_chromium,
]


class Site:
    """The instance as its visitors reach it."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        self.url = f"http://localhost:{self.port}"
        own = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPYCACHEPREFIX")
        self.environment = {name: value for name, value in os.environ.items() if name in own}
        self.environment["PYTHONPATH"] = str(ROOT)
        # Nothing is sent to it: without a mail server the form of requests is closed.
        self.environment |= {"MAIL_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "privacy@shop.example"}
        self.token = ""

    def command(self, *arguments: str) -> list[str]:
        base = [sys.executable, "-m", "governance.launcher", "--home", str(self.home), "--port", str(self.port)]
        return [*base, *arguments]

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments), cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def post(self, path: str, body: object) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}{path}", data=json.dumps(body).encode(), headers=headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def new_customer(self, name: str) -> str:
        """Make a customer known, with no consent yet, and return a link to their dashboard."""
        subject = {"id": name, "region": "DE", "age_band": "adult"}
        self.post("/api/v1/consents", {"subject": subject, "choices": [{"purpose": "newsletter", "choice": "refuse"}]})
        return str(self.post("/api/v1/dashboard-links", {"subject": {"id": name}})["url"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with claimed_port() as port:
        yield from _running(Site(tmp_path_factory.mktemp("instance") / "home", port))


def _running(site: Site) -> Iterator[Site]:
    with (site.home.parent / "launcher.log").open("wb") as log:
        launcher = start_leashed(
            site.command("up"), cwd=ROOT, env=site.environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(site.is_ready)
        site.run("manage", "seed_demo")
        officer = f"from governance.demo.register import reset_officer; reset_officer({PASSWORD!r})"
        site.run("manage", "shell", "-c", officer)
        scopes = ("consents", "subject_links", "decisions", "recommendations", "events")
        made = site.run("credentials", "create", "browser", *(word for s in scopes for word in ("--scope", s)))
        site.token = made.splitlines()[-1]
        yield site
    finally:
        site.run("down")
        launcher.wait(timeout=60)
        remove_outside_parts(open_home(site.home))


def _wait(condition: Any) -> None:
    for _ in range(PATIENCE_S * 10):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"Waited {PATIENCE_S} s in vain")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Any]:
    """Open a page that notes what its console complains of; the test fails on any complaint."""
    complaints: list[str] = []
    contexts = []

    def opened(**options: Any) -> Any:
        contexts.append(chromium.new_context(**options))
        contexts[-1].set_default_timeout(PATIENCE_S * 1000)
        page = contexts[-1].new_page()
        page.on("console", lambda m: complaints.append(f"{page.url}: {m.text}") if _is_complaint(m) else None)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(message: Any) -> bool:
    # The browser also reports that a page was answered with an error status; some pages here are meant to be.
    return message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text


def _tab_to(page: Any, name: str) -> None:
    """Press Tab until the focus is on the control of this name; it must be visible there."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in " ".join(focused.inner_text().split()):
            assert focused.evaluate("e => getComputedStyle(e).outlineStyle") != "none", f"{name}: no focus ring"
            return
    pytest.fail(f"Tab never reaches {name!r}")


def _follow(page: Any, link: str) -> None:
    """Follow a link to the privacy page and press the button there."""
    page.goto(link)
    page.get_by_role("button", name="Open my privacy page").click()


def _level(page: Any) -> str:
    return str(page.locator("h1 em").inner_text())


def _shoot(page: Any, name: str, width: int, scheme: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}-{width}-{scheme}.png", full_page=True)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} is {wider} px wider than the screen of {width} px"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_person_allows_withdraws_and_turns_everything_off_with_the_keyboard(site, open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    page.goto(site.new_customer(f"keyboard-{scripts}"))
    _tab_to(page, "Open my privacy page")
    page.keyboard.press("Enter")
    assert _level(page) == "General"

    _tab_to(page, "Allow Recommendations")
    page.keyboard.press("Enter")
    page.get_by_text("Saved. It applies from now on.").wait_for()
    assert _level(page) == "Personal"

    _tab_to(page, "turn off")
    page.keyboard.press("Space")
    page.get_by_text("You turned this off.").first.wait_for()
    assert _level(page) == "General"

    _tab_to(page, "Turn everything off")
    page.keyboard.press("Enter")
    page.get_by_text("Everything is off.").wait_for()
    assert page.get_by_role("switch", checked=True).count() == 0
    assert page.get_by_text("Everything that can be off is off").count() == 1


def test_the_first_tab_leads_past_the_header(site, open_page):
    page = open_page()
    page.goto(f"{site.url}/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"


def test_a_decision_number_is_copied_whole(site, open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    link = site.new_customer("copy")
    decision = site.post("/api/v1/recommendations", {"subject": {"id": "copy"}, "count": 3})["decision_id"]
    _follow(page, link)
    for _ in range(PATIENCE_S * 2):  # the decision is on its way from the spool to the log
        if page.get_by_text("Why, and what would change it").count():
            break
        page.wait_for_timeout(500)
        page.reload()

    page.get_by_text("Why, and what would change it").first.click()
    page.get_by_role("button", name="Copy").first.click()

    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == decision


def _sign_in(page: Any, site: Site, name: str = "officer") -> None:
    page.goto(f"{site.url}/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Needs a decision").wait_for()


def test_an_officer_suspends_a_model_and_the_next_page_of_a_person_shows_it(site, open_page):
    person, officer = open_page(), open_page()
    _follow(person, site.new_customer("suspended"))
    person.get_by_role("button", name="Allow Recommendations", exact=True).click()
    assert _level(person) == "Personal"

    _sign_in(officer, site)
    officer.goto(f"{site.url}/admin/model_registry/modelversion/")
    officer.get_by_role("link", name="House recommender, version 1").click()
    officer.get_by_role("link", name="Suspend").click()
    officer.get_by_text("everybody gets the general list").wait_for()
    officer.get_by_role("button", name="Suspend this version").click()
    officer.get_by_text("is suspended from the next decision on").wait_for()

    person.reload()
    assert _level(person) == "General"
    assert person.get_by_text("We have switched this method off for the moment.").count() >= 1

    officer.get_by_role("link", name="Make live again").click()
    officer.get_by_role("button", name="Draft the change").click()
    officer.get_by_role("button", name="Propose", exact=True).click()
    officer.get_by_text("Proposed. Another officer finds it on the start page.").wait_for()
    person.reload()
    assert _level(person) == "General", "not before the second officer"

    site.run("officers", "invite", "second", "--role", "approver")
    site.run("manage", "shell", "-c", SECOND_SIGNS_IN)
    second = open_page()
    _sign_in(second, site, "second")
    second.goto(officer.url)
    second.get_by_role("button", name="Approve", exact=True).click()
    second.get_by_text("In force.", exact=True).wait_for()
    person.reload()
    assert _level(person) == "Personal"


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_an_officer_proves_what_one_person_agreed_to(site, open_page, width, scheme):
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    site.new_customer(f"proof-{width}-{scheme}")
    _sign_in(page, site)

    page.goto(f"{site.url}/admin/consent/proof/")
    page.get_by_label("By the customer's id").fill(f"proof-{width}-{scheme}")
    page.get_by_role("button", name="Look up this customer").click()
    page.get_by_text("Chain intact.").wait_for()
    assert f"proof-{width}-{scheme}" not in page.url + page.content()
    for summary in page.locator("#main summary").all():
        summary.click()
    _shoot(page, "consent-proof-person", width, scheme)

    with page.expect_download() as download:
        page.get_by_role("button", name="Download the evidence (zip)").click()
    said = site.run("manage", "verify_receipt", str(download.value.path()))
    assert "genuine" in said.lower()


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_an_officer_sees_what_a_new_text_changes_before_it_is_published(site, open_page, width, scheme):
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    _sign_in(page, site)
    page.goto(f"{site.url}/admin/consent/notice/add/")
    page.get_by_label("Purpose").select_option("Newsletter")
    page.get_by_role("button", name="Write the next version").click()

    page.get_by_label("Text").fill("We write to you once a month.")
    page.get_by_label("Material").check()
    page.get_by_role("button", name="Preview").click()

    page.get_by_role("heading", name="Propose version 2 in English?").wait_for()
    card = page.frame_locator("iframe").first
    assert card.get_by_text("We write to you once a month.").count() == 1
    _shoot(page, "notice-editor", width, scheme)


def test_an_officer_has_the_evidence_checked(site, open_page):
    page = open_page()
    _sign_in(page, site)

    page.get_by_role("button", name="Check now").click()
    for _ in range(PATIENCE_S * 2):
        if page.get_by_text("every one matches its seal").count():
            break
        page.wait_for_timeout(500)
        page.goto(f"{site.url}/admin/")

    assert page.get_by_text("Intact").count() == 1


def test_the_documentation_tries_a_call_under_its_policy(site, open_page):
    page = open_page()
    page.goto(f"{site.url}/api/docs")

    page.get_by_text("Ask for a decision (AuthZEN 1.0)").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    page.get_by_text("unauthorized", exact=False).first.wait_for()


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_every_public_page_fits_and_its_console_is_silent(site, open_page, width, scheme):
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in PUBLIC:
        page.goto(f"{site.url}{path}")
        page.wait_for_load_state("networkidle")
        _shoot(page, f"public{path.replace('/', '-').rstrip('-')}", width, scheme)

    link = site.new_customer(f"views-{width}-{scheme}")
    page.goto(link)
    _shoot(page, "link", width, scheme)
    page.get_by_role("button", name="Open my privacy page").click()
    _shoot(page, "dashboard-before", width, scheme)
    page.get_by_role("button", name="Allow Recommendations", exact=True).click()
    for summary in page.locator("summary").all():
        summary.click()
    _shoot(page, "dashboard-allowed", width, scheme)
    page.get_by_role("button", name="Turn everything off").click()
    page.get_by_text("Everything is off.").wait_for()
    _shoot(page, "dashboard-off", width, scheme)
    _follow(page, link)
    _shoot(page, "link-used", width, scheme)


# Some fifty pages: each width and each scheme once.
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_of_the_admin_fits_and_its_console_is_silent(site, open_page, width, scheme):
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    _sign_in(page, site)
    _shoot(page, "admin", width, scheme)
    links = page.locator("#nav-sidebar a[href^='/admin/'], nav a[href^='/admin/']")
    lists = sorted({link.get_attribute("href") for link in links.all()} - {"/admin/"})
    assert len(lists) >= 20

    for path in lists:
        page.goto(f"{site.url}{path}")
        name = path.strip("/").replace("/", "-")
        _shoot(page, name, width, scheme)
        detail = page.locator("#result_list a[href*='/change/']").first
        if detail.count():
            page.goto(f"{site.url}{detail.get_attribute('href')}")
            _shoot(page, f"{name}-one", width, scheme)


@pytest.fixture(scope="module")
def with_decisions(site: Site) -> Site:
    """An instance with a change set, a deletion plan and a request of a person that wait for an officer."""
    site.run("manage", "shell", "-c", TO_DECIDE)
    return site


def _pages_to_decide(page: Any, site: Site) -> Iterator[str]:
    """Open each page of FILLED, and the first object of its list where it says so."""
    for path, kind in FILLED:
        page.goto(f"{site.url}{path}")
        yield path.strip("/").replace("/", "-")
        if kind == "one":
            link = page.locator(f"#result_list a[href*='/change/'], .sim-wide th a[href^='{path}']").first
            page.goto(f"{site.url}{link.get_attribute('href')}")
            yield f"{path.strip('/').replace('/', '-')}-one"


@needs_axe
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_no_fault_where_officers_decide(with_decisions, open_page, width, scheme):
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    _sign_in(page, with_decisions)
    faults = []

    for name in _pages_to_decide(page, with_decisions):
        _shoot(page, f"decide-{name}", width, scheme)
        faults.extend((name, *fault) for fault in broken_rules(page))

    assert faults == []


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(site, open_page, scheme):
    page = open_page(color_scheme=scheme)
    rules = Path(str(AXE)).read_text()
    faults = []

    def check() -> None:
        page.evaluate(rules)
        found = page.evaluate("axe.run().then(result => result.violations)")
        faults.extend((page.url, fault["id"], fault["nodes"][0]["html"][:200]) for fault in found)

    for url in [f"{site.url}/", f"{site.url}/shop/", f"{site.url}/nowhere/", site.new_customer(f"axe-{scheme}")]:
        page.goto(url)
        check()
    page.get_by_role("button", name="Open my privacy page").click()
    page.wait_for_url(f"{site.url}/privacy/")
    check()

    assert faults == []


@needs_axe
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_no_fault_in_the_documentation(site, open_page, width, scheme):
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(f"{site.url}/api/docs")
    page.get_by_text("Ask for a decision (AuthZEN 1.0)").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").wait_for()

    page.evaluate(Path(str(AXE)).read_text())
    found = page.evaluate("axe.run().then(result => [result.violations, result.passes.map(rule => rule.id)])")

    assert {"color-contrast", "heading-order", "label"} <= set(found[1]), "the rules were tried"
    assert [(fault["id"], node["html"][:160]) for fault in found[0] for node in fault["nodes"]] == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize(("width", "height"), [(1280, 700), (390, 700)])
def test_a_choice_keeps_the_focus_at_its_purpose(site, open_page, scripts, width, height):
    page = open_page(java_script_enabled=scripts, viewport={"width": width, "height": height})
    _follow(page, site.new_customer(f"focus-{scripts}-{width}"))
    for purpose, name in (("recommendations", "Allow Recommendations"), ("personalization", "Do not allow")):
        card = page.locator(f"#purpose-{purpose}")
        card.get_by_role("button", name=name).first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/privacy/#purpose-{purpose}")

        saved = card.get_by_role("status")
        saved.wait_for()
        assert "Saved." in saved.inner_text()
        box = saved.bounding_box()
        assert 0 <= box["y"] <= height - box["height"], "the message is in view"
        page.keyboard.press("Tab")
        assert page.locator(":focus").evaluate("e => e.closest('article').id") == f"purpose-{purpose}"
