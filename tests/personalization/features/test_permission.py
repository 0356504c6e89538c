"""No feature is read without a purpose that the person permits."""

import json

import pytest

from consent.pseudonyms import subject_ref
from personalization.features import reading
from personalization.features.problems import FeatureNotPermitted, FeatureUnknown

pytestmark = pytest.mark.django_db
REF = subject_ref("customer-1")


def _read(*names, purpose="recommendations"):
    return reading.read(REF, names or ("likes",), purpose=purpose, caller="job:test")


def test_features_are_read_while_the_person_permits_their_purpose(api, shop, remember, own_spool):
    remember("customer-1", [shop.items[0].id, shop.items[1].id, shop.items[1].id])
    api.save("customer-1", "give")

    assert _read("likes", "items_touched", "looks") == {"likes": 3, "items_touched": 2, "looks": 0}

    api.save("customer-1", "refuse")
    with pytest.raises(FeatureNotPermitted):
        _read()
    entries = [json.loads(line) for path in own_spool.iterdir() for line in path.read_text().splitlines()]
    assert [(e["caller"], e["outcome"]) for e in entries] == [("job:test", "permit"), ("job:test", "deny")]


def test_a_person_who_said_nothing_has_no_features(api, shop, remember):
    remember("customer-1", [shop.items[0].id])

    with pytest.raises(FeatureNotPermitted):
        _read()


def test_a_feature_of_data_that_the_person_leaves_out_is_refused(api, shop):
    api.save("customer-1", "give")
    api.save("customer-1", "refuse", data_category="ratings")

    with pytest.raises(FeatureNotPermitted):
        _read("likes")
    assert _read("looks") == {"looks": 0}


def test_a_feature_stands_under_its_own_purpose_alone(api, shop):
    api.save("customer-1", "give")

    with pytest.raises(FeatureUnknown, match="likes"):
        _read("likes", purpose="usage_statistics")
    with pytest.raises(FeatureUnknown, match="mood"):
        _read("likes", "mood")
