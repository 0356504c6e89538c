"""Contract of a policy engine: what it is asked and must answer. Anything else is a failure, every failure a deny."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol

import msgspec

from policies.bundles.packages import CONSENT

if TYPE_CHECKING:  # the replaying processes of a simulation load no Django
    from policies.bundles.loading import LoadedBundle

QUERY = f"data.{CONSENT}.answer"


class EngineFailure(Exception):
    """Failure to give an answer that can be used; ``reason`` is the stable code of the denial."""

    reason: ClassVar[str]


class EngineUnavailable(EngineFailure):
    reason = "engine_unavailable"


class EngineTimeout(EngineFailure):
    reason = "engine_timeout"


class EngineUndefined(EngineFailure):
    """Failure of a rule that was undefined, or whose value is not an answer."""

    reason = "engine_undefined"


# What a rule may answer with: the log's columns hold it, so a value that does not fit is no answer.
Code = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_.-]{1,48}\Z")]
LevelName = Annotated[str, msgspec.Meta(pattern=r"\A[a-z_]{1,16}\Z")]


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    code: Code
    detail: str | None = None


class Obligation(msgspec.Struct, frozen=True):
    type: str
    properties: dict[str, Any]


class Verdict(msgspec.Struct, frozen=True):
    """The policy's answer. ``level`` is None for actions other than ``personalize``."""

    revision: str
    decision: bool
    level: LevelName | None
    reasons: list[Reason]
    obligations: list[Obligation]
    legal_basis: str | None
    requestable: bool


class Engine(Protocol):
    """Evaluator of facts (JSON bytes) under one revision. Raises EngineFailure; never returns a guess.

    ``query`` names the rule that answers; each package has its own.
    """

    name: str

    def evaluate(self, bundle: "LoadedBundle", facts: bytes, query: str = QUERY) -> Verdict: ...


_decoder = msgspec.json.Decoder(Verdict)


def read_verdict(answer: str | bytes, revision: str) -> Verdict:
    """Decode an engine's answer strictly. Raises EngineUndefined, or EngineUnavailable for another revision's."""
    try:
        verdict = _decoder.decode(answer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise EngineUndefined("The engine's answer is not a decision.") from exc
    if verdict.revision != revision:
        raise EngineUnavailable("The engine answered for another revision.")
    return verdict
