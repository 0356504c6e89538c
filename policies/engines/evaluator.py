"""Evaluator process of ``isolated``: a rule that does not end is ended with its process.

Started with an empty environment; knows no database. Frames both ways: length (4 bytes), kind (1 byte), content. The
processor time of each evaluation is limited by a timer of the kernel, because the engine looks at no clock.
"""

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

import msgspec

from policies.engines.base import EngineUndefined
from policies.engines.embedded import EmbeddedEngine, explain
from policies.engines.replayer import Rules

if TYPE_CHECKING:
    from policies.bundles.loading import LoadedBundle

LOAD: Final = b"L"  # a revision, taken in place of the oldest where there are more than KEPT
ASK: Final = b"Q"  # revision, query and facts, a line each
EXPLAIN: Final = b"E"  # revision and an ``ExplainRequest``, a line each
ANSWER: Final = b"A"
NO_ANSWER: Final = b"N"  # why, in a line
KEPT: Final = 4
_HEAD: Final = 5
# An explanation asks about every rule, and parses the policy once more.
_EXPLAINING = 4
# The engine reserves 1 GiB of addresses at its start, however little it uses.
_MEMORY_BYTES = 2 * 1024**3
_Held = dict[str, Rules]


class ExplainRequest(msgspec.Struct, frozen=True):
    """Arguments of ``embedded.explain``."""

    facts: str
    package: str
    more: str
    rules: list[str]


def frame(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "little") + kind + content


def read_frame(descriptor: int) -> tuple[bytes, bytes]:
    """Read one frame. Raises EOFError where the other side has gone."""
    head = _read(descriptor, _HEAD)
    return head[4:], _read(descriptor, int.from_bytes(head[:4], "little"))


def _read(descriptor: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = os.read(descriptor, size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def main(timeout_s: float) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for who started this process
    engine, held = EmbeddedEngine(), cast("_Held", {})
    with contextlib.suppress(EOFError):
        while True:
            kind, content = read_frame(0)
            if kind == LOAD:
                _load(held, content)
            elif kind == EXPLAIN:
                _send(_explanation(held, content, timeout_s * _EXPLAINING))
            else:
                _send(_answer(engine, held, content, timeout_s))


def _load(held: _Held, content: bytes) -> None:
    rules = msgspec.json.decode(content, type=Rules)
    held[rules.revision] = rules
    for old in list(held)[:-KEPT]:
        del held[old]


def _answer(engine: EmbeddedEngine, held: _Held, content: bytes, timeout_s: float) -> bytes:
    revision, query, facts = content.split(b"\n", 2)
    bundle, rule = cast("LoadedBundle", held[revision.decode()]), query.decode()
    try:
        engine.prepare(bundle, rule)
    except EngineUndefined as failed:
        return _no_answer(failed)
    return _guarded(lambda: engine.answer(bundle, facts, rule).encode(), timeout_s)


def _explanation(held: _Held, content: bytes, timeout_s: float) -> bytes:
    revision, encoded = content.split(b"\n", 1)
    bundle, request = cast("LoadedBundle", held[revision.decode()]), msgspec.json.decode(encoded, type=ExplainRequest)

    def work() -> bytes:
        found = explain(bundle, request.facts.encode(), package=request.package, more=request.more, rules=request.rules)
        return msgspec.json.encode(found)

    return _guarded(work, timeout_s)


def _guarded(work: Callable[[], bytes], timeout_s: float) -> bytes:
    """Return the frame to answer with; the process ends where the work takes too long."""
    signal.setitimer(signal.ITIMER_PROF, timeout_s)  # SIGPROF has no handler
    try:
        return frame(ANSWER, work())
    except EngineUndefined as failed:
        return _no_answer(failed)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _no_answer(failed: EngineUndefined) -> bytes:
    return frame(NO_ANSWER, " ".join(str(failed).split()).encode(errors="replace"))


def _send(content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(1, left) :]


if __name__ == "__main__":
    main(float(sys.argv[1]))
