"""JSON that two readers could understand differently is refused, and everything else is read as Python reads it."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.http import strict_json

NAMES = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=6)
EXACT = st.integers(-(2**53) + 1, 2**53 - 1)
REAL = st.floats(-(2**53) + 1, 2**53 - 1)
I_JSON = st.recursive(
    st.none() | st.booleans() | EXACT | REAL | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
SPACE = st.text(alphabet=" \t\r\n", max_size=2)


@given(value=I_JSON, escaped=st.booleans(), indent=st.sampled_from([None, 0, 2]))
@example(value={"a": '":'}, escaped=False, indent=None)
@example(value=[":x", " :x", "\\"], escaped=False, indent=None)
@example(value={"number": 2**53 - 1, "text": "1234567890123456789"}, escaped=False, indent=None)
def test_every_valid_document_is_read_as_python_reads_it(value: Any, escaped: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)

    assert strict_json.loads(text.encode()) == json.loads(text)


TOKENS = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        '"',
        '"a"',
        '"a":',
        '"b" :',
        "1",
        "1.0",
        "2e3",
        "1e99",
        str(2**53),
        "null",
        "\\",
        "\u00fc",
    ]
)


@given(st.lists(TOKENS, max_size=14).map("".join) | I_JSON.map(json.dumps), st.booleans())
@example('{"a":1,"a":2,"b" :3}', False)
@example('{"a":"b","a":"b","c":["d","e"]}', True)
def test_what_is_read_quickly_is_what_careful_reading_returns(text: str, twice: bool) -> None:
    body = (f'{{"x":{text},"y":{text}}}' if twice else text).encode()
    value = strict_json._plain(body)

    if value is not strict_json._NOT_PLAIN:
        assert repr(value) == repr(strict_json._careful(body))


def _spelled(name: str, escape: bool) -> str:
    return '"' + "".join(f"\\u{ord(c):04x}" for c in name) + '"' if escape else json.dumps(name, ensure_ascii=False)


@given(
    name=st.text(alphabet=st.characters(max_codepoint=0xD7FF), max_size=4),
    values=st.tuples(I_JSON, I_JSON),
    escapes=st.tuples(st.booleans(), st.booleans()),
    spaces=st.tuples(SPACE, SPACE, SPACE, SPACE),
    between=st.dictionaries(NAMES, I_JSON, max_size=2),
    around=st.sampled_from(["%s", "[%s]", '{"outer":%s}', '[":", %s]', '{"x": [{"y" : %s}]}']),
)
@example(name="a", values=(":b", 1), escapes=(False, False), spaces=("", "", "", ""), between={}, around="%s")
@example(name="a", values=(1, 1), escapes=(False, True), spaces=("", "", "", ""), between={}, around="%s")
@example(name="", values=({"": 0}, {}), escapes=(False, False), spaces=(" ", "\n", "", ""), between={}, around="%s")
def test_a_member_named_twice_is_always_refused(
    name: str,
    values: tuple[Any, Any],
    escapes: tuple[bool, bool],
    spaces: tuple[str, str, str, str],
    between: dict[str, Any],
    around: str,
) -> None:
    first, second = (_spelled(name, escape) for escape in escapes)
    others = "".join(f"{json.dumps(key)}: {json.dumps(value)}, " for key, value in between.items())
    members = (
        f"{first}{spaces[0]}:{spaces[1]}{json.dumps(values[0])}, {others}"
        f"{second}{spaces[2]}:{spaces[3]}{json.dumps(values[1], ensure_ascii=False)}"
    )

    with pytest.raises(strict_json.InvalidJson, match="occurs twice"):
        strict_json.loads((around % ("{" + members + "}")).encode())


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\r", " \r\n\t"], ids=repr)
@pytest.mark.parametrize("members", ['"a"%s:1,"a":2', '"a":1,"a"%s:2', '"a"%s:1,"a"%s:2', '"b"%s:0,"a":1,"a":2'])
def test_white_space_before_a_colon_hides_no_second_name(members: str, space: str) -> None:
    with pytest.raises(strict_json.InvalidJson, match="occurs twice"):
        strict_json.loads(("{" + members.replace("%s", space) + "}").encode())


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_refused_or_read_as_python_reads_them(body: bytes) -> None:
    try:
        value = strict_json.loads(body)
    except strict_json.InvalidJson:
        return
    assert value == json.loads(body)


@given(st.integers(), st.sampled_from(["%d", "[%d]", '{"a": %d}', '{"a" :[-0, %d]}', '["\\n", %d]']))
@example(2**53, "[%d]")
@example(-(2**53), "[%d]")
@example(2**60, '{"a": %d}')
def test_an_integer_is_exact_or_refused(number: int, around: str) -> None:
    body = (around % number).encode()

    if abs(number) < 2**53:
        assert strict_json.loads(body) == json.loads(body)
    else:
        with pytest.raises(strict_json.InvalidJson):
            strict_json.loads(body)


@given(REAL, st.sampled_from(["%s", "[%s]", '{"a": %s}', '{"a":[-0,%s]}', '["\\n", %s]']))
@example(3.0, '{"a":%s}')
@example(-1e15, "[%s]")
@example(5e-324, "[%s]")
def test_a_whole_number_is_an_integer_however_written(number: float, around: str) -> None:
    value = strict_json.loads((around % repr(number)).encode())

    while isinstance(value, dict | list):
        value = list(value.values() if isinstance(value, dict) else value)[-1]
    assert value == number
    assert isinstance(value, int) is number.is_integer()


@given(st.floats(min_value=2**53, allow_infinity=False) | st.floats(max_value=-(2**53), allow_infinity=False))
def test_a_real_past_the_exact_integers_is_refused(number: float) -> None:
    for around in ("%s", '{"a":%s}', '["\\n", %s]'):
        with pytest.raises(strict_json.InvalidJson, match="2\\^53"):
            strict_json.loads((around % repr(number)).encode())


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "not JSON"),
        (b"   ", "not JSON"),
        (b"{}{}", "Extra data"),
        (b'{"a": 1,}', "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[01]", "not JSON"),
        (b"[+1]", "not JSON"),
        (b"[1.]", "not JSON"),
        (b'["\x01"]', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b"[NaN]", "NaN is not"),
        (b"[Infinity]", "Infinity is not"),
        (b"[-Infinity]", "-Infinity is not"),
        (b"[1e999]", "2^53"),
        (b"[-1E+400]", "2^53"),
        (b"[1e16]", "2^53"),
        (b'{"a":-9007199254740992.0}', "2^53"),
        (b"[9007199254740992]", "2^53"),
        (b"[" + b"9" * 30 + b"]", "2^53"),
        (b"[" + b"9" * 5_000 + b"]", "2^53"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'["\\udc00\\ud800"]', "surrogate"),
        (b'["\xed\xa0\x80"]', "not UTF-8"),
        (b'["\xff"]', "not UTF-8"),
        (b"[" * 33 + b"]" * 33, "deeper than 32"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "deeper than 32"),
        (b"[" * 200_000, "deeper than 32"),
    ],
)
def test_what_is_not_one_thing_to_every_reader_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(strict_json.InvalidJson) as refusal:
        strict_json.loads(body)

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 32 + b"]" * 32,
        json.dumps(["[" * 100, "\\" + "{" * 100]).encode(),
        b'["\\ud83d\\ude00"]',
        b"[" + b"[],[]," * 50 + b"[]]",
    ],
    ids=["32 levels", "brackets in strings", "a whole surrogate pair", "many brackets, few levels"],
)
def test_what_only_looks_dangerous_is_read(body: bytes) -> None:
    assert strict_json.loads(body) == json.loads(body)


def test_the_limit_of_a_body_is_256_kib() -> None:
    largest = b'"' + b"a" * (256 * 1024 - 2) + b'"'

    assert strict_json.loads(largest) == "a" * (256 * 1024 - 2)
    with pytest.raises(strict_json.BodyTooLarge, match="256 KiB"):
        strict_json.loads(largest + b" ")


@pytest.mark.parametrize("body", [b'{"secret-name": 1, "secret-name": 2}', b'["secret-name\\ud800"]', b"[secret-name]"])
def test_a_refusal_never_quotes_the_text(body: bytes) -> None:
    with pytest.raises(strict_json.InvalidJson) as refusal:
        strict_json.loads(body)

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_where_an_object_is_wanted_nothing_else_will_do(body: bytes) -> None:
    assert strict_json.loads_object(b"{}") == {}
    with pytest.raises(strict_json.InvalidJson, match="must be a JSON object"):
        strict_json.loads_object(body)


@given(st.text(alphabet='[]{}",:a', max_size=80).map(str.encode) | I_JSON.map(lambda value: json.dumps(value).encode()))
def test_both_ways_to_tell_the_depth_agree(body: bytes) -> None:
    if b"\\" not in body:
        assert strict_json._depth(body) == strict_json._careful_depth(body)
