"""Signed messages of agents: base64 of an Ed25519 signature (RFC 8032) and the JSON it signs.

The order of checks is the protocol's: base64, signature under the key of the agent behind the token, agent, business,
time. The first that fails ends the reading.
"""

import binascii
from base64 import b64decode
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.http import strict_json
from common.http.problems import Problem
from privacy.rights.drp.models import Agent

MAX_BYTES = 64 * 1024
_SIGNATURE_BYTES = 64
# Clocks of agents may go ahead of ours a little. The protocol advises ten minutes of life, and sets no maximum.
_SKEW = timedelta(seconds=30)
_LONGEST = timedelta(hours=1)


class MessageRefused(Problem):
    """Refusal of a message that is not what its agent signed for this business and this moment."""

    status = 400
    code = "drp_message"
    title = "The message cannot be accepted"


class _Read(BaseModel):
    """Base of what is read: members that the protocol does not name are left unread, as its versions add some."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, strict=True)


Exercise = Literal["sale:opt-out", "sale:opt-in", "deletion", "access", "access:categories", "access:specific"]


class Envelope(_Read):
    """Members that every message has. Times are ISO 8601 with a zone."""

    agent_id: Annotated[str, Field(alias="agent-id", max_length=64)]
    business_id: Annotated[str, Field(alias="business-id", max_length=128)]
    issued_at: Annotated[datetime, Field(alias="issued-at", strict=False)]
    expires_at: Annotated[datetime, Field(alias="expires-at", strict=False)]


class Person(_Read):
    """Identity as schema.org/Person has it; ``email`` is what is matched here."""

    name: Annotated[str, Field(max_length=200)] = ""
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
    email_verified: bool = False


class RightsMessage(Envelope, Person):
    """Request to exercise a right, with the identity of the person in the same object."""

    version: Annotated[Literal["1.0"], Field(alias="drp.version")]
    exercise: Exercise
    agent_request_id: Annotated[str, Field(alias="agent-request-id", max_length=128)] = ""
    regime: Literal["ccpa", "voluntary", ""] | None = None
    relationships: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=16)] = []
    status_callback: Annotated[str, Field(max_length=1000)] = ""


ReadT = TypeVar("ReadT", bound=_Read)


class RevokeMessage(_Read):
    reason: Annotated[str, Field(max_length=1000)] = ""


def read(body: bytes, agent: Agent, now: datetime) -> dict[str, Any]:
    """Return the signed document of an agent's message, checked in the protocol's order. Raises MessageRefused."""
    try:
        raw = b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MessageRefused("The body must be base64 of a signature and the JSON it signs.") from None
    signed = raw[_SIGNATURE_BYTES:]
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(agent.verify_key))
        key.verify(raw[:_SIGNATURE_BYTES], signed)
    except (InvalidSignature, ValueError):
        raise MessageRefused("The signature is not one of this agent's key.") from None
    try:
        document = strict_json.loads_object(signed)
    except strict_json.InvalidJson:
        raise MessageRefused("What is signed is not a JSON object.") from None
    _check(read_as(Envelope, document), agent, now)
    return document


def read_as(model: type[ReadT], document: dict[str, Any]) -> ReadT:
    """Return a document as ``model``. Raises MessageRefused naming the members, never their values."""
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        names = sorted({".".join(map(str, error["loc"])) for error in exc.errors(include_input=False)})
        raise MessageRefused(
            f"These members are missing or not as the protocol has them: {', '.join(names)}."
        ) from None


def _check(envelope: Envelope, agent: Agent, now: datetime) -> None:
    if envelope.agent_id != agent.slug:
        raise MessageRefused("agent-id is not the agent of this token.")
    if envelope.business_id != settings.DRP_BUSINESS_ID:
        raise MessageRefused("business-id is not this business.")
    if envelope.issued_at.tzinfo is None or envelope.expires_at.tzinfo is None:
        raise MessageRefused("issued-at and expires-at need a time zone.")
    if envelope.issued_at > now + _SKEW:
        raise MessageRefused("issued-at lies ahead.")
    if not now < envelope.expires_at <= envelope.issued_at + _LONGEST:
        raise MessageRefused("expires-at has passed, or is more than an hour after issued-at.")
