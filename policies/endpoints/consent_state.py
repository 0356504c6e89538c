"""Consent state of a person, for every purpose, as a bare endpoint: the one statement decisions read, too.

The ordinary view in ``consent.views`` describes the same answer for the OpenAPI document and answers alike.
"""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from consent.ledger.selectors import ask_again_at, state_now
from consent.pseudonyms import subject_ref
from policies.bundles import loading
from policies.bundles.loading import PurposeFacts
from policies.decisions import information
from policies.decisions.information import Information, InformationUnavailable
from policies.endpoints import wsgi
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Environ, Refused, StartResponse

PATH = "/api/v1/consents/state"
_SCOPE = "consents"
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_encode = msgspec.json.Encoder().encode


class _Subject(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    type: str = "data_subject"
    region: str | None = None

    def __post_init__(self) -> None:
        if not (0 < len(self.id) <= 256 and 0 < len(self.type) <= 64):
            raise ValueError("too long, or empty")
        if self.region is not None and not _REGION.fullmatch(self.region):
            raise ValueError("no region")


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    subject: _Subject


def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer ``POST /api/v1/consents/state``."""
    headers = wsgi.common_headers(environ)
    try:
        body = _encode(_answer(environ))
    except Refused as refused:
        return wsgi.refuse(refused, headers, start_response)
    return wsgi.respond(200, body, headers, start_response)


def _answer(environ: Environ) -> dict[str, Any]:
    token = wsgi.token_of(environ)
    document = wsgi.read_document(environ)
    try:
        subject = msgspec.convert(document, _Asked).subject
    except msgspec.ValidationError:
        _known_to(token, information.NOBODY)
        detail = "Send {'subject': {'id': ...}}, with type and region where you know them, and nothing else."
        raise Refused(400, "invalid_request", detail) from None
    known = _known_to(token, subject_ref(subject.id, subject_type=subject.type))
    purposes = _purposes_in_force(known)
    now = time.time()
    return {
        "known": known.subject_revision is not None,
        "subject_revision": known.subject_revision or 0,
        "opted_out_by_signal": known.gpc,
        "purposes": {slug: _state(slug, facts, known, now) for slug, facts in purposes.items()},
    }


def _known_to(token: str, ref: Any) -> Information:
    """Read the person for a caller who may know. Raises Refused (401, 403, 503)."""
    try:
        known = information.read(ref, token_hash(token), _SCOPE.encode())
    except InformationUnavailable:
        raise Refused(503, "unavailable", "The database does not answer; send the request again.") from None
    wsgi.check(known.caller, valid=known.credential_valid, has_scope=known.has_scope, scope=_SCOPE)
    return known


def _purposes_in_force(known: Information) -> Mapping[str, PurposeFacts]:
    bundle = loading.usable(known.bundle_revision)
    if bundle is None:
        raise Refused(
            503, "unavailable", "No policy bundle is in force that can be used; an officer has to publish one."
        )
    return bundle.purposes


def _state(slug: str, facts: PurposeFacts, known: Information, now: float) -> dict[str, Any]:
    entry: Mapping[str, Any] | None = known.consents.get(slug)
    prefix = f"{slug}?"
    return {
        "state": state_now(entry, legal_basis=facts.legal_basis, required_notice=facts.required_notice, now_epoch=now),
        "since": _moment(entry["t"]) if entry else None,
        "expires_at": _moment(entry["x"]) if entry else None,
        "record": entry["r"] if entry else None,
        "notice_version": entry["n"] if entry else None,
        "ask_again_at": ask_again_at(entry, known.region),
        "explicit": bool(entry and entry["e"]),
        "max_level": entry.get("lv") if entry else None,
        "parts": {
            place[len(prefix) :]: {"state": part["s"], "record": part["r"]}
            for place, part in known.consents.items()
            if place.startswith(prefix)
        },
    }


def _moment(epoch: int | None) -> datetime | None:
    return datetime.fromtimestamp(epoch, tz=UTC) if epoch else None
