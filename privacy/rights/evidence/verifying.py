"""Verification of a request's evidence without the system it came from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit import signed_zip
from audit.jws import NotGenuine
from audit.log.verifying import is_sealed
from common.canonical import NotCanonical

FORMAT = "assent-request-evidence/1"
TYP = "assent-request-evidence+jws"
README = """\
Evidence of how one request of a person was answered, exported by Assent. It names the pseudonym and nothing else of the
person.

request.json    the request: right, law, dates, state
requester.json  for whom the requester asked, and when the address was proven; null for a session of the person
steps.json      each step with its time, who made it and its reasons
blockers.json   why a part could not be done, until when
letters.json    what was sent, when; without the texts
audit.json      the events of the audit trail, each with its Merkle path (RFC 6962) to the anchor that sealed it
keys.json       the public keys as published when this file was made (JWK set)
manifest.jws    the SHA-256 of each file above, signed (JWS, Ed25519)

Check all of it with:  ./assent verify-receipt FILE.zip
"""


@dataclass(frozen=True)
class VerifiedRequest:
    """Content of a genuine evidence file of a request."""

    request: str
    right: str
    state: str
    created_at: str
    kid: str
    steps: int
    sealed_events: int
    unsealed_events: int


def is_one(files: Mapping[str, bytes]) -> bool:
    return "request.json" in files


def verify_request(data: bytes, *, trusted: Mapping[str, Any] | None = None) -> VerifiedRequest:
    """Check the bytes of an evidence file of a request. Raises NotGenuine with the reason.

    Each step must have its event in the audit trail: the steps of the file and the trail say the same.
    """
    files, manifest, kid = signed_zip.read(data, typ=TYP, trusted=trusted)
    try:
        request, steps, events = (json.loads(files[f"{name}.json"]) for name in ("request", "steps", "audit"))
        if any(entry["event"]["object"] != manifest["request"] for entry in events):
            raise NotGenuine("An event of the audit trail is about another request.")
        _check_steps(steps, [entry["event"] for entry in events])
        sealed = sum(is_sealed(entry) for entry in events)
        return VerifiedRequest(
            manifest["request"], request["right"], request["state"], manifest["created_at"], kid, len(steps), sealed,
            len(events) - sealed,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, NotCanonical, ValueError, RecursionError) as exc:
        if isinstance(exc, NotGenuine):
            raise
        raise NotGenuine("The signed content is not the evidence of a request.") from None


def _check_steps(steps: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
    moves = [(f"request.{step['move']}", step["actor"], step["state"]) for step in steps]
    # A step's event says the state; others, as of officers who looked, do not.
    said = [(e["action"], e["actor"], e["details"]["state"]) for e in events if "state" in e["details"]]
    if said != moves:
        raise NotGenuine("The steps are not those of the audit trail.")
