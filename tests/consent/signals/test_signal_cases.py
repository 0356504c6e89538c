"""Strings from public reports whose meaning was read wrongly elsewhere, each with its right value.

Kinds: a refusal in a field besides the opt-outs (a known child's consent), validity that depends on the day a string
was created and not on its policy, and age of a string, which only a reader with a clock can judge.
"""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from consent.register.jurisdictions import match
from consent.signals import gpp, read, tcf
from consent.signals.problems import InvalidSignal
from consent.signals.us_sections import NATIONAL, NATIONAL_VERSION_1, STATES
from tests.helpers.signal_encoders import Tc, gpc_segment, header, us_section

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


LISTED = {number: layout for number, layout in {NATIONAL: NATIONAL_VERSION_1, **STATES}.items() if number != 24}
NOTICES = [
    (name, number) for number, layout in LISTED.items() for name in gpp.OPT_OUT_FIELDS if name in dict(layout.values)
]


def _section_of(number: int, **values: int) -> str:
    """Return a GPP string of one section, all zeros but for the values."""
    layout = LISTED[number]
    spread = [values.get(name, 0) for name, length in layout.values for _ in range(length or 1)]
    return f"{header(number)}~{us_section(*spread)}"


@pytest.mark.parametrize(("field", "number"), NOTICES)
def test_an_answer_counts_with_its_notice(field: str, number: int) -> None:
    """The reference encoder refuses to write the combinations that are read as an opt-out here."""
    for notice, answer in itertools.product(range(3), repeat=2):
        found = gpp.decode(_section_of(number, **{f"{field}Notice": notice, field: answer}))

        assert found.undecoded == ()
        assert found.opt_out is ((notice, answer) not in {(0, 0), (1, 2)}), (notice, answer)


@pytest.mark.parametrize("number", LISTED)
@pytest.mark.parametrize("name", ["SensitiveDataProcessing", "PersonalDataConsents", "MspaServiceProviderMode"])
def test_what_is_no_answer_to_a_sale_is_no_opt_out(number: int, name: str) -> None:
    assert gpp.decode(_section_of(number, **{name: 1})).opt_out is False


@pytest.mark.parametrize("number", [number for number, layout in LISTED.items() if layout.has_gpc])
def test_the_gpc_segment_of_any_section_is_an_opt_out(number: int) -> None:
    section = _section_of(number)

    assert gpp.decode(f"{section}.{gpc_segment(True)}").opt_out is True
    assert gpp.decode(f"{section}.{gpc_segment(False)}").opt_out is False


@pytest.mark.parametrize("policy", [4, 5])
@pytest.mark.parametrize(
    ("created", "is_refused"),
    [(datetime(2026, 2, 28, tzinfo=UTC), False), (datetime(2026, 3, 1, tzinfo=UTC), True)],
)
def test_the_day_of_creation_decides_under_either_policy(policy: int, created: datetime, is_refused: bool) -> None:
    moment = int(created.timestamp() * 10)
    string = Tc(created=moment, updated=moment, policy=policy, disclosed=None).encode()

    found = read({"tcf": string}, now=datetime(2026, 4, 1, tzinfo=UTC))

    assert found.problems == (("tcf_vendors_not_disclosed",) if is_refused else ())


@pytest.mark.parametrize(
    ("updated", "last_day"),
    [
        ((2025, 1, 31), (2026, 2, 28)),
        ((2025, 1, 28), (2026, 2, 28)),
        ((2025, 2, 28), (2026, 3, 28)),
        ((2024, 2, 29), (2025, 3, 29)),
        ((2027, 1, 31), (2028, 2, 29)),
        ((2025, 3, 31), (2026, 4, 30)),
        ((2025, 11, 30), (2026, 12, 30)),
        ((2025, 12, 31), (2027, 1, 31)),
    ],
)
def test_thirteen_months_end_with_their_last_day(updated: tuple[int, ...], last_day: tuple[int, ...]) -> None:
    moment = int(datetime(*updated, tzinfo=UTC).timestamp() * 10)
    string = Tc(created=moment, updated=moment).encode()
    end = datetime(*last_day, 23, 59, 59, tzinfo=UTC)

    assert read({"tcf": string}, now=end).problems == ()
    assert read({"tcf": string}, now=end + timedelta(seconds=1)).problems == ("tcf_stale",)


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
