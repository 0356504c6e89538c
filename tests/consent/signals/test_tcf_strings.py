"""TC strings: equal to the reference where they are honest, refused with a reason where they are not."""

import pytest

from consent.signals import tcf
from consent.signals.bits import MAX_TEXT, spread
from consent.signals.problems import InvalidSignal
from tests.helpers import signal_reference
from tests.helpers.signal_encoders import (
    ALLOWED_SEGMENT,
    PUBLISHER_SEGMENT,
    Tc,
    integer,
    restriction,
    text,
    vendor_field,
    vendor_ranges,
)

# Tenths of a second since 1970: from here on a string must say which vendors were disclosed (TCF 2.3).
MARCH_2026 = 17_723_232_000


def test_every_given_string_decodes_as_the_reference_does():
    expected = signal_reference.GIVEN["tcf"]

    assert len(expected) >= 14
    for each in expected:
        assert {"str": each["str"], **tcf.decode(each["str"]).fields()} == each


@pytest.mark.parametrize("expected", signal_reference.OWN["tcf"], ids=lambda each: each["str"][:24])
def test_restrictions_and_own_purposes_decode_as_the_reference_does(expected):
    found = tcf.decode(expected["str"])

    assert {**expected, **found.fields()} == expected
    assert list(found.publisher.custom_consents) == expected["pubcc"]
    assert list(found.publisher.custom_interests) == expected["pubcl"]
    restrictions = {(each.purpose, each.kind): spread(each.vendors) for each in found.core.restrictions}
    assert restrictions == {(purpose, kind): vendors for purpose, kind, vendors in expected["restrictions"]}


def test_a_string_made_by_hand_decodes():
    found = tcf.decode(Tc(more=(PUBLISHER_SEGMENT,)).encode())

    assert found.fields() == {
        "policy": 5,
        "lang": "EN",
        "cc": "DE",
        "cmp": 300,
        "vlv": 120,
        "pc": [1, 2, 7],
        "pl": [2, 7],
        "sf": [1],
        "vc": [10, 20],
        "vl": [10],
        "vd": [10, 20],
        "pubc": [1, 2],
        "publ": [7],
    }
    assert (found.publisher.custom_consents, found.publisher.custom_interests) == ((1,), (2,))


def test_absent_segments_are_empty_where_the_policy_allows_it():
    found = tcf.decode(Tc(policy=4, disclosed=None).encode()).fields()

    assert (found["vd"], found["pubc"], found["publ"]) == ([], [], [])


def test_the_oldest_accepted_policy_may_name_allowed_vendors():
    assert tcf.decode(Tc(policy=4, more=(ALLOWED_SEGMENT,)).encode()).core.policy_version == 4


@pytest.mark.parametrize("vendors", [vendor_field(3, 4, 5), vendor_ranges(5, (3, 5)), vendor_ranges(9, 3, (4, 5))])
def test_vendors_read_the_same_from_bits_and_from_ranges(vendors):
    assert tcf.decode(Tc(vendor_consents=vendors).encode()).fields()["vc"] == [3, 4, 5]


