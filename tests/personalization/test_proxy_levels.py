"""What is served at each level: no more than the decision permits, each item with its exact reason."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from consent.models import DataSubject, Purpose
from consent.register import register
from model_registry.models import ModelVersion
from personalization.models import Event, Item, OnlineFeatures
from personalization.recommender.interactions import Interaction
from personalization.serving import reading
from tests.helpers import models

pytestmark = pytest.mark.django_db

LIKED = 8
SEGMENT = "region=DE|age=adult"


@pytest.fixture
def liked(api, deployed, remember, shop):
    """A person who agreed and liked eight things, one minute after another."""
    api.save("customer-1", "give")
    items = [item.id for item in shop.items[:LIKED]]
    remember("customer-1", items)
    return items


def _served(model, level, liked, **more):
    """What the model itself answers to the history as it is stored."""
    history = [Interaction(item, 2.0, float(number)) for number, item in enumerate(liked)]
    return model.recommend(level, history=history, segment=SEGMENT, **more)


def _ids(items):
    return [item["item"] for item in items]


def test_an_individual_answer_names_exactly_what_each_item_rests_on(ask, liked, trained_model):
    answer = ask()

    expected = _served(trained_model, "individual", liked)
    titles = dict(Item.objects.values_list("slug", "title"))
    assert (answer["level"], answer["permitted_level"], answer["fallback"]) == ("individual", "individual", None)
    assert [
        (item["item"], item["basis"], [(b["item"], b["title"], b["share"]) for b in item["because"]])
        for item in answer["items"]
    ] == [
        (r.item.id, str(r.basis), [(b.item, titles[b.item], round(b.share, 4)) for b in r.because])
        for r in expected.recommendations
    ]
    assert {b["item"] for item in answer["items"] for b in item["because"]} <= set(liked)
    assert not set(_ids(answer["items"])) & set(liked)


def test_the_sentence_names_the_first_reasons(ask, liked):
    item = next(item for item in ask()["items"] if item["basis"] == "history")

    assert item["why"] == "Because you liked " + " and ".join(b["title"] for b in item["because"][:2])


@pytest.mark.parametrize("level", ["none", "segment", "behavioral", "contextual", "individual"])
def test_no_more_than_the_requested_level_is_served(ask, liked, level):
    answer = ask(requested_level=level)

    assert (answer["level"], answer["permitted_level"]) == (level, level)


def test_a_segment_of_enough_people_is_served_without_its_size(ask, liked, trained_model):
    answer = ask(requested_level="segment")

    people = trained_model.segments[SEGMENT].people
    assert people >= 20
    assert _ids(answer["items"]) == [r.item.id for r in _served(trained_model, "segment", []).recommendations]
    assert {(item["basis"], item["why"]) for item in answer["items"]} == {
        ("segment", "Popular in your region and age group")
    }
    assert all(item["because"] == [] for item in answer["items"])
    assert str(people) not in json.dumps([item["why"] for item in answer["items"]])


@pytest.mark.parametrize("no", [{"kind": "rating", "value": 1}, {"kind": "rating", "value": 2}, {"kind": "skip"}])
def test_a_no_is_no_liking_and_no_reason(ask, api, deployed, remember, shop, no):
    """The kind: the sentence of an item says what the person did; a no about an item ends an earlier yes to it."""
    api.save("customer-1", "give")
    items = [item.id for item in shop.items[:LIKED]]
    remember("customer-1", items, newest=timezone.now() - timedelta(days=2))
    remember("customer-1", items[:2], weight=0.0, **no)

    answer = ask(count=50)

    reasons = {because["item"] for item in answer["items"] for because in item["because"]}
    assert answer["level"] == "individual"
    assert reasons
    assert not reasons & set(items[:2])
    assert not set(_ids(answer["items"])) & set(items[:2])


def test_a_person_of_low_ratings_only_has_no_history(ask, api, deployed, remember, shop):
    api.save("customer-1", "give")
    remember("customer-1", [item.id for item in shop.items[:6]], kind="rating", value=1, weight=0.0)

    answer = ask(count=4)

    assert [item["because"] for item in answer["items"]] == [[]] * 4
    assert answer["fallback"] == "too_little_history"


@pytest.mark.parametrize(
    ("kind", "weight", "verb"),
    [("view", 1.0, "looked at"), ("rating", 3.0, "looked at"), ("rating", 4.0, "liked"), ("purchase", 3.0, "liked")],
)
def test_the_sentence_says_what_the_person_did(ask, api, deployed, remember, shop, kind, weight, verb):
    api.save("customer-1", "give")
    remember("customer-1", [item.id for item in shop.items[:LIKED]], kind=kind, weight=weight)

    whys = [item["why"] for item in ask(count=50)["items"] if item["basis"] == "history"]

    assert whys
    assert all(why.startswith(f"Because you {verb} ") for why in whys)


def test_in_a_segment_too_small_everybodys_list_is_served(ask, liked, trained_model, shop):
    DataSubject.objects.update(region="IS")

    answer = ask(requested_level="segment")

    assert "region=IS|age=adult" not in trained_model.segments
    assert (answer["level"], answer["permitted_level"]) == ("none", "none")
    assert [reason["code"] for reason in answer["reasons"]] == ["segment_too_small"]
    assert _ids(answer["items"]) == [item.id for item in shop.items[:10]]


def test_a_session_counts_from_contextual_upwards_only(ask, api, deployed, remember, shop):
    api.save("customer-1", "give")
    session = [item.id for item in shop.items[:LIKED]]

    contextual = ask(session=session, requested_level="contextual")
    behavioral = ask(session=session, requested_level="behavioral")

    assert (contextual["level"], contextual["items"][0]["basis"]) == ("contextual", "session")
    assert contextual["items"][0]["why"].startswith("Because you looked at ")
    assert (behavioral["level"], behavioral["fallback"]) == ("segment", "too_little_history")
    assert {item["basis"] for item in behavioral["items"]} == {"segment"}


def test_behavioral_forgets_what_is_older_than_the_last_hundred(ask, api, deployed, remember, shop, trained_model):
    api.save("customer-1", "give")
    old, recent = shop.items[60].id, [item.id for item in shop.items[:50]] * 2
    remember("customer-1", [old, *recent])

    behavioral, individual = ask(requested_level="behavioral", count=100), ask(count=100)

    assert old in _ids(behavioral["items"])  # forgotten, so it may be recommended again
    assert old not in _ids(individual["items"])


def test_events_of_another_person_or_purpose_are_not_looked_at(ask, api, deployed, remember, shop):
    api.save("customer-1", "give")
    items = [item.id for item in shop.items[:LIKED]]
    remember("customer-2", items)
    remember("customer-1", items, purpose="usage_statistics")

    assert ask()["fallback"] == "too_little_history"


@pytest.fixture
def read(monkeypatch):
    """The limits of the histories that were read."""
    limits, history = [], reading.history

    def noting(ref, purpose, kinds, limit):
        limits.append(limit)
        return history(ref, purpose, kinds, limit)

    monkeypatch.setattr(reading, "history", noting)
    return limits


@pytest.mark.parametrize("level", ["none", "segment"])
def test_below_behavioral_no_event_is_read(ask, liked, read, sql, level):
    sql.clear()

    ask(requested_level=level)

    assert read == []
    assert not [statement for statement in sql if "personalization_event" in statement]


def test_from_behavioral_upwards_the_row_of_latest_events_is_enough(ask, liked, read):
    ask(requested_level="behavioral")
    before = reading.executions()

    ask(requested_level="behavioral")
    ask(requested_level="individual")

    assert read == []
    assert reading.executions() == before, "all of it came with the decision's statement; items are held"


@pytest.mark.parametrize(("level", "limit"), [("behavioral", 100), ("individual", 5_000)])
def test_without_the_row_the_events_are_read_and_the_answer_is_the_same(ask, liked, read, level, limit):
    first = ask(requested_level=level)
    OnlineFeatures.objects.all().delete()

    second = ask(requested_level=level)

    assert [second[part] for part in ("level", "items")] == [first[part] for part in ("level", "items")]
    assert second["level"] == level
    assert read == [limit]


def _without(category):
    purpose = Purpose.objects.get(slug="recommendations")
    purpose.data_categories = [each for each in purpose.data_categories if each != category]
    register.save_purpose(purpose, actor="test")
    for version in ModelVersion.objects.all():  # the assessment was of other data
        models.with_evidence(version)


def test_a_category_the_purpose_may_not_use_is_kept_out_of_the_history(ask, liked, remember, shop):
    bought = [item.id for item in shop.items[40:48]]
    remember("customer-1", bought, kind="purchase", weight=3.0)
    assert {b["item"] for item in ask()["items"] for b in item["because"]} & set(bought)

    _without("purchases")

    answer = ask(count=100)
    assert answer["level"] == "individual"
    assert [reason["code"] for reason in answer["reasons"]] == ["category_not_allowed"]
    assert {b["item"] for item in answer["items"] for b in item["because"]} <= set(liked)


def test_a_session_is_views_and_goes_where_views_go(ask, api, deployed, shop):
    api.save("customer-1", "give")
    _without("views")

    answer = ask(session=[item.id for item in shop.items[:LIKED]], requested_level="contextual")

    assert answer["fallback"] == "too_little_history"
    assert all(item["because"] == [] for item in answer["items"])


@pytest.mark.parametrize("how", ["body", "header"])
def test_a_browsers_opt_out_lowers_the_level(api, deployed, remember, shop, how):
    api.save("customer-1", "give")
    body = {"subject": {"id": "customer-1"}, "signals": {"gpc": how == "body"}}

    answer = api.post("/api/v1/recommendations", body, **({"Sec-GPC": "1"} if how == "header" else {})).json()

    assert answer["permitted_level"] == "behavioral"
    assert [reason["code"] for reason in answer["reasons"]] == ["level_capped_by_signal"]


def test_withdrawal_counts_at_the_very_next_request(ask, api, liked):
    assert ask()["level"] == "individual"

    api.save("customer-1", "withdraw")

    answer = ask()
    assert (answer["level"], [reason["code"] for reason in answer["reasons"]]) == ("none", ["consent_withdrawn"])
    assert Event.objects.exists()  # the deletion job has not run yet; they are not used all the same
    assert all(item["because"] == [] for item in answer["items"])


def test_a_stranger_is_served_what_everybody_is_served(ask, deployed, shop):
    answer = ask("stranger", count=3)

    assert (answer["level"], answer["subject_revision"]) == ("none", 0)
    assert "subject_unknown" in [reason["code"] for reason in answer["reasons"]]
    assert answer["items"] == [
        {
            "item": i.id,
            "title": i.title,
            "basis": "popular",
            "because": [],
            "despite": [],
            "why": "Popular with other people",
        }
        for n, i in enumerate(shop.items[:3])
    ]


def test_an_item_taken_out_of_the_catalogue_is_not_shown_to_everybody(ask, deployed, shop):
    Item.objects.filter(pk=shop.items[0].id).update(is_active=False)

    assert shop.items[0].id not in _ids(ask("stranger")["items"])


def test_the_answer_holds_nothing_that_names_the_person(api, deployed, liked, own_spool):
    answer = api.post("/api/v1/recommendations", {"subject": {"id": "customer-1"}})

    assert b"customer-1" not in answer.content
    entry = json.loads(max(own_spool.iterdir()).read_text().splitlines()[-1])
    assert entry["id"] == answer.json()["decision_id"]
    assert "customer-1" not in json.dumps(entry)


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"requested_level": "telepathic"}, "requested_level"),
        ({"count": 0}, "count"),
        ({"count": 101}, "count"),
        ({"count": "10"}, "count"),
        ({"session": ["a b"]}, "session.0"),
        ({"session": ["a"] * 51}, "session"),
        ({"region": "Germany"}, "region"),
        ({"purpose": ""}, "purpose"),
        ({"model": "house-recommender@1"}, "?"),
    ],
)
def test_a_body_that_is_not_a_wish_is_refused_by_member(api, shop, members, member):
    answer = api.post("/api/v1/recommendations", {"subject": {"id": "customer-1"}, **members})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member])
