"""What is new since a person agreed: shown, off, and answered part by part."""

import pytest

from consent.ledger import ledger, verification
from consent.models import ConsentRecord, DataSubject, Purpose
from consent.pseudonyms import subject_ref
from consent.register import register
from tests.helpers.visitor import forms_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def widened(visitor):
    """The visitor agreed to recommendations, which use the location as well since then."""
    visitor.choose("recommendations", "give")
    _widen(data_categories=["location"])
    return visitor


def _widen(**more):
    purpose = Purpose.objects.get(slug="recommendations")
    for name, values in more.items():
        setattr(purpose, name, [*getattr(purpose, name), *values])
    register.save_purpose(purpose, actor="officer:test")
    register.publish_notice(purpose=purpose, text="And where you are.", actor="officer:test", is_material=False)


def _new(visitor):
    return next(card for card in visitor.look().context["purposes"] if card["slug"] == "recommendations")["new"]


def _form(visitor, dimension):
    return next(form for form in forms_in(visitor.look()) if dimension in form["fields"])


def test_nothing_is_new_to_who_agreed_to_all(visitor):
    visitor.choose("recommendations", "give")

    assert _new(visitor) == []
    assert "New since you agreed" not in visitor.look().content.decode()


def test_what_is_new_is_named_with_two_answers(widened):
    page = widened.look().content.decode()

    assert [part["label"] for part in _new(widened)] == ["location"]
    assert "New: location" in page
    assert _form(widened, "data_category")["choices"] == ["give", "refuse"]


@pytest.mark.parametrize("answer", ["give", "refuse"])
def test_an_answered_part_is_no_longer_new(widened, answer):
    widened.press(_form(widened, "data_category"), answer)

    record = ConsentRecord.objects.get(scope="data_category=location")
    assert (record.state, record.notice_version) == ({"give": "given", "refuse": "refused"}[answer], 2)
    assert _new(widened) == []


def test_a_new_action_is_agreed_to_with_the_whole(visitor):
    visitor.choose("recommendations", "give")
    _widen(actions=["share"], data_categories=["location"])

    whole = next(part for part in _new(visitor) if not part["dimension"])
    assert whole["label"] == "location, share your data"

    visitor.press(_whole(visitor), "give")
    assert _new(visitor) == []


def _whole(visitor):
    return next(form for form in forms_in(visitor.look()) if form["choices"] == ["give", "keep"])


def test_a_new_action_is_declined_and_not_asked_again(visitor):
    visitor.choose("recommendations", "give")
    given = DataSubject.objects.get(ref=visitor.ref).consents["recommendations"]
    _widen(actions=["share"], data_categories=["location"])

    page = visitor.press(_whole(visitor), "keep").content.decode()

    assert "Saved. It applies from now on." in page
    assert "You said no to what is new" in page
    assert _new(visitor) == []
    entry = DataSubject.objects.get(ref=visitor.ref).consents["recommendations"]
    assert (entry["s"], entry["n"], entry["d"], entry["x"]) == ("given", given["n"], 2, given["x"])
    assert ConsentRecord.objects.get(scope="data_category=location").state == "refused"
    kept = ConsentRecord.objects.get(pk=entry["r"])
    assert kept.proof["declined_version"] == 2
    assert verification.verify_ledger().ok
    # What comes after that is asked about.
    _widen(actions=["price"])
    assert [part["label"] for part in _new(visitor)] == ["set a personal price"]


def test_a_new_level_is_declined_and_the_persons_own_limit_stays(visitor):
    purpose = Purpose.objects.get(slug="recommendations")
    purpose.max_level = "behavioral"
    register.save_purpose(purpose, actor="officer:test")
    register.publish_notice(purpose=purpose, text="Less.", actor="officer:test", is_material=False)
    visitor.choose("recommendations", "give")
    purpose.max_level = "individual"
    register.save_purpose(purpose, actor="officer:test")
    register.publish_notice(purpose=purpose, text="More.", actor="officer:test", is_material=False)
    assert len(_new(visitor)) == 1

    visitor.press(_whole(visitor), "keep")
    assert _new(visitor) == []

    choice = ledger.Choice(purpose="recommendations", choice="adjust", max_level="segment")
    ledger.save_choices(ledger.Request(subject_ref=visitor.ref, choices=[choice], source="dashboard", actor="subject"))
    assert _new(visitor) == []
    entry = DataSubject.objects.get(ref=visitor.ref).consents["recommendations"]
    assert (entry["lv"], "d" in entry) == ("segment", True)


def test_nothing_new_is_nothing_to_decline(visitor):
    visitor.choose("recommendations", "give")
    form = visitor.form_of("recommendations")

    visitor.press(form, "keep")

    assert ConsentRecord.objects.filter(purpose="recommendations").count() == 1


def test_a_page_from_before_another_choice_declines_nothing(visitor):
    visitor.choose("recommendations", "give")
    _widen(actions=["share"])
    form = _whole(visitor)
    choice = ledger.Choice(purpose="recommendations", choice="withdraw")
    ledger.save_choices(ledger.Request(subject_ref=visitor.ref, choices=[choice], source="api", actor="test"))

    visitor.press(form, "keep")

    assert DataSubject.objects.get(ref=visitor.ref).consents["recommendations"]["s"] == "withdrawn"


def test_a_page_from_before_a_change_agrees_to_what_it_showed(visitor):
    form = visitor.form_of("recommendations")
    _widen(data_categories=["location"])

    visitor.press(form, "give")

    record = ConsentRecord.objects.get(purpose="recommendations")
    assert record.notice_version == 1
    assert [part["label"] for part in _new(visitor)] == ["location"]
    assert DataSubject.objects.get(ref=visitor.ref).consents["recommendations"]["n"] == 1


@pytest.mark.parametrize("version", ["99", "x", "-1", "1" * 40])
def test_a_version_nobody_showed_saves_nothing_false(visitor, version):
    form = visitor.form_of("recommendations")
    form["fields"]["notice_version"] = version

    visitor.press(form, "give")

    saved = ConsentRecord.objects.filter(purpose="recommendations").values_list("notice_version", flat=True)
    assert list(saved) == ([] if version == "99" else [1])


def test_who_inherits_is_asked_not_told_of_a_yes(visitor):
    visitor.choose("personalization", "give")
    purpose = Purpose.objects.get(slug="recommendations")
    purpose.data_categories = ["location"]
    register.save_purpose(purpose, actor="officer:test")

    card = next(card for card in visitor.look().context["purposes"] if card["slug"] == "recommendations")

    assert "You allowed" not in str(card["reason"])
    assert subject_ref("customer-1") == visitor.ref or card["state"] == "never_asked"


def test_a_new_channel_is_no_open_switch(visitor):
    visitor.choose("newsletter", "give")
    purpose = Purpose.objects.get(slug="newsletter")
    purpose.channels = ["email", "sms"]
    register.save_purpose(purpose, actor="officer:test")

    card = next(card for card in visitor.look().context["purposes"] if card["slug"] == "newsletter")

    assert [channel["slug"] for channel in card["channels"]] == ["email"]
    assert [(part["dimension"], part["value"]) for part in card["new"]] == [("channel", "sms")]
