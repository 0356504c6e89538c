"""Strict JSON (I-JSON, RFC 7493): refuse what two parsers could read differently.

Python's own ``json`` accepts NaN, duplicate members, lone surrogates and very deep nesting; on a path that ends in a
decision each of them is a way to make two systems see two different requests.
"""

import json
from itertools import accumulate
from typing import Any

import msgspec

MAX_BODY_BYTES = 256 * 1024
MAX_NUMBER = 2**53 - 1  # of either sign
_MAX_DEPTH = 32
_OUT_OF_RANGE = "A number lies outside the range that every JSON reader keeps exactly (2^53)."


class InvalidJson(ValueError):
    """Refusal of ambiguous JSON. The message never quotes the text."""


class BodyTooLarge(InvalidJson):
    """Refusal of a text longer than MAX_BODY_BYTES."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidJson("A member name occurs twice in one object.")
    return members


def _constant(name: str) -> Any:
    raise InvalidJson(f"{name} is not a JSON number.")


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MAX_NUMBER:
        raise InvalidJson(_OUT_OF_RANGE)
    return int(digits)


def _real(text: str) -> float | int:
    """Return a number with a fraction or an exponent; ``1e3`` and ``1000.0`` are the integer 1000, however written."""
    number = float(text)
    if abs(number) > MAX_NUMBER:
        raise InvalidJson(_OUT_OF_RANGE)
    return int(number) if number.is_integer() else number


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_real)


def loads(body: bytes) -> Any:
    """Parse ``body``. Raises InvalidJson (BodyTooLarge above 256 KiB) with a sentence fit for the caller."""
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"The body is larger than {MAX_BODY_BYTES // 1024} KiB.")
    return loads_of_any_size(body)


def loads_of_any_size(body: bytes) -> Any:
    """Parse a text whose size the caller has bounded. Raises InvalidJson."""
    # A body has at most as many levels as opening brackets: most bodies need no closer look.
    if len(body.translate(None, _NOT_OPENING)) > _MAX_DEPTH and _depth(body) > _MAX_DEPTH:
        raise InvalidJson(f"The body nests deeper than {_MAX_DEPTH} levels.")
    value = _plain(body)
    return _careful(body) if value is _NOT_PLAIN else value


class _Real(Exception):
    """A number with a fraction or an exponent: what it is worth is for the careful parser to say."""


def _refuse_real(_text: str) -> Any:
    raise _Real


_NOT_PLAIN: Any = object()
_NOT_OPENING = bytes(set(range(256)) - set(b"{["))
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 16  # 2^53 has sixteen digits
_decode, _encode = msgspec.json.Decoder(float_hook=_refuse_real).decode, msgspec.json.Encoder().encode


def _plain(body: bytes) -> Any:
    """Parse the usual body at C speed; return _NOT_PLAIN where only the careful parser can decide.

    Without a backslash every quote begins or ends a string, and writing the value again writes each of its strings with
    two quotes. So there are as many quotes in both exactly when no member was lost to a second one of the same name.
    """
    if b"\\" in body or _LONG_NUMBER in body.translate(_DIGITS_TO_ZERO):
        return _NOT_PLAIN
    try:
        value = _decode(body)
    except (_Real, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NOT_PLAIN  # the careful reader words the refusal
    return value if body.count(b'"') == _encode(value).count(b'"') else _NOT_PLAIN


def _careful(body: bytes) -> Any:
    try:
        text = body.decode()
        value = _decoder.decode(text)
    except UnicodeDecodeError as exc:
        raise InvalidJson("The body is not UTF-8.") from exc
    except json.JSONDecodeError as exc:
        raise InvalidJson(f"The body is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}.") from exc
    except RecursionError as exc:
        raise InvalidJson("The body nests too deeply.") from exc
    if "\\" in text:
        _refuse_lone_surrogates(value)
    return value


_document_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def loads_document(text: str) -> Any:
    """Parse a file's text, with numbers of any size. Raises InvalidJson; JSONDecodeError where it is no JSON."""
    try:
        return _document_decoder.decode(text)
    except RecursionError as exc:
        raise InvalidJson("It nests too deeply.") from exc


def loads_object(body: bytes) -> dict[str, Any]:
    """Parse ``body`` and demand an object at the top."""
    value = loads(body)
    if not isinstance(value, dict):
        raise InvalidJson("The body must be a JSON object.")
    return value


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as exc:
        raise InvalidJson("A string holds half of a surrogate pair.") from exc


_STEP = {0x7B: 1, 0x5B: 1, 0x7D: -1, 0x5D: -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_STEP))


def _depth(body: bytes) -> int:
    if b"\\" in body:
        return _careful_depth(body)
    # Without a backslash every quote begins or ends a string, so every other part is outside of strings.
    brackets = b"".join(body.split(b'"')[::2]).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets), initial=0))


def _careful_depth(body: bytes) -> int:
    depth = deepest = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest
