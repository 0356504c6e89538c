"""Definitions as a register: two officers, versions that keep their meaning, and the way back."""

import pytest

from oversight.changes import applying
from oversight.problems import ChangeRefused
from personalization.features import definitions
from tests.helpers.registers import Proposed, drafted, in_force, make_officer

pytestmark = pytest.mark.django_db


def _document(**changes):
    return {
        "name": "looks", "version": 2, "kind": "count", "events": ["view"], "window_days": 30,
        "purpose": "recommendations", "freshness_s": 3600, "owner": "anna", "description": "", "in_use": True,
        **changes,
    }  # fmt: skip


def _propose(**changes):
    document = _document(**changes)
    return Proposed("feature", f"{document['name']}/{document['version']}", document)


@pytest.fixture
def officers(register_in_force):
    return make_officer("anna"), make_officer("ben")


def _in_force(name):
    return {each.name: each for each in definitions.in_force("recommendations")}.get(name)


def test_built_in_features_stand_until_the_register_says_otherwise(officers):
    assert [each.name for each in definitions.in_force("recommendations")] == sorted(definitions.OWN)
    assert definitions.in_force("usage_statistics") == []

    in_force(*officers, _propose())

    assert (_in_force("looks").version, _in_force("looks").window_days) == (2, 30)
    assert _in_force("likes") == definitions.OWN["likes"]


def test_an_earlier_version_comes_back(officers):
    in_force(*officers, _propose())
    in_force(*officers, _propose(version=3, events=["view", "click"]))
    assert _in_force("looks").version == 3

    in_force(*officers, _propose(version=3, events=["view", "click"], in_use=False))

    assert (_in_force("looks").version, _in_force("looks").events) == (2, ("view",))


def test_a_feature_is_off_where_no_version_is_in_use(officers):
    in_force(*officers, _propose(in_use=False))
    assert _in_force("looks") is None

    in_force(*officers, _propose(name="rated", version=1, events=["rating"]))
    in_force(*officers, _propose(name="rated", version=1, events=["rating"], in_use=False))
    assert _in_force("rated") is None


def test_one_officer_changes_no_feature(officers):
    anna, _ = officers
    in_force(*officers, _propose())

    for change in ({"freshness_s": 60}, {"in_use": False}):
        with pytest.raises(ChangeRefused):
            applying.apply_protectively(drafted(anna, _propose(**change)), actor=anna, reason="")

    assert _in_force("looks").freshness_s == 3600


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"events": ["view", "click"]}, "Make version 3"),
        ({"window_days": None}, "Make version 3"),
        ({"kind": "items"}, "Make version 3"),
        ({"version": 1}, "Make version 2"),  # the first one is built in
        ({"version": 4, "events": ["glance"]}, "events of these kinds"),
        ({"version": 4, "purpose": "nothing"}, "no purpose"),
    ],
)
def test_a_version_keeps_its_meaning(officers, changes, sentence):
    in_force(*officers, _propose())

    with pytest.raises(ChangeRefused, match=sentence):
        in_force(*officers, _propose(**changes))
