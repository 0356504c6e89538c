"""``./assent decode-signal``: show what a consent string says, or why it is refused."""

import json
import sys

from consent.signals import gpp, tcf
from consent.signals.bits import MAX_TEXT
from consent.signals.problems import InvalidSignal

KINDS = ("tcf", "gpp")
FROM_STDIN = "-"


def answer(kind: str, text: str) -> tuple[int, dict[str, object]]:
    """Return the exit status and the document to print."""
    try:
        return 0, tcf.decode(text).fields() if kind == "tcf" else gpp.decode(text).fields()
    except InvalidSignal as exc:
        return 1, {"valid": False, "reason": exc.reason, "detail": str(exc)}


def decode_signal(kind: str, text: str) -> tuple[int, str, str]:
    """Return the exit status, one line of JSON, and a sentence for the person if the string is refused."""
    status, document = answer(kind, _from_stdin() if text == FROM_STDIN else text)
    complaint = "" if status == 0 else f"This {kind.upper()} string cannot be relied on: {document['detail']}"
    return status, json.dumps(document), complaint


def _from_stdin() -> str:
    """Read one string; a little more than can be valid is enough to refuse it."""
    return sys.stdin.buffer.read(MAX_TEXT + 3).decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
