"""Choosing on the privacy dashboard: plain forms, bound to what the person saw, and a "no" that stays."""

import pytest
from django.test import Client

from consent.models import ConsentRecord, DataSubject, Purpose
from privacy.models import Disposal
from tests.helpers.visitor import Visitor, forms_in

pytestmark = pytest.mark.django_db
CHANGED_ELSEWHERE = "This was changed in another window. Here is how it stands now."


def _records(purpose="recommendations"):
    found = ConsentRecord.objects.filter(purpose=purpose).order_by("subject_revision")
    return list(found.values_list("state", "source", "actor"))


def test_a_question_nobody_answered_has_two_equal_answers(visitor):
    assert visitor.form_of("recommendations")["choices"] == ["give", "refuse"]

    buttons = visitor.look().content.decode().split('class="choice-pair"')[1].split("</div>")[0]
    assert buttons.count('class="button"') == 2


@pytest.mark.parametrize(
    ("answers", "state", "label", "offered"),
    [
        (["give"], "given", "Allowed", ["withdraw"]),
        (["refuse"], "refused", "Not allowed", ["give"]),
        (["give", "withdraw"], "withdrawn", "Turned off", ["give"]),
        (["refuse", "give"], "given", "Allowed", ["withdraw"]),
    ],
)
def test_each_answer_is_stored_and_shown_in_words(visitor, answers, state, label, offered):
    for answer in answers:
        page = visitor.choose("recommendations", answer)

    assert "Saved. It applies from now on." in page.content.decode()
    assert _records()[-1] == (state, "dashboard", "subject")
    card = next(purpose for purpose in page.context["purposes"] if purpose["slug"] == "recommendations")
    assert (card["state"], str(card["state_label"])) == (state, label)
    assert visitor.form_of("recommendations")["choices"] == offered


def test_a_form_sent_without_its_token_changes_nothing(visitor):
    form = visitor.form_of("recommendations")
    del form["fields"]["csrfmiddlewaretoken"]

    answer = visitor.press(form, "give")

    assert answer.status_code == 403
    assert "your choice was not saved" in answer.content.decode()
    assert _records() == []


@pytest.mark.parametrize("path", ["/privacy/choices", "/privacy/all-off", "/privacy/sign-out"])
def test_a_link_on_another_page_changes_nothing(visitor, path):
    visitor.choose("recommendations", "give")

    assert visitor.browser.get(path).status_code == 405
    assert visitor.states()["recommendations"] == "given"


@pytest.mark.parametrize("path", ["/privacy/choices", "/privacy/all-off"])
def test_without_a_session_nothing_is_changed(visitor, path):
    fields = visitor.form_of("recommendations")["fields"]

    answer = Client().post(path, {**fields, "choice": "give"})

    assert answer.status_code == 403
    assert _records() == []


def test_an_old_window_cannot_undo_a_withdrawal(visitor):
    """Both windows show that nothing was answered; one says yes and no, then the other says yes."""
    old_window = visitor.form_of("recommendations")
    visitor.choose("recommendations", "give")
    visitor.choose("recommendations", "withdraw")

    page = visitor.press(old_window, "give")

    assert page.status_code == 200
    assert CHANGED_ELSEWHERE in page.content.decode()
    assert visitor.states()["recommendations"] == "withdrawn"
    assert [state for state, _source, _actor in _records()] == ["given", "withdrawn"]


def test_withdrawing_in_two_windows_ends_withdrawn(visitor):
    visitor.choose("recommendations", "give")
    first, second = visitor.form_of("recommendations"), visitor.form_of("recommendations")
    visitor.press(first, "withdraw")

    page = visitor.press(second, "withdraw")

    assert CHANGED_ELSEWHERE in page.content.decode()
    assert visitor.states()["recommendations"] == "withdrawn"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("choice", "give-everything"),
        ("choice", ""),
        ("purpose", "no-such-purpose"),
        ("purpose", "order_fulfilment"),
        ("purpose", "x" * 10_000),
        ("supersedes", "not-a-record"),
    ],
)
def test_a_tampered_form_stores_no_consent(visitor, field, value):
    form = visitor.form_of("recommendations")
    form["fields"]["choice"] = "give"
    form["fields"][field] = value
    if field == "supersedes":
        visitor.choose("recommendations", "refuse")

    page = visitor.press(form)

    assert page.status_code == 200
    assert not ConsentRecord.objects.filter(state="given").exists()


