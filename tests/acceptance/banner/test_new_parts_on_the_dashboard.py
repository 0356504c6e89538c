"""The privacy page asks about what is new since a yes, part by part, without scripts and in the reader's language."""

from collections.abc import Callable
from typing import Any

import pytest

from consent import links
from consent.ledger import ledger
from consent.models import ConsentRecord
from consent.pseudonyms import subject_ref
from tests.helpers.banner_pages import VIEWS, faults_of, shoot, widen
from tests.helpers.browser import needs_chromium

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]
LEGENDS = {
    "en": "New since you agreed: off until you allow it",
    "de": "Neu seit Ihrer Zustimmung: aus, bis Sie es erlauben",
    "fr": "Nouveau depuis votre accord : désactivé",
    "es": "Nuevo desde que aceptó: desactivado",
}


def _say_yes() -> None:
    choice = ledger.Choice(purpose="recommendations", choice="give")
    ledger.save_choices(
        ledger.Request(
            subject_ref=subject_ref("customer-1"), choices=[choice], source="api", actor="service:shop",
            region="DE", age_band="adult",
        )
    )  # fmt: skip


@pytest.fixture
def dashboard(visit: Callable[..., Any], server: str) -> Callable[..., Any]:
    """Open the privacy page of a person who agreed to recommendations before they were widened."""

    def opened(**options: Any) -> Any:
        if not ConsentRecord.objects.exists():
            _say_yes()
            widen(data_categories=["location"], recipients=["mail-house"])
        token, _link = links.issue_link(subject_ref=subject_ref("customer-1"), issued_by="service:shop")
        page = visit(path=f"/privacy/open/{token}", **options)
        page.get_by_role("main").get_by_role("button").first.click()
        page.wait_for_url(f"{server}/privacy/")
        return page

    return opened


def _card(page: Any) -> Any:
    return page.locator("#purpose-recommendations")


def _records() -> list[tuple[str, str, int]]:
    found = ConsentRecord.objects.order_by("recorded_at", "id")
    return list(found.values_list("scope", "state", "notice_version"))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_what_is_new_is_answered_part_by_part(dashboard, scripts):
    page = dashboard(java_script_enabled=scripts)
    card = _card(page)
    assert card.get_by_role("group", name=LEGENDS["en"]).count() == 1
    assert card.locator("fieldset input[type=checkbox]").count() == 0, "no box that could be ticked already"

    card.get_by_role("button", name="Do not allow location").click()
    card.get_by_text("Saved").first.wait_for()
    assert card.get_by_role("switch").first.get_attribute("aria-checked") == "true", "the old yes stays"
    _card(page).get_by_role("button", name="Allow Mail House", exact=True).click()
    page.wait_for_load_state()
    assert _card(page).get_by_text(LEGENDS["en"]).count() == 0

    assert _records() == [
        ("", "given", 1),
        ("data_category=location", "refused", 2),
        ("recipient=mail-house", "given", 2),
    ]


def test_a_notice_published_under_an_open_page_is_asked_about_again(dashboard):
    page = dashboard(java_script_enabled=False)
    widen(data_categories=["device"])

    _card(page).get_by_role("button", name="Allow location", exact=True).click()
    page.wait_for_load_state()

    assert _records()[-1] == ("data_category=location", "given", 2), "the version that was shown"
    assert _card(page).get_by_text("New: device").count() == 1
    assert _card(page).get_by_text("New: location").count() == 0


@pytest.mark.parametrize("language", LEGENDS)
def test_what_is_new_is_shown_in_the_readers_language(dashboard, language):
    page = dashboard(locale=language)

    assert _card(page).get_by_text(LEGENDS[language]).count() == 1


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_what_is_new_fits_and_axe_finds_nothing(dashboard, width, scheme):
    page = dashboard(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shoot(page, "dashboard-new", width, scheme, full=True)

    assert faults_of(page) == []
