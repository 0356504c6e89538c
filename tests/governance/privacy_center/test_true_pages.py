"""What the privacy pages say is true, and a choice leaves the person where they were on the page."""

import re

import pytest
from django.test import Client

from consent.models import Purpose, PurposeText
from governance.privacy_center import cards
from policies.decision_log import drainer
from tests.helpers.visitor import Visitor, question

KEPT = "Also kept: your choices with the notices you saw and a log of what was changed and looked up"


@pytest.fixture
def visitor(register_in_force):
    return Visitor("customer-1").come_in()


def _text(response):
    return " ".join(response.content.decode().split())


def test_the_page_names_everything_that_is_kept(visitor):
    text = _text(visitor.look())

    assert KEPT in text
    assert "nothing is kept about you" not in text


def test_a_refusal_is_said_to_follow_from_the_choice(visitor, api, own_spool):
    api.save("customer-1", "refuse")
    api.evaluate(question())
    drainer.drain(own_spool)

    text = _text(visitor.look())

    assert "This follows from your choice, which you can change at any time." in text
    assert "No choice of yours" not in text


@pytest.mark.parametrize("choice", ["give", "refuse"])
def test_a_choice_leads_back_to_its_purpose(visitor, choice):
    form = visitor.form_of("recommendations")

    answer = visitor.browser.post(form["action"], {**form["fields"], "choice": choice})

    _assert_focus(visitor, answer, "purpose-recommendations")


def test_the_level_and_all_off_lead_back_to_their_place(visitor):
    visitor.choose("recommendations", "give")
    token = visitor.form_of("recommendations")["fields"]["csrfmiddlewaretoken"]

    level = visitor.browser.post("/privacy/level", {"csrfmiddlewaretoken": token, "level": "segment"})
    _assert_focus(visitor, level, "levels")
    off = visitor.browser.post("/privacy/all-off", {"csrfmiddlewaretoken": token})
    _assert_focus(visitor, off, "everything")


def test_a_made_up_purpose_cannot_lead_elsewhere(visitor):
    form = visitor.form_of("recommendations")

    answer = visitor.browser.post(form["action"], {**form["fields"], "purpose": "//x\r\nX: y", "choice": "give"})

    assert answer.headers["Location"] == "/privacy/#purpose-//x%0D%0AX%3A%20y"


def _assert_focus(visitor, answer, place):
    """A browser scrolls to the fragment and focuses it, if it is there and can take the focus."""
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/privacy/#{place}")
    assert re.search(rf'id="{place}" tabindex="-1"', _text(visitor.look()))


@pytest.mark.parametrize("own", ["", "Drei Wochen"])
def test_the_preview_says_how_long_as_the_page_does(visitor, own):
    purpose = Purpose.objects.get(slug="recommendations")
    Purpose.objects.filter(pk=purpose.pk).update(kept_for="Three weeks")
    purpose.refresh_from_db()
    text = PurposeText(purpose=purpose, locale="de", name="Empfehlungen", benefit="Passendes", kept_for=own)
    text.save()

    shown = visitor.browser.get("/privacy/", headers={"Accept-Language": "de"}).context["purposes"]

    page = next(card for card in shown if card["slug"] == "recommendations")
    assert cards.preview_card(purpose, None, text)["retention"] == page["retention"] == (own or "Three weeks")
    assert cards.preview_card(purpose, None, None)["retention"] == "Three weeks"


@pytest.mark.django_db
def test_the_home_page_promises_only_what_there_is():
    assert "requests" not in _text(Client().get("/"))


def test_recipients_are_called_by_their_own_names(visitor):
    Purpose.objects.filter(slug="recommendations").update(recipients=["mail-house", "not-a-party"])

    cards = visitor.browser.get("/privacy/", headers={"Accept-Language": "de"}).context["purposes"]

    named = next(card["recipients"] for card in cards if card["slug"] == "recommendations")
    assert named == ["Mail House", "not a party"]


def test_the_message_stands_at_the_choice_and_nowhere_else(visitor):
    page = visitor.choose("newsletter", "give").content.decode()

    before, card = page.split('id="purpose-newsletter"', 1)
    assert "Saved. It applies from now on." not in before
    assert card.index("Saved. It applies from now on.") < card.index("</article>")
    assert page.count('role="status"') == 1


def test_a_message_without_a_place_on_the_page_stands_at_the_top(visitor):
    form = visitor.form_of("newsletter")
    form["fields"]["purpose"] = "made-up"
    page = visitor.press(form, "give").content.decode()

    assert page.index('role="alert"') < page.index('id="everything"')
