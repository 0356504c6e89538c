"""What only takes permission away: a pure function of each register."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.levels import LEVELS
from consent.register.descriptors import purpose_narrows, site_narrows
from oversight import registers
from policies.registers.descriptors import category_narrows, instrument_narrows, rule_narrows

PURPOSE: dict[str, Any] = {
    "slug": "letters", "name": "Letters", "data_categories": ["email", "name"], "recipients": ["post"],
    "channels": ["email"], "actions": ["contact"], "max_level": "behavioral", "consent_valid_for": 10,
    "is_active": True, "explicit_consent": False, "parent": "all", "texts": {},
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False}, {"data_categories": ["email"]}, {"recipients": []}, {"channels": []}, {"actions": []},
        {"max_level": "none"}, {"consent_valid_for": 9}, {"explicit_consent": True},
        {"is_active": False, "data_categories": []},
    ],
)  # fmt: skip
def test_a_purpose_that_permits_less_narrows(change: dict[str, Any]) -> None:
    assert purpose_narrows(PURPOSE, {**PURPOSE, **change})
    assert not purpose_narrows({**PURPOSE, **change}, PURPOSE)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Mail"}, {"parent": None}, {"parent": "other"}, {"texts": {"de": {}}}, {"max_level": "individual"},
        {"is_active": False, "recipients": ["post", "broker"]}, {"data_categories": ["other"]},
    ],
)  # fmt: skip
def test_anything_else_about_a_purpose_does_not(change: dict[str, Any]) -> None:
    assert not purpose_narrows(PURPOSE, {**PURPOSE, **change})


def test_a_new_or_a_deleted_purpose_does_not_narrow() -> None:
    assert not purpose_narrows(None, PURPOSE)
    assert not purpose_narrows(PURPOSE, None)


LISTS = st.lists(st.sampled_from(["a", "b", "c"]), unique=True)
PURPOSES = st.builds(
    lambda data, recipients, level, active: {
        **PURPOSE, "data_categories": data, "recipients": recipients, "max_level": level, "is_active": active,
    },
    LISTS, LISTS, st.sampled_from(sorted(LEVELS)), st.booleans(),
)  # fmt: skip


@given(PURPOSES, PURPOSES)
def test_what_narrows_never_adds(before: dict[str, Any], after: dict[str, Any]) -> None:
    adds = (
        bool(set(after["data_categories"]) - set(before["data_categories"]))
        or bool(set(after["recipients"]) - set(before["recipients"]))
        or LEVELS[after["max_level"]] > LEVELS[before["max_level"]]
        or (after["is_active"] and not before["is_active"])
    )

    assert purpose_narrows(before, after) == (not adds)


@given(PURPOSES, PURPOSES, PURPOSES)
def test_narrowing_twice_narrows(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    if purpose_narrows(a, b) and purpose_narrows(b, c):
        assert purpose_narrows(a, c)


def test_residency_narrows_by_fewer_rules_kinds_and_days() -> None:
    rule = {"slug": "x", "subject_group": "eea", "data_categories": ["*"], "instrument": None}
    assert rule_narrows(rule, None)
    assert rule_narrows(rule, {**rule, "data_categories": ["views"]})
    assert not rule_narrows(None, rule)
    assert not rule_narrows({**rule, "data_categories": ["views"]}, rule)
    assert not rule_narrows(rule, {**rule, "subject_group": "us"})

    instrument = {"slug": "x", "name": "X", "valid_until": "2030-01-01T00:00:00+00:00"}
    assert instrument_narrows({**instrument, "valid_until": None}, instrument)
    assert instrument_narrows(instrument, {**instrument, "valid_until": "2029-01-01T00:00:00+00:00"})
    assert not instrument_narrows(instrument, {**instrument, "valid_until": None})
    assert not instrument_narrows(instrument, None)


def test_a_sensitive_category_is_added_alone_and_never_removed_alone() -> None:
    category = {"slug": "health", "name": "Health"}

    assert category_narrows(None, category)
    assert not category_narrows(category, None)
    assert not category_narrows(category, {**category, "name": "Other"})


def test_a_site_narrows_by_asking_less() -> None:
    site = {"slug": "shop", "origins": ["a", "b"], "purposes": ["x"], "is_active": True, "region": ""}

    assert site_narrows(site, {**site, "is_active": False})
    assert site_narrows(site, {**site, "origins": ["a"]})
    assert not site_narrows(site, {**site, "region": "DE"})
    assert not site_narrows({**site, "is_active": False}, site)


def test_no_change_of_retention_is_protective() -> None:
    schedule = registers.find("retention_schedule")

    assert not schedule.narrows({"retain_for": 2}, {"retain_for": 1})
    assert not schedule.narrows({"retain_for": 1}, {"retain_for": 2})
    assert not schedule.narrows({"retain_for": 1}, None)