@pytest.mark.parametrize(
    ("string", "reason"),
    [
        (Tc(version=1), "unknown_version"),
        (Tc(version=3), "unknown_version"),
        (Tc(policy=3), "stale_policy"),
        *[
            (Tc(policy=policy, disclosed=None, created=MARCH_2026, updated=MARCH_2026), "vendors_not_disclosed")
            for policy in (4, 5, 6)
        ],
        (Tc(more=(ALLOWED_SEGMENT,)), "outdated_segment"),
        (Tc(service_specific=0), "not_service_specific"),
        *[(Tc(interests=(purpose,)), "interest_not_allowed") for purpose in (1, 3, 4, 5, 6)],
        (Tc(created=17_000_000_001), "created_after_updated"),
        (Tc(language="e["), "not_a_letter"),
        (Tc(country="D["), "not_a_letter"),
        (Tc(vendor_consents=vendor_ranges(20, (20, 10))), "reversed_range"),
        (Tc(vendor_consents=vendor_ranges(20, (1, 10), (10, 20))), "overlapping_ranges"),
        (Tc(vendor_consents=vendor_ranges(20, 10, 10)), "overlapping_ranges"),
        (Tc(vendor_consents=vendor_ranges(20, 20, 10)), "overlapping_ranges"),
        (Tc(vendor_consents=vendor_ranges(20, 0)), "overlapping_ranges"),
        (Tc(vendor_consents=vendor_ranges(20, (1, 65535))), "vendor_beyond_highest"),
        (Tc(disclosed=vendor_ranges(20, (1, 21))), "vendor_beyond_highest"),
        (Tc(restrictions=(restriction(2, 3, 10),)), "bad_restriction"),
        (Tc(restrictions=(restriction(0, 1, 10),)), "bad_restriction"),
        (Tc(restrictions=(restriction(25, 1, 10),)), "bad_restriction"),
        (Tc(restrictions=(restriction(2, 1, 10), restriction(2, 1, 11))), "duplicate_restriction"),
        (Tc(restrictions=(restriction(2, 1, (11, 10)),)), "reversed_range"),
        (Tc(more=(PUBLISHER_SEGMENT, PUBLISHER_SEGMENT)), "duplicate_segment"),
        (Tc(more=(integer(1, 3) + vendor_field(10),)), "duplicate_segment"),
        (Tc(more=(integer(0, 3) + vendor_field(10),)), "unknown_segment"),
        (Tc(more=(integer(4, 3) + vendor_field(10),)), "unknown_segment"),
        (Tc(more=(PUBLISHER_SEGMENT,) * 3), "too_many_segments"),
        (Tc(more=(PUBLISHER_SEGMENT + "1",)), "trailing_bits"),
        (Tc(more=(PUBLISHER_SEGMENT[:-8],)), "truncated"),
        (Tc(tail="1"), "trailing_bits"),
        (Tc(tail="0" * 30), "trailing_bits"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_framework_forbids_is_refused(string, reason):
    with pytest.raises(InvalidSignal) as caught:
        tcf.decode(string.encode())

    assert caught.value.reason == reason
    assert string.encode()[:12] not in str(caught.value)


@pytest.mark.parametrize(
    "string",
    [
        Tc(policy=4),
        Tc(policy=6),
        *[Tc(policy=policy, disclosed=None, created=MARCH_2026 - 1, updated=MARCH_2026 - 1) for policy in (4, 5, 6)],
        Tc(interests=(2, 7, 8, 9, 10, 11)),
        Tc(updated=17_000_000_001),
        Tc(language="ZA"),
        Tc(vendor_consents=vendor_ranges(20, (1, 9), (10, 20))),
        Tc(vendor_consents=vendor_ranges(65535, (1, 65535))),
        Tc(restrictions=(restriction(2, 1, 10), restriction(2, 0, 11))),
        Tc(more=(PUBLISHER_SEGMENT,)),
        Tc(tail="0" * 12),
    ],
)
def test_the_same_within_the_rules_is_read(string):
    assert tcf.decode(string.encode()).core.consents == (1, 2, 7)


@pytest.mark.parametrize(
    ("string", "reason"),
    [
        ("", "empty"),
        (".", "empty"),
        (Tc().encode() + ".", "empty"),
        (Tc().encode() + "=", "not_base64url"),
        (" " + Tc().encode(), "not_base64url"),
        (Tc().encode() + "\n", "not_base64url"),
        (Tc().encode().replace("C", "é", 1), "not_base64url"),
        ("C" * (MAX_TEXT + 1), "too_long"),
    ],
)
def test_what_is_not_such_text_is_refused(string, reason):
    with pytest.raises(InvalidSignal) as caught:
        tcf.decode(string)

    assert caught.value.reason == reason


def test_a_core_cut_anywhere_before_its_last_field_is_refused():
    core = text(Tc(policy=4, vendor_consents=vendor_field(10, 200)).core())

    for length in range(len(core) - 2):
        with pytest.raises(InvalidSignal):
            tcf.decode(core[:length])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"consents": (1,)}, False),
        ({"vendor_consents": vendor_field(20)}, False),
        ({"disclosed": vendor_field(20)}, False),
        ({"policy": 4, "disclosed": None}, True),
        ({"restrictions": (restriction(2, 0, (1, 99)),)}, False),
        ({"restrictions": (restriction(2, 1, (1, 99)),)}, True),
        ({"restrictions": (restriction(2, 2, (1, 99)),)}, False),
        ({"restrictions": (restriction(2, 0, 11), restriction(7, 0, 10))}, True),
    ],
)
def test_a_vendor_may_rely_on_consent_only_if_all_parts_agree(change, expected):
    assert tcf.decode(Tc(**change).encode()).consents_to(vendor=10, purpose=2) is expected
