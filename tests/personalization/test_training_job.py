"""The training job: only people who allow it, a draft for an officer to approve, and nothing about anybody in it."""

import json

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone

from audit.models import AuditEvent
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from model_registry.documents import keeping as documents
from model_registry.models import ModelVersion
from model_registry.pages import summary
from personalization import tasks, training
from personalization.general import trending
from personalization.models import Event, Item, PopularItem
from personalization.recommender import storage
from personalization.training_data.permission import permitted
from policies.models import ActiveBundle
from tests.helpers.recommender import weights

pytestmark = pytest.mark.django_db


def _train():
    return training.train_recommender(actor="officer:test")


def _stored(version):
    folder = settings.MODEL_DIR
    return storage.load(folder / version.artifact, folder=folder, digest=version.artifact_sha256)


def test_training_registers_a_draft_with_the_digest_of_its_artifact(people):
    people("yes", 25)

    version = _train()

    assert (str(version), version.status) == ("house-recommender@1", ModelVersion.Status.DRAFT)
    assert [purpose.slug for purpose in version.purposes.all()] == ["recommendations"]
    assert _stored(version).trained_on.people == 25
    event = AuditEvent.objects.get(action="model.registered")
    assert (event.actor, event.details["artifact_sha256"]) == ("officer:test", version.artifact_sha256)
    assert json.loads(ActiveBundle.objects.get().bundle.data)["models"] == {}


def test_training_again_registers_the_next_draft_beside_the_first(people):
    people("yes", 25)

    first, second = _train(), _train()

    assert (first.version, second.version) == (1, 2)
    assert _stored(first).trained_on == _stored(second).trained_on


def test_people_who_do_not_allow_training_are_left_out_whole(people):
    people("yes", 25)
    people("no", 3, choice="refuse")
    people("child", 3)
    DataSubject.objects.filter(ref__in=[subject_ref(f"child-{n}") for n in range(3)]).update(age_band="child")
    people("elsewhere", 3, region="GB")  # allowed: an adequacy instrument is in force
    people("unknown-law", 3, region="")
    people("held", 3)
    DataSubject.objects.filter(ref__in=[subject_ref(f"held-{n}") for n in range(3)]).update(held=True)
    Event.objects.filter(subject_ref=subject_ref("yes-0")).update(purpose="usage_statistics")

    model = _stored(_train())

    assert model.trained_on.people == 24 + 3


def test_an_item_only_people_without_permission_touched_leaves_no_trace(people, shop, remember):
    people("yes", 25)
    people("no", 5, choice="refuse")
    rare = shop.items[90].id
    for number in range(5):
        remember(f"no-{number}", [rare, shop.items[0].id])

    model = _stored(_train())

    position = [item.id for item in model.items].index(rare)
    assert model.popularity.scores[position] == 0
    for part in range(len(model.parts)):
        assert not np.any(weights(model, part)[position])
        assert not np.any(weights(model, part)[:, position])


def test_a_decision_is_logged_for_every_person_asked(people, own_spool):
    people("yes", 21)
    people("no", 2, choice="refuse")

    _train()

    entries = [json.loads(line) for path in own_spool.iterdir() for line in path.read_text().splitlines()]
    asked = [(e["outcome"], e["caller"]) for e in entries if e["facts"]["action"] == "train"]
    assert sorted(asked) == [("deny", "job:training")] * 2 + [("permit", "job:training")] * 21


def test_where_nobody_allows_training_nothing_is_registered(people):
    people("no", 3, choice="refuse")

    assert _train() is None

    assert not ModelVersion.objects.exists()
    assert not settings.MODEL_DIR.exists()


def test_the_artifact_holds_no_person_and_nothing_sensitive(people):
    people("yes", 25)

    version = _train()

    content = b"".join(path.read_bytes() for path in sorted((settings.MODEL_DIR / version.artifact).iterdir()))
    for number in range(25):
        ref = subject_ref(f"yes-{number}")
        assert ref.bytes not in content
        assert str(ref).encode() not in content
        assert ref.hex.encode() not in content
    segments = json.loads((settings.MODEL_DIR / version.artifact / "segments.json").read_text())
    assert segments["segments"] == {"region=DE|age=adult": 25}
    items = json.loads((settings.MODEL_DIR / version.artifact / "items.json").read_text())
    assert {member for item in items for member in item} == {"id", "title", "categories", "text"}
    measured = {"ndcg_at_10_per_mille", "people", "measured_on", "by_segment", "window", "data_sha256"}
    assert set(version.metrics) == measured | {"protocols", "groups", "new_items", "ratings", "validation"}
    assert set(version.metrics["protocols"]) == {"S", "W"}
    for levels in version.metrics["protocols"].values():
        assert set(levels) == {"none", "segment", "behavioral", "contextual", "individual"}


