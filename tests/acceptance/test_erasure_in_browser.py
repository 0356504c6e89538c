"""One person in a real browser downloads everything kept, corrects one thing, and is erased to verified absence.

Screenshots go into the folder artifacts/, for people to look at.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.utils import formats, timezone

from consent import links
from consent.models import DataSubject
from privacy.models import RecordPeriod
from privacy.rights.models import RightsRequest
from privacy.rights.requests.states import State
from privacy.rights.stores import seam
from privacy.rights.stores.tables import count_all, verify_all
from tests.acceptance.banner.conftest import chromium, server, visit  # noqa: F401 (fixtures)
from tests.helpers.browser import AXE, needs_chromium
from tests.helpers.paths import CHECKOUT
from tests.privacy.rights.erasure.conftest import REF, choose, decided, home, known, remember  # noqa: F401 (fixtures)

ARTIFACTS = CHECKOUT / "artifacts"
VIEWS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True), needs_chromium]


@pytest.fixture(autouse=True, scope="module")
def own_connection() -> Iterator[None]:
    """End the connection that was used under Playwright's loop: what it has prepared is unknown outside of it."""
    yield
    connections["default"].close()


@pytest.fixture
def person(visit: Callable[..., Any], known: UUID) -> Callable[..., Any]:  # noqa: F811
    """Open the privacy page of the person in a fresh browser."""

    def opened(**options: Any) -> Any:
        token, _link = links.issue_link(subject_ref=known, issued_by="service:shop")
        page = visit(path=f"/privacy/open/{token}", **options)
        page.get_by_role("button", name="Open my privacy page").click()
        page.get_by_role("heading", name="Your rights").wait_for()
        return page

    return opened


@pytest.fixture
def axe() -> Callable[[Any], None]:
    """Check a page by axe-core, where it is there."""
    source = Path(AXE).read_text() if AXE else ""

    def check(page: Any) -> None:
        if source:
            page.evaluate(source)
            found = page.evaluate("axe.run().then(result => result.violations)")
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []

    return check


def shoot(page: Any, name: str, width: int, scheme: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}-{width}-{scheme}.png", full_page=True)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} is {wider} px wider than the screen of {width} px"


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_one_person_downloads_corrects_and_is_erased(
    person: Callable[..., Any], axe: Callable[[Any], None], tmp_path: Path, width: int, scheme: str
) -> None:
    page = person(viewport={"width": width, "height": 900}, color_scheme=scheme)

    # Everything kept about them, as files.
    page.get_by_label("What would you like?").select_option("Download my data")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_text("Your files are ready.").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my files").first.click()
    download.value.save_as(tmp_path / "data.zip")
    data = json.loads(zipfile.ZipFile(tmp_path / "data.zip").read("data.json"))["data"]
    assert {name for name, rows in data.items() if rows} >= {"person", "consents", "events", "looks", "trail", "terms"}

    # One thing is wrong.
    page.get_by_text("Correct what we know about you").click()
    page.get_by_label("Where you live").select_option("FR")
    shoot(page, "rights", width, scheme)
    page.locator("section:has(> #rights)").screenshot(path=ARTIFACTS / f"rights-form-{width}-{scheme}.png")
    page.get_by_role("button", name="Correct this").click()
    page.get_by_text("It is corrected.").wait_for()
    assert DataSubject.objects.get(ref=REF).region == "FR"

    # And now all of it.
    page.get_by_role("link", name="Erase my data").click()
    page.get_by_role("heading", name="This goes").wait_for()
    axe(page)
    shoot(page, "erase", width, scheme)
    page.get_by_label("I understand that this cannot be taken back.").check()
    page.get_by_role("button", name="Erase my data").click()
    page.get_by_role("heading", name="Your data is erased").wait_for()
    axe(page)
    shoot(page, "erased", width, scheme)

    assert page.get_by_text("17(3)(b)").count() >= 1
    until = timezone.now().date() + timedelta(days=RecordPeriod.AT_FIRST[RecordPeriod.Kind.CONSENT_PROOF])
    assert page.get_by_text(f"Until {formats.date_format(until, 'DATE_FORMAT')}.").count() >= 1
    assert RightsRequest.objects.get(right="erasure").state == State.DONE
    assert set(verify_all(seam.emptied(), REF).values()) == {0}
    proof = {store.description.name for store in seam.kept()} | {"person"}
    assert {name for name, rows in count_all(seam.registered(), REF).items() if rows} <= proof
    assert decided()[0] == "subject_unknown"
    page.goto(page.url.replace("/erasure", "/"))
    page.get_by_role("heading", name="This link does not work").wait_for()


def test_a_person_is_erased_without_scripts(person: Callable[..., Any]) -> None:
    page = person(java_script_enabled=False)
    page.get_by_role("link", name="Erase my data").click()
    page.get_by_label("I understand that this cannot be taken back.").check()
    page.get_by_role("button", name="Erase my data").click()

    page.get_by_role("heading", name="Your data is erased").wait_for()
    assert DataSubject.objects.get(ref=REF).is_erased
