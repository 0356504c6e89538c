"""GPP strings: every section the reference writes, and every way to refuse."""

import pytest

from consent.signals import gpp
from consent.signals.problems import InvalidSignal
from consent.signals.us_sections import STATES
from tests.helpers import signal_reference
from tests.helpers.signal_encoders import Tc, gpc_segment, header, text, us_section

# A Virginian who was told everything and refused nothing: 18 values.
VIRGINIA = (1, 1, 1, 2, 2, *[0] * 8, 0, 1, 2, 2)
NATIONAL_1 = (1, 1, 1, 1, 1, 1, 2, 2, 2, *[0] * 12, *[0] * 2, 0, 1, 2, 2)
NATIONAL_2 = (1, 1, 1, 1, 1, 1, 2, 2, 2, *[0] * 16, *[0] * 3, 0, 1, 2, 2)


def test_every_given_string_decodes_as_the_reference_does():
    expected = signal_reference.GIVEN["gpp"]

    assert len(expected) >= 20
    for each in expected:
        assert {"str": each["str"], **gpp.decode(each["str"]).fields()} == each


@pytest.mark.parametrize("expected", signal_reference.OWN["gpp"], ids=lambda each: each["str"][:24])
def test_every_us_section_decodes_as_the_reference_does(expected):
    assert {"str": expected["str"], **gpp.decode(expected["str"]).fields()} == expected


def test_the_reference_strings_show_every_state():
    shown = {name for each in signal_reference.OWN["gpp"] for name in each}

    assert {layout.prefix for layout in STATES.values()} <= shown
    assert {"usnat", "uspv1"} <= shown


def test_the_header_may_list_a_range():
    string = "~".join((header((6, 7), 9), "1YNN", us_section(*NATIONAL_2, version=2), us_section(*VIRGINIA)))

    assert list(gpp.decode(string).sections) == ["uspv1", "usnat", "usva"]


def test_a_header_without_sections_refuses_nothing():
    assert gpp.decode(header()).fields() == {}
    assert gpp.decode("DBAA").opt_out is False


def test_the_european_section_is_a_tc_string():
    string = f"{header(2, 9)}~{Tc().encode()}~{us_section(*VIRGINIA)}"

    found = gpp.decode(string)

    assert found.tcf_eu is not None
    assert found.fields()["tcfeuv2"]["pc"] == [1, 2, 7]
    assert found.opt_out is False


def test_canada_is_recognised_and_left_undecoded():
    found = gpp.decode(f"{header(5)}~CQ.anything")

    assert found.fields() == {"undecoded": ["tcfcav1"]}
    assert found.opt_out is False


@pytest.mark.parametrize(("number", "name"), [(1, "section-1"), (28, "section-28"), (900, "section-900")])
def test_an_unknown_section_is_named_and_counts_as_an_opt_out(number, name):
    found = gpp.decode(f"{header(number)}~whatever")

    assert found.undecoded == (name,)
    assert found.opt_out is True


def test_the_published_drafts_of_the_latest_states_are_left_undecoded():
    draft = gpp.decode(f"{header(24)}~{us_section(0, 0, 0, version=24)}")

    assert draft.undecoded == ("usmd",)
    assert draft.opt_out is True


def test_version_1_of_the_national_section_reads_in_both_lengths():
    short = gpp.decode(f"{header(7)}~{us_section(*NATIONAL_1)}").sections["usnat"]
    long = gpp.decode(f"{header(7)}~{us_section(*NATIONAL_2, version=1)}").sections["usnat"]

    assert short == long
    assert (short["Version"], len(short["SensitiveDataProcessing"]), short["MspaCoveredTransaction"]) == (1, 12, 1)


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        (f"{header(9)}~{us_section(*VIRGINIA)}", False),
        (f"{header(9)}~{us_section(1, 1, 1, 1, *VIRGINIA[4:])}", True),
        (f"{header(9)}~{us_section(1, 1, 1, 2, 1, *VIRGINIA[5:])}", True),
        (f"{header(7)}~{us_section(*NATIONAL_2, version=2)}", False),
        (f"{header(7)}~{us_section(*NATIONAL_2, version=2)}.{gpc_segment(False)}", False),
        (f"{header(7)}~{us_section(*NATIONAL_2, version=2)}.{gpc_segment(True)}", True),
        (f"{header(7)}~{us_section(*NATIONAL_2[:7], 1, *NATIONAL_2[8:], version=2)}", True),
        (f"{header(7, 9)}~{us_section(*NATIONAL_2, version=2)}~{us_section(1, 1, 1, 1, *VIRGINIA[4:])}", True),
        (f"{header(6)}~1YNN", False),
        (f"{header(6)}~1YYN", True),
        (f"{header(6)}~1---", False),
    ],
)
def test_one_refusal_in_any_section_is_an_opt_out(string, expected):
    assert gpp.decode(string).opt_out is expected


@pytest.mark.parametrize(
    ("string", "reason"),
    [
        ("", "empty"),
        (Tc().encode(), "not_base64url"),
        (text("0" * 24), "not_gpp"),
        (header(9, kind=2) + f"~{us_section(*VIRGINIA)}", "not_gpp"),
        (header(9, version=2) + f"~{us_section(*VIRGINIA)}", "unknown_version"),
        (header(9), "section_count"),
        (header(7, 9) + f"~{us_section(*VIRGINIA)}", "section_count"),
        (header(9) + f"~{us_section(*VIRGINIA)}" * 2, "section_count"),
        (header((9, 900)) + f"~{us_section(*VIRGINIA)}", "section_count"),
        (header(9) + "~", "empty"),
        (header(9)[:-2] + f"~{us_section(*VIRGINIA)}", "truncated"),
        (header(9) + "A" * 5 + f"~{us_section(*VIRGINIA)}", "trailing_bits"),
        (text("000011" + "000001" + "000000000001" + "0" * 60) + "~A", "number_too_large"),
        (header(9) + f"~{us_section(*VIRGINIA[:-4])}", "truncated"),
        (header(9) + f"~{us_section(*VIRGINIA, 1, 1, 1)}", "trailing_bits"),
        (header(9) + f"~{us_section(3, *VIRGINIA[1:])}", "bad_value"),
        (header(9) + f"~{us_section(*VIRGINIA, version=2)}", "unknown_section_version"),
        (header(7) + f"~{us_section(*NATIONAL_2, version=3)}", "unknown_section_version"),
        (header(7) + f"~{us_section(*NATIONAL_1, version=2)}", "truncated"),
        (header(9) + f"~{us_section(*VIRGINIA)}.{gpc_segment(False)}", "unknown_segment"),
        (header(7) + f"~{us_section(*NATIONAL_2, version=2)}.{text('101')}", "unknown_segment"),
        (header(7) + f"~{us_section(*NATIONAL_2, version=2)}.{text('0111')}", "trailing_bits"),
        (header(7) + f"~{us_section(*NATIONAL_2, version=2)}.", "empty"),
        (header(6) + "~1YN", "bad_us_privacy"),
        (header(6) + "~2YNN", "bad_us_privacy"),
        (header(6) + "~1yNN", "bad_us_privacy"),
        (header(2) + f"~{Tc(policy=3).encode()}", "stale_policy"),
    ],
)
def test_what_is_malformed_is_refused(string, reason):
    with pytest.raises(InvalidSignal) as caught:
        gpp.decode(string)

    assert caught.value.reason == reason
