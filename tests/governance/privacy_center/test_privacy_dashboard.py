"""What the privacy dashboard tells a person: the level and why, the decisions about them, the data, in words."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from consent.models import Purpose
from consent.pseudonyms import subject_ref
from personalization.models import Event, Item
from policies.decision_log import drainer
from policies.decisions import information
from privacy.models import Disposal, RetentionSchedule
from tests.helpers.holds import Register as HoldRegister
from tests.helpers.holds import hold
from tests.helpers.visitor import question

pytestmark = pytest.mark.django_db


def _text(response):
    return " ".join(response.content.decode().split())


def _card(page, slug):
    return next(purpose for purpose in page.context["purposes"] if purpose["slug"] == slug)


def test_nobody_asked_yet_is_seen_as_general(visitor):
    page = visitor.look()

    assert page.context["level"]["index"] == 0
    assert "You are seeing <em>General</em> recommendations" in _text(page)
    assert "You have not answered yet." in _text(page)
    assert "No decision has been made about you yet." in _text(page)


def test_the_level_follows_the_choice_at_once(visitor, api):
    api.save("customer-1", "give", purpose="personalization")

    assert _card(visitor.look(), "personalization")["level_label"] == "Recent"

    visitor.choose("personalization", "withdraw")

    assert _card(visitor.look(), "personalization")["level_label"] == "General"


def test_a_broader_yes_counts_for_what_was_never_asked_and_the_card_says_so(visitor, api):
    api.save("customer-1", "give", purpose="personalization")

    card = _card(visitor.look(), "recommendations")

    assert card["state"] == "never_asked"
    assert str(card["reason"]) == "You allowed “A shop that knows you a little”, which this is part of."


@pytest.mark.parametrize(("header", "shown"), [("1", True), ("0", False), ("", False)])
def test_a_browser_signal_is_confirmed_and_lowers_the_level(visitor, api, header, shown):
    api.save("customer-1", "give")
    page = visitor.look(**{"Sec-GPC": header} if header else {})

    assert ("opt-out request was honoured" in _text(page)) is shown
    assert (page.context["level"]["index"] < 4) is shown


def test_caches_keep_the_page_apart_by_signal_and_person(visitor):
    page = visitor.look()

    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Vary"] == "Sec-GPC, Cookie, Accept-Language"


def test_each_purpose_says_what_it_uses_who_gets_it_and_for_how_long(visitor):
    page = visitor.look()

    newsletter, orders = _card(page, "newsletter"), _card(page, "order_fulfilment")
    assert newsletter["data_categories"] == ["email address"]
    assert newsletter["recipients"] == ["Mail House"]
    assert str(newsletter["retention"]) == "Two years, or until you turn it off"
    assert newsletter["notice"]["text"].startswith("We use your e-mail address")
    assert str(orders["retention"]) == "As long as the law requires for orders"
    assert "None" not in _text(page)


def test_the_same_decision_asked_often_is_one_entry_with_its_reason(visitor, api, own_spool):
    api.save("customer-1", "refuse")
    for _ in range(3):
        api.evaluate(question())
    api.save("customer-1", "give")
    api.evaluate(question())
    drainer.drain(own_spool)

    newest, older = visitor.look().context["decisions"]

    assert (newest["outcome"], newest["times"], [str(why) for why in newest["why"]]) == (
        "permitted",
        1,
        ["You had allowed it."],
    )
    assert [str(change) for change in newest["would_change"]] == ["Turning off “Recommendations” stops this."]
    assert (older["outcome"], older["times"]) == ("not_permitted", 3)
    assert [str(why) for why in older["why"]] == ["You said no to this."]
    assert older["would_change"] == [], "nobody is told how to get around a no"


def test_a_missing_answer_is_named_as_what_would_change_a_decision(visitor, api, own_spool):
    api.save("customer-1", "refuse", purpose="newsletter")
    api.evaluate(question())
    drainer.drain(own_spool)

    [decision] = visitor.look().context["decisions"]

    assert "Allowing “Recommendations” would change this." in [str(change) for change in decision["would_change"]]


def test_nobody_sees_another_persons_decisions_or_data(visitor, api, own_spool):
    api.save("customer-2", "give")
    api.evaluate(question("customer-2"))
    drainer.drain(own_spool)
    _event(subject_ref("customer-2"), "a")

    page = visitor.look()

    assert (page.context["decisions"], page.context["history"], page.context["held_data"]) == ([], [], [])


def _event(ref, number):
    item, _ = Item.objects.get_or_create(slug=f"item-{number}", defaults={"title": f"Item {number}"})
    Event.objects.create(
        id=subject_ref(f"{ref}{number}"),
        subject_ref=ref,
        purpose="recommendations",
        kind="like",
        item=item,
        weight=1,
        occurred_at=timezone.now() - timedelta(days=1),
    )


def test_held_data_is_counted_by_kind(visitor):
    for number in range(3):
        _event(visitor.ref, number)

    [liked] = visitor.look().context["held_data"]

    assert (str(liked["label"]), liked["count"]) == ("Things you liked", 3)


def _live_a_little(visitor, api, number):
    """One more purpose with all that a page shows of it: a choice, a schedule, a removal, an event, a decision."""
    purpose = Purpose.objects.create(
        slug=f"more-{number}", name=f"More {number}", actions=["personalize"], data_categories=["views"]
    )
    RetentionSchedule.objects.create(purpose=purpose, retain_for=timedelta(days=9))
    visitor.choose(purpose.slug, "give")
    visitor.choose(purpose.slug, "withdraw")
    Disposal.objects.create(reason="withdrawal", purpose=purpose, subject_ref=visitor.ref, before=timezone.now())
    _event(visitor.ref, number)
    api.evaluate(question())


def test_the_number_of_statements_does_not_grow_with_purposes_choices_or_decisions(
    visitor, api, own_spool, sql, monkeypatch
):
    read, reads = information.read, []
    monkeypatch.setattr(information, "read", lambda *args: reads.append(args) or read(*args))

    def cost():
        drainer.drain(own_spool)
        visitor.look()
        sql.clear()
        reads.clear()
        page = visitor.look()
        return page, (len(sql), len(reads))

    _live_a_little(visitor, api, 0)
    _page, few = cost()
    for number in range(1, 9):
        _live_a_little(visitor, api, number)
    page, many = cost()

    assert (len(page.context["purposes"]), len(page.context["disposals"])) == (14, 5)
    assert many == few == (24, 1)


def test_the_business_is_named(visitor, monkeypatch):
    monkeypatch.setattr(settings, "BUSINESS_NAME", "Müller & Söhne <b>")

    page = visitor.look().content.decode()

    assert "Your privacy at Müller &amp; Söhne &lt;b&gt;" in page
    assert "<b>" not in page


def _remember(kind="view", purpose="recommendations"):
    Item.objects.get_or_create(slug="kettle", defaults={"title": "Kettle"})
    at = timezone.now() - timedelta(days=5)
    return Event.objects.create(
        id=uuid4(), subject_ref=subject_ref("customer-1"), purpose=purpose, kind=kind, item_id="kettle", weight=1.0,
        occurred_at=at, received_at=at,
    )  # fmt: skip


def _until(page):
    return {str(row["label"]): str(row["until"]) for row in page.context["held_data"]}


def test_each_kind_of_data_has_its_last_day(visitor, api):
    api.save("customer-1", "give")
    event = _remember()

    last = event.received_at + timedelta(days=365)
    assert _until(visitor.look())["Things you looked at"] == f"{last:%-d %B %Y} at the latest"


def test_what_a_law_keeps_says_so(visitor, api):
    api.save("customer-1", "give")
    orders = Purpose.objects.get(slug="order_fulfilment")
    RetentionSchedule.objects.filter(purpose=orders).update(retain_for=timedelta(days=30))
    RetentionSchedule.objects.create(
        slug="tax", purpose=orders, retain_for=timedelta(days=3650), action="keep", ground="§ 147 AO"
    )
    _remember("purchase", "order_fulfilment")

    assert _until(visitor.look())["Things you bought"].endswith("because a law requires it")


def test_a_hold_is_said_and_its_matter_is_not(visitor, api):
    api.save("customer-1", "give")
    _remember()
    HoldRegister().place(hold("secret-claim", matter="Inquiry of the prosecutor"))

    page = visitor.look()

    assert _until(page)["Things you looked at"] == "Kept on, because we have to. It is not used meanwhile."
    assert not [word for word in ("secret-claim", "prosecutor") if word in _text(page)]
