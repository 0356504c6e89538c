"""docs/releases.md, word by word: two officers in browsers take the Adult table from upload to an approved release."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from governance.front import limits
from privacy.models import TableRelease
from privacy.releases import running, uploads, verifying
from tests.acceptance.officers.forms import Guide
from tests.helpers.browser import needs_chromium
from tests.helpers.officers import with_role
from tests.helpers.paths import CHECKOUT

ADULT = CHECKOUT.parent / "shared" / "data" / "adult" / "adult.csv"
pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
    pytest.mark.skipif(not ADULT.exists(), reason=f"needs the Adult table: {ADULT}"),
]
LEFT_OUT = ("education-num",)
COPIED = ("capital-gain", "capital-loss", "hours-per-week")


@pytest.fixture(autouse=True)
def no_worker(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test process is the worker: it takes jobs up when it is asked to."""
    from privacy import tasks

    settings.RELEASE_DIR = tmp_path / "releases"
    monkeypatch.setattr(tasks.make_release, "delay_on_commit", lambda *_: None)


def test_the_document_takes_a_table_to_a_release(as_officer, site, look, tmp_path):
    guide = Guide("releases.md")
    officer, approver = as_officer(with_role("paula", "privacy-officer")), as_officer(with_role("albert", "approver"))

    _upload(officer, guide, look)
    _ask(officer, guide, l="1")
    _see_the_refusal(officer, guide, look)
    _ask(officer, guide, l="2")
    _see_the_preview(officer, guide, look)
    _propose(officer, guide)
    assert officer.get_by_role("button", name=guide(4, "Approve and publish")).count() == 0, "never its author"
    _approve(approver, guide, look)

    row = TableRelease.objects.get(stage="published")
    assert row.is_in_force(timezone.now())
    assert row.report["result"]["smallest_class"] >= 10
    assert row.report["result"]["fewest_sensitive"] >= 2
    with approver.expect_download() as download:
        approver.get_by_role("link", name=guide(5, "Signed manifest")).click()
    manifest = tmp_path / "m.jws"
    download.value.save_as(manifest)
    said, _kid = verifying.verify(manifest, uploads.copy_of(row), now=timezone.now())
    assert said["approved"]["by"] == "officer:albert"
    _revoke(officer, guide, row)
    assert guide.left == set(), "words of the document that nothing did"


def _upload(page: Any, guide: Guide, look: Callable[..., None]) -> None:
    section, link = guide(1, "Releases > Releases of tables").split(" > ")
    page.locator("nav, #nav-sidebar").get_by_role("link", name=link).first.click()
    page.get_by_text(section, exact=True).first.wait_for()
    page.get_by_role("button", name=guide(1, "Take its rows"), exact=True).wait_for()
    file = page.locator("[name=file]")
    file.evaluate("input => input.dataset.atMost = 1")
    file.set_input_files(ADULT)
    assert "./assent release" in file.evaluate("input => input.validationMessage"), "said before it is sent"
    file.evaluate("(input, most) => input.dataset.atMost = most", limits.TABLE_BYTES)
    file.set_input_files([])
    file.set_input_files(ADULT)
    page.get_by_role("button", name=guide(1, "Upload"), exact=True).click()
    page.get_by_text("is uploaded").first.wait_for()
    look(page, "release-columns")
    page.set_viewport_size({"width": 390, "height": 900})
    frame = page.locator("[role=group][aria-labelledby=columns]")
    assert frame.evaluate("frame => frame.scrollWidth - frame.clientWidth") <= 0, "a phone need not scroll sideways"
    page.set_viewport_size({"width": 1280, "height": 900})


def _ask(page: Any, guide: Guide, *, l: str) -> None:  # noqa: E741 - the literature's name
    for heading in ("Roles of the columns", "Protection", "Who receives it, and for what"):
        page.get_by_role("heading", name=guide(2, heading), exact=True).wait_for()
    for name, role in [(each, "direct") for each in LEFT_OUT] + [(each, "other") for each in COPIED]:
        page.get_by_label(name, exact=True).select_option(role)
    page.locator("[name=l]").fill(l)
    page.locator("[name=purpose]").select_option("order_fulfilment")
    page.locator("[name=receivers]").select_option("parcel-carrier")
    page.locator("[name=people]").select_option("eea")
    page.locator("[name=region]").select_option("eu-central")
    page.get_by_role("button", name=guide(2, "Make a preview"), exact=True).click()
    page.get_by_text("The copy waits for a worker.").wait_for()
    running.run(TableRelease.objects.get(state="waiting").pk)
    page.get_by_role("link", name=guide(2, "Look again")).click()


def _see_the_refusal(page: Any, guide: Guide, look: Callable[..., None]) -> None:
    page.get_by_role("heading", name=guide(3, "What the policy says")).wait_for()
    page.get_by_text("A class shows too few sensitive values").wait_for()
    assert page.get_by_role("button", name=guide(3, "Propose")).count() == 0
    look(page, "release-refused")
    page.get_by_role("link", name=guide(3, "Change the roles or limits")).click()


def _see_the_preview(page: Any, guide: Guide, look: Callable[..., None]) -> None:
    page.get_by_text("It may leave").wait_for()
    for heading in ("Before and after", "Rows at risk, by k", "Classes by size", "Loss of each column, in thousandths"):
        page.get_by_role("heading", name=guide(3, heading), exact=True).wait_for()
    look(page, "release-preview")


def _propose(page: Any, guide: Guide) -> None:
    page.locator("[name=because]").first.fill("Quarterly report of the carrier.")
    page.get_by_role("button", name=guide(3, "Propose"), exact=True).click()
    page.get_by_text("It waits for another officer.").wait_for()


def _approve(page: Any, guide: Guide, look: Callable[..., None]) -> None:
    page.goto(page.url)
    page.get_by_role("link", name=guide(4, "Release of a table to approve")).first.click()
    page.get_by_role("button", name=guide(4, "Refuse"), exact=True).wait_for()
    page.get_by_role("button", name=guide(4, "Approve and publish"), exact=True).click()
    page.get_by_text("Published. Its receivers can fetch it").first.wait_for()
    look(page, "release-published")


def _revoke(page: Any, guide: Guide, row: TableRelease) -> None:
    page.goto(page.url)
    page.locator("[name=because]").first.fill("The report is no longer needed.")
    page.get_by_role("button", name=guide(5, "Revoke"), exact=True).click()
    page.get_by_text("Revoked. From now on").first.wait_for()
    row.refresh_from_db()
    assert not row.is_in_force(timezone.now())