def test_one_persons_form_never_changes_another_person(visitor):
    other = Visitor("customer-2").come_in()
    visitor.choose("recommendations", "give")

    other.choose("recommendations", "refuse")

    assert visitor.states()["recommendations"] == "given"
    assert other.states()["recommendations"] == "refused"


def test_a_legitimate_interest_can_be_objected_to_and_the_objection_taken_back(visitor):
    visitor.choose("usage_statistics", "object")
    assert visitor.states()["usage_statistics"] == "objected"
    assert visitor.form_of("usage_statistics")["choices"] == ["give"]

    visitor.choose("usage_statistics", "give")

    assert visitor.states()["usage_statistics"] == "not_required"
    assert visitor.form_of("usage_statistics")["choices"] == ["object"]


def test_what_a_contract_needs_has_no_switch(visitor):
    forms = [form["fields"].get("purpose") for form in forms_in(visitor.look())]

    assert "order_fulfilment" not in forms
    assert "Needed for what you ordered" in visitor.look().content.decode()


def test_everything_is_turned_off_in_one_step(visitor, django_capture_on_commit_callbacks):
    visitor.choose("recommendations", "give")
    visitor.choose("newsletter", "give")
    form = next(form for form in forms_in(visitor.look()) if form["action"] == "/privacy/all-off")

    with django_capture_on_commit_callbacks(execute=True):
        page = visitor.press(form)

    assert "Everything is off." in page.content.decode()
    assert visitor.states() == {
        "personalization": "refused",
        "recommendations": "withdrawn",
        "newsletter": "withdrawn",
        "order_fulfilment": "not_required",
        "usage_statistics": "objected",
    }
    purposes = Disposal.objects.filter(subject_ref=visitor.ref).values_list("purpose__slug", flat=True)
    assert set(purposes) == {"recommendations", "newsletter", "usage_statistics"}


def test_when_all_is_off_there_is_nothing_left_to_press(visitor):
    form = next(form for form in forms_in(visitor.look()) if form["action"] == "/privacy/all-off")
    visitor.press(form)
    before = ConsentRecord.objects.count()

    again = visitor.press(form)

    assert ConsentRecord.objects.count() == before
    assert "Everything that can be off is off" in again.content.decode()
    assert not [form for form in forms_in(again) if form["action"] == "/privacy/all-off"]


def _expressly(form):
    return {**form, "fields": {**form["fields"], "explicit": "1"}}


def test_sensitive_data_is_allowed_by_ticking_a_box_and_refused_without(visitor):
    Purpose.objects.filter(slug="newsletter").update(explicit_consent=True)

    page = visitor.choose("newsletter", "give")
    assert "tick its box" in page.content.decode()
    assert _records("newsletter") == []

    visitor.choose("newsletter", "refuse")
    visitor.press(_expressly(visitor.form_of("newsletter")), "give")

    assert [state for state, *_rest in _records("newsletter")] == ["refused", "given"]


def test_a_browsers_opt_out_is_remembered_and_shown_afterwards(visitor):
    visitor.choose("recommendations", "give")
    DataSubject.objects.update(region="US-CA")

    shown = visitor.look(**{"Sec-GPC": "1"}).content.decode()
    later = visitor.look().content.decode()

    assert DataSubject.objects.get().gpc_since is not None
    assert "Your browser&#x27;s opt-out request was honoured." in shown
    assert "We still follow the opt-out request that your browser sent us:" in later
