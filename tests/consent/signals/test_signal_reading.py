"""What a caller's signals amount to, and that doubt always falls on the person's side."""

from datetime import UTC, datetime

import pytest

from consent.signals import Signals, read
from tests.helpers.signal_encoders import Tc, header, us_section

NOTHING = Signals(gpc=False, gpp_opt_out=False, tcf_purposes=(), tcf_present=False)
REFUSED_SALE = f"{header(6)}~1YYN"
REFUSED_NOTHING = f"{header(6)}~1YNN"

# The strings below were created in November 2023.
SOON_AFTER = datetime(2023, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "signals", [{}, {"gpc": None, "gpp": None, "tcf": None, "tcf_purposes": None, "gpp_opt_out": None}, {"other": 1}]
)
def test_absent_signals_say_nothing(signals):
    assert read(signals) == NOTHING


@pytest.mark.parametrize(
    ("value", "is_set", "problems"),
    [
        (True, True, ()),
        (False, False, ()),
        ("1", True, ()),
        ("0", False, ()),
        ("true", True, ()),
        ("True ", True, ()),
        ("false", False, ()),
        ("", False, ()),
        (1, True, ("gpc_not_a_boolean",)),
        (0, True, ("gpc_not_a_boolean",)),
        ([], True, ("gpc_not_a_boolean",)),
    ],
)
def test_gpc_is_a_boolean_or_the_header(value, is_set, problems):
    found = read({"gpc": value})

    assert (found.gpc, found.problems) == (is_set, problems)


@pytest.mark.parametrize(
    ("signals", "opt_out", "problems"),
    [
        ({"gpp": REFUSED_NOTHING}, False, ()),
        ({"gpp": REFUSED_SALE}, True, ()),
        ({"gpp_opt_out": True}, True, ()),
        ({"gpp_opt_out": False, "gpp": REFUSED_SALE}, True, ()),
        ({"gpp_opt_out": True, "gpp": REFUSED_NOTHING}, True, ()),
        ({"gpp_opt_out": "no"}, True, ("gpp_opt_out_not_a_boolean",)),
        ({"gpp": ""}, True, ("gpp_empty",)),
        ({"gpp": 7}, True, ("gpp_not_a_string",)),
        ({"gpp": "D" * 40_000}, True, ("gpp_too_long",)),
        ({"gpp": f"{header(9)}~{us_section(1)}"}, True, ("gpp_truncated",)),
    ],
)
def test_an_unreadable_gpp_string_is_an_opt_out(signals, opt_out, problems):
    found = read(signals)

    assert (found.gpp_opt_out, found.problems) == (opt_out, problems)


@pytest.mark.parametrize(
    ("signals", "purposes", "problems"),
    [
        ({"tcf": Tc().encode()}, (1, 2, 7), ()),
        ({"tcf_purposes": [7, 1]}, (1, 7), ()),
        ({"tcf_purposes": []}, (), ()),
        ({"tcf": Tc().encode(), "tcf_purposes": [1, 3, 7]}, (1, 7), ()),
        ({"tcf": Tc(policy=3).encode(), "tcf_purposes": [1]}, (), ("tcf_stale_policy",)),
        ({"tcf": ""}, (), ("tcf_empty",)),
        ({"tcf": ["C"]}, (), ("tcf_not_a_string",)),
        ({"tcf": "\ud800"}, (), ("tcf_not_base64url",)),
        ({"tcf_purposes": [True]}, (), ("tcf_purposes_not_purposes",)),
        ({"tcf_purposes": [0]}, (), ("tcf_purposes_not_purposes",)),
        ({"tcf_purposes": "1"}, (), ("tcf_purposes_not_purposes",)),
        ({"gpp": f"{header(2)}~{Tc(consents=(1, 9)).encode()}"}, (1, 9), ()),
        ({"gpp": f"{header(2)}~{Tc(consents=(1, 9)).encode()}", "tcf": Tc().encode()}, (1,), ()),
    ],
)
def test_only_purposes_in_every_readable_source_are_consented_to(signals, purposes, problems):
    found = read(signals, now=SOON_AFTER)

    assert (found.tcf_present, found.tcf_purposes, found.problems) == (True, purposes, problems)


def test_the_same_string_reads_the_same_again():
    signals = {"tcf": Tc().encode(), "gpp": REFUSED_SALE, "gpc": True}

    assert read(signals) == read(dict(signals))