def test_ratings_that_came_last_are_predicted_with_their_errors_on_the_card(people, rate):
    people("yes", 25)
    rate("yes", 22)
    people("no", 3, choice="refuse")
    rate("no", 3)

    version = _train()

    given = version.metrics["ratings"]
    assert (given["ratings"], given["people"]) == (44, 22)  # the first of three is learnt from
    assert 0 < given["mae"] <= given["rmse"] < 4_000
    card = documents.document_of(documents.current(version, "card"))
    found = {(each.type, each.slice): each.value for each in card.evaluations[0].metrics}
    assert found["rmse", "level=individual, on 44 ratings of 22 people"] == given["rmse"] / 1000
    assert found["mae", "by biases alone, on 44 ratings of 22 people"] == given["mae_of_biases"] / 1000
    assert any("RMSE and MAE are of" in each for each in card.considerations.limitations)
    assert "on 44 ratings of 22 people" in summary.quality(version)


def test_where_too_few_people_rate_there_is_no_error_and_the_card_says_so(people, rate):
    people("yes", 25)
    rate("yes", 19)

    version = _train()

    assert version.metrics["ratings"] is None
    card = documents.document_of(documents.current(version, "card"))
    assert not any(each.type in ("rmse", "mae") for each in card.evaluations[0].metrics)
    assert any("too few people rated" in each for each in card.considerations.limitations)
    assert "Too few people rated" in summary.quality(version)


def test_a_segment_below_twenty_people_is_not_in_the_artifact(people):
    people("yes", 20)
    people("few", 19, region="FR")

    assert list(_stored(_train()).segments) == ["region=DE|age=adult"]


def test_an_item_out_of_the_catalogue_is_not_learnt(people, shop):
    people("yes", 25)
    Item.objects.filter(pk=shop.items[3].id).update(is_active=False)

    assert shop.items[3].id not in {item.id for item in _stored(_train()).items}


@pytest.mark.parametrize(("distinct", "listed"), [(1, False), (2, True)])
def test_an_item_of_a_single_person_is_not_popular(shop, remember, distinct, listed):
    for person in range(distinct):
        remember(f"customer-{person}", [shop.items[50].id] * 5)

    trending.refresh()

    assert PopularItem.objects.filter(item_id=shop.items[50].id).exists() is listed


def test_popular_items_are_ranked_by_distinct_people(shop, remember):
    for person in range(3):
        remember(f"customer-{person}", [shop.items[1].id])
    for person in range(2):
        remember(f"customer-{person}", [shop.items[2].id] * 9 + [shop.items[0].id])
    Item.objects.filter(pk=shop.items[2].id).update(is_active=False)

    trending.refresh()

    assert list(PopularItem.objects.values_list("rank", "item_id", "people")) == [
        (1, shop.items[1].id, 3),
        (2, shop.items[0].id, 2),
    ]


def test_people_who_left_no_longer_count_as_popular(people, shop):
    people("yes", 3)
    trending.refresh()
    Event.objects.all().delete()

    assert _train() is None

    assert not PopularItem.objects.exists()


def test_the_task_is_the_job(people):
    people("yes", 21)

    tasks.train_recommender()

    assert AuditEvent.objects.get(action="model.registered").actor == "job:training"


def test_a_later_no_ends_what_a_yes_taught(shop, remember):
    """A low rating after a like: the item counts neither as popular nor in training."""
    for person in range(3):
        remember(f"customer-{person}", [shop.items[1].id, shop.items[2].id])
        remember(f"customer-{person}", [shop.items[1].id], kind="rating", value=1, weight=0.0, newest=timezone.now())

    trending.refresh()

    assert list(PopularItem.objects.values_list("item_id", "people")) == [(shop.items[2].id, 3)]


def test_people_whose_yes_leaves_data_out_teach_no_model(api):
    ref = subject_ref("customer-1")
    api.save("customer-1", "give")
    before = permitted([ref], purpose="recommendations", caller="job:training")

    api.save("customer-1", "refuse", data_category="ratings")

    assert (before, permitted([ref], purpose="recommendations", caller="job:training")) == ([ref], [])
