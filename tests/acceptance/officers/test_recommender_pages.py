"""An officer reads what the recommender serves, and plays a minor from whom a rule hides alcohol."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from common.counting import latencies
from common.counting.counts import NUMBERS
from model_registry.models import ModelVersion
from personalization.models import SignalLoss
from personalization.monitors.models import ServedCount
from tests.helpers.browser import needs_chromium
from tests.helpers.officers import with_role
from tests.personalization.conftest import deployed, draft, model_purposes, own_breaker, shop
from tests.personalization.playground.test_playing import BESIDE, rule

__all__ = ["deployed", "draft", "model_purposes", "own_breaker", "rule", "shop"]
pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]
_SERVED = (("individual individual none", 0.004, 40), ("individual none none", 0.002, 9), ("none none none", 0.001, 30),
           ("individual none recommender_failed", 0.2, 1))  # fmt: skip


@pytest.fixture
def served(deployed: ModelVersion) -> None:
    """Two weeks of answers, and a sender that lost some events."""
    today = timezone.now().date()
    for ago in range(14):
        for name, seconds, times in _SERVED:
            numbers = [0.0] * NUMBERS
            for place, amount in latencies.amounts(seconds).items():
                numbers[place] = amount * (times + ago)
            ServedCount.objects.create(
                version=deployed, day=today - timedelta(days=ago), name=f"answer {name}", numbers=numbers
            )
    SignalLoss.objects.create(day=today - timedelta(days=3), sender="service:shop", numbered=400, lost=2)


def _fill_minor(page: Any) -> None:
    page.get_by_label("Age").select_option("Minor")
    for number, item in enumerate(BESIDE):
        line = page.get_by_role("group", name=f"Line {number + 1}", exact=True)
        line.get_by_label("Item").fill(item)


def _tab_to(page: Any, name: str) -> None:
    """Press Tab until the focus is on the button of this name; it must be visible there."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.inner_text().strip() == name:
            assert focused.evaluate("e => getComputedStyle(e).outlineStyle") != "none", f"{name}: no focus ring"
            return
    pytest.fail(f"Tab never reaches {name!r}")


def test_an_officer_reads_the_overview_and_plays_a_minor(
    served: None, rule: None, as_officer: Callable[..., Any], look: Callable[..., None]
) -> None:
    page = as_officer(with_role("olga", "model-owner"))
    page.locator("nav, #nav-sidebar").get_by_role("link", name="Recommender").first.click()
    page.get_by_role("heading", name="Levels served").wait_for()
    for summary in page.locator("main summary, #main summary").all():
        summary.click()
    look(page, "recommender-overview")

    page.get_by_role("link", name="Playground").last.click()
    page.get_by_label("Age").wait_for()
    _fill_minor(page)
    page.get_by_label("What they answered to the purpose").focus()
    _tab_to(page, "Play")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="What the rules permit: General").wait_for()

    assert page.get_by_role("article").count() == 5
    personal = page.get_by_role("article", name="Personal")
    hidden = personal.locator("h4:has-text('Hidden') + ul")
    assert hidden.get_by_text("Dry Riesling").count() + hidden.get_by_text("Orchard cider").count() >= 1
    assert personal.locator("ol").get_by_text("Dry Riesling").count() == 0
    look(page, "recommender-playground")

    hidden.get_by_role("link", name="alcohol").first.click()
    page.get_by_text("Protection of minors.").first.wait_for()
    assert AuditEvent.objects.get(action="recommender.played").details == {"purpose": "recommendations"}


def test_the_playground_works_without_scripts_and_says_what_is_wrong(
    deployed: ModelVersion, as_officer: Callable[..., Any]
) -> None:
    page = as_officer(with_role("olga", "model-owner"), scripts=False)
    page.goto(f"{page.url.rstrip('/')}/recommender-playground?example=adult")

    page.get_by_role("button", name="Play").click()
    page.get_by_role("article", name="Personal").get_by_text("What this person gets").wait_for()

    line = page.get_by_role("group", name="Line 4", exact=True)
    line.get_by_label("Item").fill("no-such-thing")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("The catalogue has no such item.").wait_for()
    assert line.get_by_label("Item").get_attribute("aria-invalid") == "true"

    page.goto(f"{page.url.partition('/admin/')[0]}/admin/model_registry/modelversion/")
    page.locator("#result_list tbody a").first.click()  # which nothing covers: the theme's filters open by a script
    page.wait_for_url("**/change/**")
