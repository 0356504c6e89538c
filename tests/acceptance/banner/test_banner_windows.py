"""Two windows of one browser: the later explicit choice stands, and a no is never overwritten unseen."""

from typing import Any

import pytest

from tests.helpers.banner_pages import ALL, CHOICES, button, records, state_of, wait_for_given
from tests.helpers.browser import needs_chromium

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


def test_what_one_window_refuses_the_other_follows(visit):
    one = visit()
    other = one.context.new_page()
    visit.watch(other)
    other.goto(one.url)
    button(other, "Accept all").wait_for()

    button(one, "Refuse all").click()
    wait_for_given(one, set())
    other.get_by_role("dialog").wait_for(state="detached")

    assert set(state_of(other)["purposes"].values()) == {"refused"}


def test_a_stale_yes_never_overwrites_a_no_of_another_window(visit):
    one = visit()
    deaf = one.context.new_page()
    visit.watch(deaf)
    # A window that hears nothing of the other, as in a browser that keeps windows apart.
    deaf.add_init_script("addEventListener('storage', event => event.stopImmediatePropagation(), true)")
    deaf.goto(one.url)
    button(deaf, "Accept all").wait_for()
    button(one, "Refuse all").click()
    wait_for_given(one, set())

    button(deaf, "Accept all").click()

    deaf.get_by_text("This was changed in another window.").wait_for()
    assert state_of(deaf)["given"] == []
    assert records() == ["refused"] * 3
    button(deaf, "Accept all").click()  # now having seen the no: a later, explicit choice
    wait_for_given(deaf, ALL)
    wait_for_given(one, ALL)


def test_the_server_settles_a_race_the_windows_could_not_see(visit):
    page = visit()
    button(page, "Accept all").click()
    wait_for_given(page, ALL)
    twin = page.evaluate("JSON.parse(localStorage['assent:demo-shop']).id")
    # The same browser's other copy, whose storage this one does not share, withdraws.
    page.evaluate(
        """async id => fetch("/api/v1/banner/demo-shop/choices", {method: "POST",
           headers: {"Content-Type": "application/json"}, body: JSON.stringify({browser: id,
           choices: [{purpose: "newsletter", choice: "refuse"}]})})""",
        twin,
    )

    page.evaluate("assent.give('newsletter')")
    wait_for_given(page, ALL - {"newsletter"})

    assert records()[-1] == "withdrawn"


def test_a_no_overtakes_a_yes_that_is_still_on_its_way(visit):
    page = visit()
    button(page, "Accept all").wait_for()
    held: list[Any] = []
    page.route(CHOICES, lambda route: held.append(route))
    page.evaluate("void assent.give()")
    page.wait_for_function("() => assent.state().pending === 1")
    page.evaluate("void assent.refuse()")
    assert set(state_of(page)["purposes"].values()) == {"refused"}

    for _ in range(50):
        if held:
            break
        page.wait_for_timeout(100)
    page.unroute(CHOICES)  # which lets go what was held

    wait_for_given(page, set())
    assert records() == ["given"] * 3 + ["withdrawn"] * 3
    page.reload()
    wait_for_given(page, set())
