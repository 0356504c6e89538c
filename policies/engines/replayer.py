"""Replayer process that answers fact sheets under one or two revisions: a candidate policy is not trusted to end.

It is started by ``policies.simulation.processes`` with an empty environment, knows no database and loads no Django. It
reads a line of JSON with the revisions, then batches: a line with their length, and so many lines ``1FACTS`` (answer
under the first revision) or ``2FACTS`` (under both). It answers a line per fact sheet, two answers with a tab between.
"""

import contextlib
import resource
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, cast

import msgspec

from policies.engines.base import EngineFailure
from policies.engines.embedded import EmbeddedEngine

if TYPE_CHECKING:
    from policies.bundles.loading import LoadedBundle

FAILED = b"!"
_MEMORY_BYTES = 2 * 1024**3
_encode = msgspec.json.Encoder().encode
Ask = Callable[[bytes], bytes]


class Rules(msgspec.Struct, frozen=True):
    """A revision as an engine needs it."""

    revision: str
    policies: dict[str, str]
    data_json: str


def asking(rules: Rules) -> Ask:
    """Return a function from a fact sheet to a verdict as JSON, or to ``!`` and a line why there is none."""
    engine, bundle = EmbeddedEngine(), cast("LoadedBundle", rules)

    def ask(facts: bytes) -> bytes:
        try:
            return _encode(engine.evaluate(bundle, facts))
        except EngineFailure as failed:
            return FAILED + b" ".join(str(failed).encode(errors="replace").split())

    return ask


def main() -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    revisions = msgspec.json.decode(questions.readline(), type=list[Rules])
    asks = [asking(rules) for rules in revisions]
    while length := questions.readline():
        _answer_batch([questions.readline() for _ in range(int(length))], asks, answers)


def _answer_batch(batch: list[bytes], asks: list[Ask], answers: IO[bytes]) -> None:
    for line in batch:
        wanted = asks[: int(line[:1])]
        answers.write(b"\t".join([ask(line[1:].rstrip(b"\n")) for ask in wanted]) + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
