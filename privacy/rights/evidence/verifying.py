"""Verification of a request's evidence without the system it came from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit import signed_zip
from audit.jws import NotGenuine
from audit.log.verifying import is_sealed
from common.canonical import NotCanonical
from privacy.rights.evidence import manifest

FORMAT = "assent-request-evidence/1"
TYP = "assent-request-evidence+jws"
README = """\
Evidence of how one request of a person was answered, exported by Assent. It names the pseudonym and nothing else of the
person.

request.json    the request: right, law, dates, state
requester.json  for whom the requester asked, and when the address was proven; null for a session of the person
steps.json      each step with its time, who made it and its reasons
erasure.json    what an erasure did in each store, its line in the erasure ledger, and the verification query's result
recipients.json whom the controller has to inform (GDPR, Article 19); null of rights of which nobody is informed
blockers.json   why a part could not be done, until when
letters.json    what was sent, when; without the texts
audit.json      the events of the audit trail, each with its Merkle path (RFC 6962) to the anchor that sealed it
keys.json       the public keys as published when this file was made (JWK set)
manifest.jws    the SHA-256 of each file above, signed (JWS, Ed25519)

Check all of it with:  ./assent verify-receipt FILE.zip
"""


@dataclass(frozen=True)
class VerifiedErasure:
    """What an erasure did by its genuine evidence: rows and stores, and its line in the erasure ledger."""

    rows: int
    stores: int
    verified_stores: int | None  # None while it is not done, or as an older release verified it
    ledger_digest: str | None


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
    erasure: VerifiedErasure | None = None
    recipients: tuple[str, ...] | None = None


def is_one(files: Mapping[str, bytes]) -> bool:
    return "request.json" in files


def verify_request(data: bytes, *, trusted: Mapping[str, Any] | None = None) -> VerifiedRequest:
    """Check the bytes of an evidence file of a request. Raises NotGenuine with the reason.

    Each step must have its event in the audit trail: the steps of the file and the trail say the same. An erasure must
    have done what its last step says, and its verification have found nothing.
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
            len(events) - sealed, _erasure(files, steps), _recipients(files, steps),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, NotCanonical, ValueError, RecursionError) as exc:
        if isinstance(exc, NotGenuine):
            raise
        raise NotGenuine("The signed content is not the evidence of a request.") from None


def _check_steps(steps: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
    # A step's event says the state; others, as of officers who looked, do not.
    said = [event for event in events if "state" in event["details"]]
    if len(said) != len(steps) or not all(map(_is_of, said, steps)):
        raise NotGenuine("The steps are not those of the audit trail.")


def _is_of(event: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    """Return whether an event of the trail is that of a step: the same move, and every detail of it."""
    same = (event["action"], event["actor"]) == (f"request.{step['move']}", step["actor"])
    return same and event["details"].items() >= {"state": step["state"], **step["details"]}.items()


def _erasure(files: Mapping[str, bytes], steps: list[dict[str, Any]]) -> VerifiedErasure | None:
    """Check what an erasure did against the step that completed it. Raises NotGenuine."""
    said = json.loads(files.get("erasure.json", b"null"))
    done = next((step["details"] for step in steps if step["move"] == "complete"), None)
    if said is None:
        if done is not None and "manifest_sha256" in done:
            raise NotGenuine("The steps of the erasure are missing.")
        return None
    stores = {step["store"] for step in said["steps"]}
    ledger = said["ledger"]
    if said["verification"] != done:
        raise NotGenuine("The verification is not that of the step that completed the request.")
    if done is not None:
        _check_done(done, said)
    return VerifiedErasure(
        sum(step["rows"] for step in said["steps"]), len(stores), len(done["figures"]) or None if done else None,
        ledger["digest"] if ledger else None,
    )  # fmt: skip


def _check_done(done: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    if manifest.digest(said["steps"]) != done["manifest_sha256"]:
        raise NotGenuine("The steps of the erasure are not those that were completed.")
    if said["ledger"] != done.get("ledger"):
        raise NotGenuine("The line of the erasure ledger is another one.")
    if any(done["figures"].values()):
        raise NotGenuine("The verification found something left, and the request is done.")


def _recipients(files: Mapping[str, bytes], steps: list[dict[str, Any]]) -> tuple[str, ...] | None:
    """Check the list of recipients against the step that began the work. Raises NotGenuine."""
    named = next((step["details"]["recipients"] for step in steps if "recipients" in step["details"]), None)
    said = json.loads(files.get("recipients.json", b"null"))
    slugs = None if said is None else [each["recipient"] for each in said]
    if "recipients.json" in files and slugs != named:
        raise NotGenuine("The recipients are not those of the step that began the work.")
    return None if slugs is None else tuple(slugs)
