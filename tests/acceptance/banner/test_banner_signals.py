"""The opt-out signal of the browser: followed, confirmed, and set aside only knowingly."""

import pytest

from consent.models import ConsentRecord
from tests.helpers.banner_pages import GPC, SIGNAL, button, records, state_of, wait_for_given
from tests.helpers.browser import needs_chromium

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


def test_the_browsers_signal_is_followed_and_confirmed_without_a_question(visit):
    page = visit(**GPC)

    button(page, "Keep everything off").wait_for()
    assert page.get_by_role("dialog").get_by_text("Your opt-out request was honoured").is_visible()
    assert set(state_of(page)["purposes"].values()) == {"refused"}
    page.evaluate("assent.give()")
    wait_for_given(page, set())
    assert records() == ["refused"] * 3
    assert ConsentRecord.objects.first().proof["asked"]["signals"] == {"gpc": True, "gpc_seen_in": ["header", "script"]}

    button(page, "Keep everything off").click()
    page.reload()
    page.get_by_role("button", name="Your opt-out request was honoured").wait_for()
    assert page.get_by_role("dialog").count() == 0


def test_a_yes_after_the_notice_of_conflict_counts_despite_the_signal(visit):
    page = visit(**GPC)
    button(page, "Choose").click()
    page.get_by_text("although your browser says otherwise").wait_for()

    page.get_by_role("switch", name="Recommendations").click()
    button(page, "Save my choices").click()
    wait_for_given(page, {"recommendations"})

    assert ConsentRecord.objects.get(state="given").proof["told_of_signal_conflict"] is True
    page.reload()
    wait_for_given(page, {"recommendations"})


def test_a_signal_the_server_alone_sees_is_followed_too(visit):
    page = visit(extra_http_headers={"Sec-GPC": "1"})

    button(page, "Keep everything off").wait_for()
    assert state_of(page)["gpc"] is True


@pytest.mark.parametrize("value", ["true", "1", '"1"'])
def test_the_signal_counts_in_each_form_that_browsers_set(visit, value):
    page = visit(scripts=SIGNAL.replace("=> true", f"=> {value}"))

    button(page, "Keep everything off").wait_for()
    assert state_of(page)["gpc"] is True
    page.evaluate("assent.give()")
    wait_for_given(page, set())
    assert ConsentRecord.objects.first().proof["asked"]["signals"] == {"gpc": True, "gpc_seen_in": ["script"]}


@pytest.mark.parametrize("value", ["false", "0", "undefined", "null"])
def test_a_signal_that_is_off_is_no_opt_out(visit, value):
    page = visit(scripts=SIGNAL.replace("=> true", f"=> {value}"))

    button(page, "Accept all").wait_for()
    assert state_of(page)["gpc"] is False


def test_a_late_signal_stops_a_yes_that_was_asked_before_it(visit):
    page = visit()
    button(page, "Accept all").wait_for()
    page.evaluate(SIGNAL)

    page.evaluate("assent.give()")
    wait_for_given(page, set())
    assert "given" not in records()

    fresh = visit()
    button(fresh, "Accept all").wait_for()
    fresh.evaluate(SIGNAL)
    fresh.evaluate("dispatchEvent(new Event('focus'))")
    button(fresh, "Keep everything off").wait_for()
    assert state_of(fresh)["given"] == []
