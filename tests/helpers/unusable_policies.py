"""Policies whose answer must never be taken for a decision, with the failure each of them is."""

import json
from typing import Any

from policies.bundles.loading import LoadedBundle
from policies.engines import EngineUnavailable, EngineUndefined
from tests.helpers.policy_engines import bundle_of

ANSWER = {
    "revision": "sha256:asked",
    "decision": True,
    "level": "individual",
    "reasons": [],
    "obligations": [],
    "legal_basis": "consent",
    "requestable": False,
}


def asked_of(policies: dict[str, str]) -> LoadedBundle:
    """The bundle these policies are all there is of."""
    return bundle_of({"revision": "sha256:asked"}, policies)


def answering(answer: str) -> dict[str, str]:
    return {"decision.rego": f"package governance.decision\n\n{answer}\n"}


def _with(**changes: Any) -> str:
    return "answer := " + json.dumps(ANSWER | changes)


UNUSABLE = {
    "undefined": (answering("answer := 1 if input.unheard_of"), EngineUndefined),
    "no rule": (answering("other := 1"), EngineUndefined),
    "no policies": (answering(""), EngineUndefined),
    "a number": (answering("answer := 5"), EngineUndefined),
    "a bare true": (answering("answer := true"), EngineUndefined),
    "an empty object": (answering("answer := {}"), EngineUndefined),
    "null": (answering("answer := null"), EngineUndefined),
    "a decision in words": (answering(_with(decision="true")), EngineUndefined),
    "a decision of 1": (answering(_with(decision=1)), EngineUndefined),
    "a decision of null": (answering(_with(decision=None)), EngineUndefined),
    "a level that is a number": (answering(_with(level=4)), EngineUndefined),
    "reasons that are codes": (answering(_with(reasons=["minor"])), EngineUndefined),
    "a reason too long for the log": (answering(_with(reasons=[{"code": "x" * 49}])), EngineUndefined),
    "a reason the log cannot hold": (answering(_with(reasons=[{"code": "a\x00b"}])), EngineUndefined),
    "a level the log cannot hold": (answering(_with(level="none\x00")), EngineUndefined),
    "obligations without a type": (answering(_with(obligations=[{"properties": {}}])), EngineUndefined),
    "no revision": (answering(_with(revision=None)), EngineUndefined),
    "another revision": (answering(_with(revision="sha256:other")), EngineUnavailable),
    "two values": (answering(_with() + "\n\n" + _with(decision=False)), EngineUndefined),
    "no Rego": (answering("answer := {"), EngineUndefined),
}
