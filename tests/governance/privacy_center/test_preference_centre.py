"""More than on and off: how personal, by which way, in spite of which signal, and how things are ranked."""

import pytest

from consent.ledger import ledger
from consent.models import ConsentRecord
from personalization.models import Event, Item
from policies.models import Decision
from tests.helpers.visitor import Visitor, forms_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def allowing(visitor):
    ledger.save_choices(
        ledger.Request(
            subject_ref=visitor.ref,
            choices=[ledger.Choice(purpose="recommendations", choice="give")],
            source="api",
            actor="service:shop",
            region="DE",
            age_band="adult",
        )
    )
    return visitor


def level_forms(visitor):
    return [form for form in forms_in(visitor.look()) if form["action"] == "/privacy/level"]


def choose_level(visitor, level):
    form = next(form for form in level_forms(visitor) if level in form["choices"])
    return visitor.browser.post(form["action"], {**form["fields"], "level": level}, follow=True)


def level_now(visitor):
    return visitor.look().context["level"]["index"]


def test_without_a_consent_there_is_no_level_to_choose(visitor):
    assert level_forms(visitor) == []


def test_a_person_goes_down_and_up_again_within_what_they_allowed(allowing):
    at_first = level_now(allowing)
    until = ConsentRecord.objects.get().expires_at

    choose_level(allowing, "behavioral")
    lower = level_now(allowing)
    choose_level(allowing, "individual")

    assert (at_first, lower, level_now(allowing)) == (4, 2, 4)
    assert set(ConsentRecord.objects.values_list("expires_at", flat=True)) == {until}


def test_nothing_personal_can_be_chosen_without_withdrawing(allowing):
    choose_level(allowing, "none")

    assert level_now(allowing) == 0
    assert ConsentRecord.objects.order_by("-subject_revision").first().state == "given"


@pytest.mark.parametrize("level", ["", "telepathic"])
def test_a_level_nobody_knows_changes_nothing(allowing, level):
    form = level_forms(allowing)[0]

    allowing.browser.post("/privacy/level", {**form["fields"], "level": level})

    assert ConsentRecord.objects.count() == 1


def test_one_way_of_contact_is_closed_and_opened_again(visitor):
    visitor.press(visitor.form_of("newsletter"), "give")
    form = next(form for form in forms_in(visitor.look()) if form["fields"].get("channel") == "email")

    visitor.press(form, "refuse")
    reopened = next(form for form in forms_in(visitor.look()) if form["fields"].get("channel") == "email")
    visitor.press(reopened, "give")

    states = ConsentRecord.objects.filter(scope="channel=email").order_by("subject_revision")
    assert [record.state for record in states] == ["refused", "given"]


def test_a_signal_is_lifted_only_by_the_button_that_tells_of_it(allowing):
    capped = allowing.look(**{"Sec-GPC": "1"})
    form = next(form for form in forms_in(capped) if form["fields"].get("told_of_conflict"))

    allowing.press(form, "give")

    assert allowing.look(**{"Sec-GPC": "1"}).context["level"]["index"] == 4
    assert capped.context["level"]["index"] < 4


def test_without_a_signal_there_is_no_conflict_to_lift(allowing):
    assert not [form for form in forms_in(allowing.look()) if form["fields"].get("told_of_conflict")]


def test_everybody_can_read_how_things_are_ranked(client, register_in_force):
    page = client.get("/privacy/ranking")
    document = client.get("/api/v1/recommender/parameters").json()

    assert page.status_code == 200
    assert [entry["profiling"] for entry in document["levels"]] == [False, True, True, True, True]


def test_the_general_list_is_one_step_away_and_uses_nothing(allowing):
    page = allowing.browser.get("/privacy/ranking", {"list": "general"})

    assert page.context["profiled"] is False


def test_feedback_is_kept_only_as_far_as_the_person_allows(allowing, register_in_force):
    Item.objects.create(slug="tea", title="Tea")
    stranger = Visitor("customer-9").come_in()

    for person in (allowing, stranger):
        token = forms_in(person.look())[0]["fields"]["csrfmiddlewaretoken"]
        person.browser.post("/privacy/not-relevant", {"item": "tea", "csrfmiddlewaretoken": token})

    assert list(Event.objects.values_list("subject_ref", "kind")) == [(allowing.ref, "skip")]


def test_the_dashboard_logs_no_decision_of_its_own(allowing):
    before = Decision.objects.count()

    allowing.look()

    assert Decision.objects.count() == before
