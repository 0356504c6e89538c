"""A yes, a no, taking back, switches and the keyboard."""

import pytest

from consent.models import ConsentRecord
from tests.helpers.banner_pages import ALL, button, consent_signals, records, state_of, wait_for_given
from tests.helpers.browser import needs_chromium

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


def test_a_yes_counts_after_the_server_has_it_and_is_remembered(visit):
    page = visit()
    page.evaluate("window.heard = []; document.addEventListener('assent:change', e => heard.push(e.detail.given))")

    button(page, "Accept all").click()
    wait_for_given(page, ALL)

    page.get_by_role("dialog").wait_for(state="detached")
    assert records() == ["given"] * 3
    assert sorted(page.evaluate("heard.at(-1)")) == sorted(ALL)
    proof = ConsentRecord.objects.first().proof["asked"]
    assert (proof["interface"], len(proof["layout_sha256"])) == ("assent.js@1", 64)
    first, *later = consent_signals(page)
    assert (first[0], {value for name, value in first[1].items() if name != "wait_for_update"}) == (
        "default",
        {"denied"},
    )
    assert later[-1][1]["personalization_storage"] == "granted"
    assert later[-1][1]["ad_storage"] == "denied"
    assert page.get_by_text("3 of 3 uses").count() == 1

    page.reload()
    wait_for_given(page, ALL)
    assert page.get_by_role("dialog").count() == 0


def test_a_no_is_as_easy_as_a_yes_and_as_durable(visit):
    page = visit()
    yes, no = button(page, "Accept all").bounding_box(), button(page, "Refuse all").bounding_box()
    assert (round(yes["width"]), yes["height"], yes["y"]) == (round(no["width"]), no["height"], no["y"])

    button(page, "Refuse all").click()
    wait_for_given(page, set())

    assert records() == ["refused"] * 3
    page.reload()
    assert set(state_of(page)["purposes"].values()) == {"refused"}
    assert page.get_by_role("dialog").count() == 0
    assert [kind for kind, _ in consent_signals(page)] == ["default"]


def test_taking_back_is_one_click_like_giving(visit):
    page = visit()
    button(page, "Accept all").click()
    wait_for_given(page, ALL)
    page.get_by_role("button", name="Look closer Banneton proofing basket").click()
    page.get_by_role("heading", name="Chosen for you").wait_for()

    page.get_by_role("button", name="Turn everything off").click()
    wait_for_given(page, set())

    assert records() == ["given"] * 3 + ["withdrawn"] * 3
    assert page.get_by_role("heading", name="Chosen for you").is_hidden()
    assert page.locator("#remark").inner_text() == ""
    assert consent_signals(page)[-1][1]["personalization_storage"] == "denied"


def test_each_purpose_has_a_switch_that_starts_off(visit):
    page = visit()
    button(page, "Choose").click()
    switches = page.get_by_role("switch")
    assert (switches.count(), page.get_by_role("switch", checked=True).count()) == (3, 0)

    page.get_by_role("switch", name="Newsletter").click()
    button(page, "Save my choices").click()
    wait_for_given(page, {"newsletter"})

    assert sorted(records()) == ["given", "refused", "refused"]


def test_escape_chooses_nothing_and_the_next_page_asks_again(visit):
    page = visit()
    button(page, "Choose").wait_for()

    page.keyboard.press("Escape")

    page.get_by_role("dialog").wait_for(state="detached")
    assert state_of(page)["given"] == []
    assert page.evaluate("localStorage.length") == 0
    assert records() == []
    page.reload()
    button(page, "Refuse all").wait_for()


def test_the_keyboard_is_enough(visit):
    page = visit()
    button(page, "Choose").wait_for()
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

    wait_for_given(page, {"personalization"})
    assert page.evaluate(f"{focused}.textContent") == "Privacy choices"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_given(page, set())


def test_after_closing_the_focus_returns_to_what_opened_it(visit):
    page = visit()
    button(page, "Refuse all").click()
    page.locator("#choices").focus()
    page.keyboard.press("Enter")
    button(page, "Save my choices").wait_for()

    page.keyboard.press("Escape")

    assert page.evaluate("document.activeElement.id") == "choices"
