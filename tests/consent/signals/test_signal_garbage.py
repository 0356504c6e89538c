"""Whatever stands in a string, only InvalidSignal comes out, and soon."""

import time

import pytest
from hypothesis import strategies as st

from consent.signals import gpp, read, tcf
from consent.signals.problems import InvalidSignal
from tests.helpers import signal_reference
from tests.helpers.scale import property_test
from tests.helpers.signal_encoders import ALPHABET, Tc, header, integer, text, vendor_ranges

DECODERS = {"tcf": tcf.decode, "gpp": gpp.decode}
HONEST = [(kind, each["str"]) for kind in DECODERS for each in signal_reference.OWN[kind]]
LETTERS = st.sampled_from(ALPHABET + ".~") | st.characters()


def decodes_or_is_refused(kind: str, string: str) -> None:
    """Decode the string; any error but InvalidSignal fails the test by itself."""
    refusal = None
    try:
        DECODERS[kind](string).fields()
    except InvalidSignal as exc:
        refusal = exc

    if refusal is not None:
        assert refusal.reason.replace("_", "").isalnum()
        assert len(string) < 8 or string not in str(refusal)


@property_test(
    400,
    40_000,
    honest=st.sampled_from(HONEST),
    at=st.integers(0, 2000),
    letters=st.lists(LETTERS, max_size=4),
    cut=st.booleans(),
)
def test_a_changed_string_is_read_or_refused(honest, at, letters, cut):
    kind, string = honest
    at %= len(string)
    changed = string[:at] + "".join(letters) + ("" if cut else string[at + 1 :])

    decodes_or_is_refused(kind, changed)


@property_test(200, 20_000, kind=st.sampled_from(sorted(DECODERS)), string=st.text(LETTERS, max_size=300))
def test_garbage_is_read_or_refused(kind, string):
    decodes_or_is_refused(kind, string)


@property_test(
    150,
    15_000,
    signals=st.dictionaries(
        st.sampled_from(["gpc", "gpp", "gpp_opt_out", "tcf", "tcf_purposes", "other"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.binary(),
    ),
)
def test_reading_signals_never_raises(signals):
    found = read(signals)

    assert isinstance(found.gpp_opt_out, bool)
    assert all(1 <= purpose <= 24 for purpose in found.tcf_purposes)


@pytest.mark.parametrize(
    ("kind", "string"),
    [
        (
            "tcf",
            Tc(vendor_consents=vendor_ranges(65535, (1, 65535)), disclosed=vendor_ranges(65535, (1, 65535))).encode(),
        ),
        ("tcf", "C" + "." * 32_000),
        ("tcf", "C" * 10_000_000),
        ("gpp", header(9) + "~" * 32_000),
        ("gpp", text(integer(3, 6) + integer(1, 6) + integer(4095, 12) + "0" * 190_000)),
        ("gpp", text(integer(3, 6) + integer(1, 6) + integer(4000, 12) + "011" * 4000) + "~1---" * 4000),
    ],
    ids=["whole ranges", "dots", "ten megabytes", "tildes", "endless number", "four thousand sections"],
)
def test_hostile_strings_cost_little(kind, string):
    began = time.thread_time()  # how busy the machine is does not count

    decodes_or_is_refused(kind, string)

    assert time.thread_time() - began < 0.5
