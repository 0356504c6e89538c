"""Strings from public reports whose meaning was read wrongly elsewhere, each with its right value.

Kinds: a refusal in a field besides the opt-outs (a known child's consent), validity that depends on the day a string
was created and not on its policy, and age of a string, which only a reader with a clock can judge.
"""

from datetime import UTC, datetime

import pytest

from consent.register.jurisdictions import match
from consent.signals import gpp, read, tcf
from consent.signals.problems import InvalidSignal
from tests.helpers.signal_encoders import Tc, header

TRIED = datetime(2026, 11, 28, 12, tzinfo=UTC)
CHILDREN = {
    "usca": "DBABBg~BVoAABQA",
    "usnat, version 1": "DBABLA~BAAAAAAAUAA",
    "usnat, version 2, 16 and 17 only": "DBABLA~CAAAAAAAAAQA",
    "usct": "DBABVg~BVoAAFQA",
    "usde": "DBABUw~BVoAABVQAA",
    "usfl": "DBABAw~BVoAAFQA",
    "usmt": "DBABQw~BVoAAFQA",
    "usor": "DBABIw~BVoAAAFQAA",
    "usnh": "DBABKw~BVoAAFQA",
    "usnj": "DBABAYA~BVoAAAVUAA",
    "usva": "DBABRg~BVoAAEA",
    "usco": "DBABJg~BVoAAQA",
    "usut": "DBABFg~BVaAABAA",
    "ustx": "DBABEw~BVoAAEAA",
    "usia": "DBABCw~BVaAABAA",
    "usne": "DBABSw~BVoAAEAA",
    "ustn": "DBABQYA~BVoAAEAA",
    "usmn": "DBABIYA~BVoAAEAA",
}
CREATED_2024 = "CP_h-0AP_h-0AAKABBDEBkEgAOAAAAAAAAYgAFEBAAAAAAAA"
CREATED_2025 = "CQSU_AAQSU_AAAKABBDEBkEgAOAAAAAAAAYgAFEBAAAAAAAA"
CREATED_JUNE_2026 = "CQlH_MAQlH_MAAKABBDEBkEgAOAAAAAAAAYgAFEBAAAAAAAA"
CREATED_2030 = "CRwXS4ARwXS4AAKABBDEBkFgAOAAAAAAAAYgAFEBAAAAAAAA.IABE"


@pytest.mark.parametrize("string", CHILDREN.values(), ids=CHILDREN)
def test_no_consent_for_a_known_child_is_an_opt_out(string: str) -> None:
    assert read({"gpp": string}).gpp_opt_out
    assert gpp.decode(string).undecoded == (), "read for what it says, and not as unreadable"


@pytest.mark.parametrize(("consents", "expected"), [((0, 0), False), ((2, 2), False), ((2, 1), True), ((1, 2), True)])
def test_only_a_missing_consent_of_a_child_opts_out(consents: tuple[int, int], expected: bool) -> None:
    fields = {"SaleOptOut": 2, "KnownChildSensitiveDataConsents": list(consents)}

    assert gpp.GppString({"usca": fields}, None, ()).opt_out is expected


@pytest.mark.parametrize(("value", "expected"), [(0, False), (1, True), (2, False)])
def test_the_late_states_single_child_consent_counts(value: int, expected: bool) -> None:
    fields = {"SaleOptOut": 2, "KnownChildSensitiveDataConsents": value}

    assert gpp.GppString({"usin": fields}, None, ()).opt_out is expected


@pytest.mark.parametrize(
    ("string", "expected"), [("DBABTA~1---", False), ("DBABTA~1NYY", True), ("DBABTA~1YNN", False)]
)
def test_a_us_privacy_string_tells_no_answer_from_an_opt_out(string: str, expected: bool) -> None:
    assert read({"gpp": string}).gpp_opt_out is expected


def test_maryland_before_its_text_is_final_counts_as_an_opt_out() -> None:
    found = gpp.decode("DBABEYA~YBAABJWg")

    assert (found.undecoded, found.opt_out) == (("usmd",), True)


def test_a_string_of_after_the_deadline_must_disclose_vendors() -> None:
    with pytest.raises(InvalidSignal) as caught:
        tcf.decode(CREATED_JUNE_2026)

    assert caught.value.reason == "vendors_not_disclosed"
    found = read({"tcf": CREATED_JUNE_2026}, now=TRIED)
    assert (found.tcf_purposes, found.problems) == ((), ("tcf_vendors_not_disclosed",))


def test_a_string_of_before_the_deadline_need_not_disclose_vendors() -> None:
    found = read({"tcf": CREATED_2025}, now=datetime(2026, 4, 1, tzinfo=UTC))

    assert (found.tcf_purposes, found.problems) == ((1, 2, 3), ())


@pytest.mark.parametrize(
    ("string", "problem"),
    [
        (CREATED_2024, "stale"),
        (CREATED_2025, "stale"),
        (CREATED_2030, "in_the_future"),
        (Tc(created=0, updated=0).encode(), "stale"),
    ],
)
def test_a_string_too_old_or_from_the_future_consents_to_nothing(string: str, problem: str) -> None:
    found = read({"tcf": string}, now=TRIED)

    assert (found.tcf_present, found.tcf_purposes, found.problems) == (True, (), (f"tcf_{problem}",))


def test_the_european_section_of_a_gpp_string_ages_too() -> None:
    found = read({"gpp": f"{header(2)}~{CREATED_2024}", "tcf_purposes": [1]}, now=TRIED)

    assert (found.gpp_opt_out, found.tcf_purposes, found.problems) == (False, (), ("gpp_tcf_stale",))


@pytest.mark.parametrize(
    ("now", "stale"), [(datetime(2026, 7, 1, 23, tzinfo=UTC), False), (datetime(2026, 7, 2, tzinfo=UTC), True)]
)
def test_thirteen_months_are_counted_by_the_calendar(now: datetime, stale: bool) -> None:
    assert ("tcf_stale" in read({"tcf": CREATED_2025}, now=now).problems) is stale


def test_a_string_from_old_encoders_with_more_zeros_is_refused() -> None:
    # Zeros carry no meaning, and no text limits them; the refusal is documented and the safe answer.
    with pytest.raises(InvalidSignal) as caught:
        tcf.decode("CQM0UsAQM0UsAGXABBENBdFgALAAAENAAAAAFyQAQFyAXJABAXIAAAAAAA")

    assert caught.value.reason == "trailing_bits"


def test_minnesota_binds_to_opt_out_signals() -> None:
    # Minn. Stat. 325M.14; in force since 31 July 2025.
    law = match("US-MN").pack

    assert (law.slug, law.effective_from.isoformat()) == ("us-mn", "2025-07-31")
    assert set(law.binding_signals) == {"gpc", "gpp"}
