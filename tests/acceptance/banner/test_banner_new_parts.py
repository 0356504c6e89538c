"""What came after a yes: shown by itself, off until allowed, and never agreed to by an old switch or a new page."""

from typing import Any

import pytest

from consent.models import ConsentRecord, Purpose, PurposeText
from tests.helpers.banner_pages import ALL, CHOICES, GPC, button, records, state_of, wait_for_given, widen
from tests.helpers.browser import needs_chromium

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]
TITLES = {
    "en": "Something is new",
    "de": "Es gibt etwas Neues",
    "fr": "Il y a du nouveau",
    "es": "Hay algo nuevo",
}


def parts() -> list[tuple[str, str, int]]:
    """Return the records about parts, oldest first: the part, its state and the version of the notice."""
    found = ConsentRecord.objects.exclude(scope="").order_by("recorded_at", "id")
    return list(found.values_list("scope", "state", "notice_version"))


@pytest.fixture
def agreed(visit: Any) -> Any:
    """A browser in which everything was allowed before recommendations were widened by the location and a recipient."""
    page = visit()
    button(page, "Accept all").click()
    wait_for_given(page, ALL)
    widen(data_categories=["location"], recipients=["mail-house"])
    page.reload()
    button(page, "Refuse what is new").wait_for()
    return page


def _switch(page: Any, name: str) -> Any:
    return page.get_by_role("switch", name=name, exact=True)


def test_only_the_difference_is_asked_and_nothing_is_ticked(agreed):
    dialog = agreed.get_by_role("dialog")

    assert dialog.get_by_role("heading").first.inner_text() == TITLES["en"]
    assert dialog.get_by_text("What you allowed stays as it was.").is_visible()
    names = [label.inner_text() for label in agreed.locator("assent-banner label").all()]
    assert names == ["New: location", "New: Mail House"]
    assert agreed.get_by_role("switch", checked=True).count() == 0
    sizes = [button(agreed, name).bounding_box() for name in ("Refuse what is new", "Allow what is new")]
    assert [round(sizes[0][side]) for side in ("width", "height")] == [round(sizes[1][s]) for s in ("width", "height")]
    agreed.get_by_text("Read the notice").click()
    assert agreed.get_by_text("And where you are.").is_visible()


def test_a_refused_part_leaves_the_old_yes(agreed):
    button(agreed, "Refuse what is new").click()
    agreed.get_by_role("dialog").wait_for(state="detached")
    wait_for_given(agreed, ALL)

    assert parts() == [("data_category=location", "refused", 2), ("recipient=mail-house", "refused", 2)]
    assert records()[:3] == ["given"] * 3
    agreed.reload()
    assert set(state_of(agreed)["given"]) == ALL
    assert agreed.get_by_role("dialog").count() == 0


def test_an_allowed_part_is_recorded_by_itself(agreed):
    button(agreed, "Allow what is new").click()
    agreed.get_by_role("dialog").wait_for(state="detached")
    wait_for_given(agreed, ALL)

    assert parts() == [("data_category=location", "given", 2), ("recipient=mail-house", "given", 2)]
    whole = ConsentRecord.objects.filter(purpose="recommendations", scope="")
    assert list(whole.values_list("notice_version", flat=True)) == [1], "the old yes stays one to the old notice"
    proof = ConsentRecord.objects.exclude(scope="").first().proof["asked"]
    assert (proof["interface"], proof["order"]) == ("assent.js@1-new", ["refuse_new", "accept_new", "save"])
    agreed.reload()
    wait_for_given(agreed, ALL)
    assert agreed.get_by_role("dialog").count() == 0


def test_each_part_has_a_switch_of_its_own(agreed):
    _switch(agreed, "New: Mail House").click()
    button(agreed, "Save my choices").click()
    agreed.get_by_role("dialog").wait_for(state="detached")

    assert parts() == [("data_category=location", "refused", 2), ("recipient=mail-house", "given", 2)]


def test_escape_answers_nothing_and_the_next_page_asks_again(agreed):
    agreed.keyboard.press("Escape")
    agreed.get_by_role("dialog").wait_for(state="detached")
    assert set(state_of(agreed)["given"]) == ALL
    assert parts() == []

    agreed.reload()

    button(agreed, "Refuse what is new").wait_for()


def test_an_old_switch_agrees_to_nothing_new(agreed):
    agreed.keyboard.press("Escape")
    agreed.evaluate("assent.ask()")
    assert _switch(agreed, "New: location").is_checked() is False
    assert agreed.get_by_role("switch", checked=True).count() == 3
    agreed.get_by_role("switch", name="Newsletter").click()

    button(agreed, "Save my choices").click()
    wait_for_given(agreed, ALL - {"newsletter"})
    agreed.get_by_role("dialog").wait_for(state="detached")

    whole = ConsentRecord.objects.filter(purpose="recommendations", scope="")
    assert list(whole.values_list("state", "notice_version")) == [("given", 1)]
    assert [(scope, state) for scope, state, _ in parts()] == [
        ("data_category=location", "refused"), ("recipient=mail-house", "refused")
    ]  # fmt: skip


