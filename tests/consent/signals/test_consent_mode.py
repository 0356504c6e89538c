"""Google Consent Mode: denied unless granted, and never granted again by a weaker voice."""

import itertools

import pytest

from consent.signals import consent_mode

ADVERTISING = "personalised_advertising"


def granted(state) -> set:
    assert tuple(state) == consent_mode.SIGNALS
    return {name for name, value in state.items() if value == "granted"}


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({}, set()),
        ({"unheard_of": True}, set()),
        ({ADVERTISING: False}, set()),
        ({ADVERTISING: True}, {"ad_storage", "ad_user_data", "ad_personalization"}),
        ({"analytics": True}, {"analytics_storage"}),
        ({"advertising": True, ADVERTISING: False}, set()),
        ({"dpv:Personalisation": True, "security": True}, {"personalization_storage", "security_storage"}),
        ({"analytics": "yes"}, set()),
    ],
)
def test_signals_are_granted_only_by_grants_without_a_refusal(choices, expected):
    assert granted(consent_mode.from_choices(choices)) == expected


def test_an_opt_out_takes_the_advertising_signals_back():
    choices = {ADVERTISING: True, "analytics": True}

    assert granted(consent_mode.from_choices(choices, opt_out=True)) == {"analytics_storage"}
    assert granted(consent_mode.from_tcf(range(1, 25), opt_out=True)) == set()


@pytest.mark.parametrize(
    ("purposes", "expected"),
    [
        ((), set()),
        ((1,), {"ad_storage"}),
        ((7,), set()),
        ((1, 7), {"ad_storage", "ad_user_data"}),
        ((3,), set()),
        ((1, 3, 4, 7), {"ad_storage", "ad_user_data", "ad_personalization"}),
    ],
)
def test_a_tc_string_speaks_of_advertising_only(purposes, expected):
    assert granted(consent_mode.from_tcf(purposes)) == expected


def test_restricting_never_adds():
    states = [consent_mode.from_choices(dict.fromkeys(names, True)) for names in ((), (ADVERTISING,), ("analytics",))]

    for first, second in itertools.product(states, repeat=2):
        assert granted(consent_mode.restrict(first, second)) == granted(first) & granted(second)
    assert granted(consent_mode.restrict({}, states[1])) == set()
