"""Consent state of a person, for every purpose, as a bare endpoint: the one statement decisions read, too.

``consent.views`` describes it for the OpenAPI document.
"""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from common import patterns
from consent.ledger.selectors import ConsentState, in_force
from consent.pseudonyms import checked, subject_ref
from policies.bundles import loading
from policies.bundles.loading import PurposeFacts
from policies.decisions import information
from policies.decisions.information import Information, Wanted
from policies.endpoints import wsgi
from policies.endpoints.authzen.faults import converted
from policies.endpoints.begun import Begun, waiting
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Environ, Refused

PATH = "/api/v1/consents/state"
_SCOPE = "consents"
_FORM = "Send {'subject': {'id': ...}}, with type and region where you know them, and nothing else."
_encode = msgspec.json.Encoder().encode


class _Subject(msgspec.Struct, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(max_length=256, pattern=patterns.NOT_BLANK)]
    type: Annotated[str, msgspec.Meta(max_length=64, pattern=patterns.NOT_BLANK)] = "data_subject"
    region: Annotated[str, msgspec.Meta(pattern=rf"\A{patterns.REGION}\Z")] | None = None

    def __post_init__(self) -> None:
        self.id, self.type = checked(self.id), checked(self.type)


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    subject: _Subject


def begin(environ: Environ) -> Begun[Information]:
    """Read the request; its statement is executed by the caller. Raises Refused."""
    token, document = wsgi.read_call(environ, _SCOPE)
    subject = _subject(document)
    ref = information.NO_SUBJECT if isinstance(subject, str) else subject_ref(subject.id, subject_type=subject.type)
    wanted = Wanted(ref, token_hash(token), _SCOPE.encode())
    return Begun(environ, wanted, lambda known: _body(subject, known))


def _subject(document: dict[str, Any]) -> _Subject | str:
    """Return the subject, or what is wrong with the request; a name that is not known is not repeated."""
    try:
        return converted(document, _Asked).subject
    except ValueError as exc:
        return _FORM if "unknown field" in str(exc) else f"{exc} {_FORM}"


def _body(subject: _Subject | str, known: Information | None) -> bytes:
    """Answer a caller who may know. Raises Refused (400, 401, 403, 503)."""
    if known is None:
        raise Refused(503, "unavailable", "The database does not answer; send the request again.")
    wsgi.check_known(known, _SCOPE)
    if isinstance(subject, str):
        raise Refused(400, "invalid_request", subject)
    states = in_force(known.consents, _purposes(known), region=known.region, now_epoch=time.time())
    return _encode(
        {
            "known": known.subject_revision is not None and not known.erased,
            "subject_revision": known.subject_revision or 0,
            "opted_out_by_signal": known.gpc,
            "purposes": {slug: _state(state) for slug, state in states.items()},
        }
    )


def _purposes(known: Information) -> Mapping[str, PurposeFacts]:
    bundle = loading.usable(known.bundle_revision)
    if bundle is None:
        raise Refused(
            503, "unavailable", "No policy bundle is in force that can be used; an officer has to publish one."
        )
    return bundle.purposes


def _state(state: ConsentState) -> dict[str, Any]:
    return {
        "state": state.state,
        "since": state.since,
        "expires_at": state.expires_at,
        "record": state.record,
        "notice_version": state.notice_version,
        "ask_again_at": state.ask_again_at,
        "explicit": state.explicit,
        "max_level": state.max_level,
        "parts": state.parts,
        "beyond": state.beyond,
    }


application = wsgi.endpoint(waiting(begin))