def test_a_no_to_what_is_new_waits_for_the_server(agreed):
    agreed.route(CHOICES, lambda route: route.abort())
    button(agreed, "Refuse what is new").click()
    agreed.wait_for_function("() => assent.state().pending === 1")
    assert parts() == []

    agreed.unroute(CHOICES)
    agreed.reload()
    wait_for_given(agreed, ALL)

    assert [state for _, state, _ in parts()] == ["refused"] * 2
    assert agreed.get_by_role("dialog").count() == 0


def test_a_withdrawal_overtakes_a_part_that_is_on_its_way(agreed):
    held: list[Any] = []
    agreed.route(CHOICES, lambda route: held.append(route))
    button(agreed, "Refuse what is new").click()
    agreed.wait_for_function("() => assent.state().pending === 1")
    agreed.evaluate("void assent.withdraw('recommendations')")
    assert state_of(agreed)["purposes"]["recommendations"] == "refused"
    agreed.unroute(CHOICES)
    agreed.reload()

    wait_for_given(agreed, ALL - {"recommendations"})

    last = ConsentRecord.objects.filter(purpose="recommendations", scope="").order_by("recorded_at", "id").last()
    assert last.state == "withdrawn", "a waiting answer about a part is none about the whole"


def test_a_new_action_is_agreed_to_with_the_whole_or_left(visit):
    page = visit()
    button(page, "Accept all").click()
    wait_for_given(page, ALL)
    widen(actions=["share"], data_categories=["location"])
    page.reload()
    _switch(page, "All of it: location, share your data").wait_for()

    button(page, "Refuse what is new").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.reload()
    wait_for_given(page, ALL)
    assert page.get_by_role("dialog").count() == 0, "left off, it is not asked about on each page"

    page.evaluate("assent.ask()")
    assert page.get_by_role("switch", checked=True).count() == 3
    widen(actions=["price"])
    page.reload()
    _switch(page, "New: set a personal price, share your data").click()
    button(page, "Save my choices").click()
    page.get_by_role("dialog").wait_for(state="detached")

    last = ConsentRecord.objects.filter(purpose="recommendations", scope="").order_by("recorded_at", "id").last()
    assert (last.state, last.notice_version) == ("given", 3)


@pytest.mark.parametrize("is_material", [False, True], ids=["what is new", "all of it"])
def test_a_notice_published_under_an_open_page_is_asked_about_again(visit, is_material):
    page = visit()
    button(page, "Accept all").wait_for()
    widen(data_categories=["location"], is_material=is_material)

    button(page, "Accept all").click()
    page.get_by_text("The notice changed while this page was open.").wait_for()

    saved = ConsentRecord.objects.filter(purpose="recommendations")
    assert [(record.state, record.notice_version) for record in saved] == [("given", 1)], "what was shown"
    assert ("recommendations" in state_of(page)["given"]) is not is_material
    if is_material:
        assert page.get_by_role("switch", name="Recommendations").is_checked() is False
        page.get_by_role("switch", name="Recommendations").click()
    else:
        _switch(page, "New: location").click()
    button(page, "Save my choices").click()
    page.get_by_role("dialog").wait_for(state="detached")
    wait_for_given(page, ALL)
    newest = ConsentRecord.objects.filter(purpose="recommendations").order_by("recorded_at", "id").last()
    assert (newest.state, newest.notice_version, newest.scope) == (
        "given", 2, "" if is_material else "data_category=location"
    )  # fmt: skip


def test_a_purpose_for_sensitive_data_wants_its_own_switch(visit):
    page = visit()
    button(page, "Choose").click()
    page.get_by_role("switch", name="Newsletter").click()
    button(page, "Save my choices").click()
    wait_for_given(page, {"newsletter"})
    Purpose.objects.filter(slug="newsletter").update(explicit_consent=True)
    widen(slug="newsletter", data_categories=["location"])
    page.reload()
    wait_for_given(page, {"newsletter"})
    assert page.get_by_role("dialog").count() == 0, "never part of a question about all"

    page.evaluate("assent.ask()")
    _switch(page, "New: location").click()
    button(page, "Save my choices").click()
    page.get_by_role("dialog").wait_for(state="detached")

    record = ConsentRecord.objects.get(scope="data_category=location")
    assert (record.state, record.explicit) == ("given", True)


def test_a_signal_asks_about_nothing_new(visit):
    page = visit(**GPC)
    button(page, "Choose").click()
    page.get_by_role("switch", name="Recommendations").click()
    button(page, "Save my choices").click()
    wait_for_given(page, {"recommendations"})
    widen(data_categories=["location"])

    page.reload()
    wait_for_given(page, {"recommendations"})

    assert page.get_by_role("dialog").count() == 0


@pytest.mark.parametrize("language", TITLES)
def test_what_is_new_is_asked_in_the_visitors_language(visit, language):
    for slug in ("recommendations", "newsletter", "personalization"):
        PurposeText.objects.filter(purpose__slug=slug).delete()
    page = visit(path=f"/shop/?language={language}", locale=language)
    page.get_by_role("dialog").get_by_role("button").nth(1).click()
    wait_for_given(page, ALL)
    widen(data_categories=["location"])
    page.reload()

    page.get_by_role("heading", name=TITLES[language]).wait_for()

    assert page.get_by_role("dialog").get_attribute("lang") == language
    assert page.get_by_role("dialog").get_by_role("button").count() == 3
