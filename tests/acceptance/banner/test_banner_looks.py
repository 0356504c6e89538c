"""Every view of the banner and its pages at two widths, light and dark, with the rules of axe."""

import pytest

from tests.helpers.banner_pages import GPC, VIEWS, button, faults_of, shoot, wait_for_given, widen
from tests.helpers.browser import needs_chromium

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_banner_and_shop_fit_and_axe_finds_nothing_where_it_is_named(visit, width, scheme):
    view = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    page = visit(**view)
    button(page, "Choose").wait_for()
    shoot(page, "banner-asks", width, scheme)
    faults = faults_of(page)
    button(page, "Choose").click()
    page.get_by_role("switch", name="Recommendations").click()
    shoot(page, "banner-choose", width, scheme)
    faults += faults_of(page)
    button(page, "Save my choices").click()
    wait_for_given(page, {"recommendations"})
    page.get_by_role("button", name="Look closer Burr hand grinder").click()
    shoot(page, "shop-allowed", width, scheme, full=True)
    faults += faults_of(page)
    signal = visit(**view, **GPC)
    button(signal, "Choose").wait_for()
    shoot(signal, "banner-signal", width, scheme)
    faults += faults_of(signal)
    button(signal, "Keep everything off").click()
    shoot(signal, "shop-signal", width, scheme)
    home = visit(**view, path="/")
    shoot(home, "home-with-shop", width, scheme, full=True)
    faults += faults_of(home)
    widen(data_categories=["location"], recipients=["mail-house"], actions=["share"])
    page.reload()
    button(page, "Refuse what is new").wait_for()
    shoot(page, "banner-new", width, scheme)
    faults += faults_of(page)
    page.keyboard.press("Escape")
    page.evaluate("assent.ask()")
    shoot(page, "banner-choose-new", width, scheme)
    faults += faults_of(page)

    assert faults == []
