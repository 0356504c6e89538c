"""POST /api/v1/events/batch: up to 1,000 events, one statement about their people, one to store, one write to the log.

``events`` holds the events; the other members are what they share, as in a batch of decisions. Each is answered as it
would be alone: what is wrong with one keeps no other from being stored. A repeat of the whole request changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from common.http.problems import InvalidRequest, Problem
from common.http.rest import read_document
from personalization.events import NewEvent
from personalization.intake import answers, streams
from personalization.intake.bodies import EventBody, Signals
from personalization.intake.taking import Answer, take_in_many
from policies.decisions import information
from policies.decisions.evaluate import BatchEvaluation, Decision
from policies.decisions.information import InformationUnavailable
from policies.decisions.questions import Question
from policies.endpoints import wsgi
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Environ, Refused

PATH = "/api/v1/events/batch"
SCOPE = "events"
MOST = 1_000
SHARED = ("version", "subject", "purpose", "signals", "processing_region", "stream")
_encode = msgspec.json.Encoder().encode


def _answer(environ: Environ) -> wsgi.Reply:
    token, document = wsgi.read_call(environ, SCOPE)
    bodies = [_read(item) for item in _items(document, token)]
    good = [body for body in bodies if isinstance(body, EventBody)]
    refs = [body.subject.ref() for body in good]
    people = _People(refs, token)
    streams.note(good, people.caller)
    events = _events(good, refs, people.caller, environ)
    taken = iter(take_in_many(events, people.ask))
    answered: list[Answer] = [body if isinstance(body, Problem) else next(taken) for body in bodies]
    return 200, _encode({"events": answers.documents(answered)})


def _items(document: dict[str, Any], token: str) -> list[dict[str, Any]]:
    """Return the events with what they share. Raises Refused; callers without permission learn no more than that."""
    events = document.get("events")
    is_list = isinstance(events, list) and 0 < len(events) <= MOST and all(isinstance(each, dict) for each in events)
    if not is_list or not document.keys() <= {"events", *SHARED}:
        wsgi.check_known(_known(frozenset(), token)[0], SCOPE)
        raise Refused(
            400, "invalid_request",
            f"Send from 1 to {MOST:,} objects in 'events'; next to it may stand: {', '.join(SHARED)}.",
        )  # fmt: skip
    shared = {name: document[name] for name in SHARED if name in document}
    return [{**shared, **item} for item in document["events"]]


def _read(item: dict[str, Any]) -> EventBody | Problem:
    try:
        return read_document(EventBody, item)
    except InvalidRequest as fault:
        return fault


def _events(bodies: Sequence[EventBody], refs: Sequence[UUID], caller: str, environ: Environ) -> list[NewEvent]:
    """Return the events as they are taken in; what several say alike is decoded once."""
    decoded: dict[Signals, Any] = {}
    events = []
    for body, ref in zip(bodies, refs, strict=True):
        read = decoded.get(body.signals)
        if read is None:
            read = decoded[body.signals] = body.signals.read(environ)
        events.append(body.event(caller, read, ref))
    return events


def _known(refs: frozenset[UUID], token: str) -> tuple[information.Information, dict[UUID, information.Information]]:
    try:
        return information.read_many(refs or {information.NO_SUBJECT}, token_hash(token), SCOPE.encode())
    except InformationUnavailable:
        raise Refused(503, "unavailable", "The database does not answer. Nothing was stored; send it again.") from None


class _People:
    """The people of a request as they are, read once, and again only where their choices move in between."""

    def __init__(self, refs: Iterable[UUID], token: str) -> None:
        self._token = token
        self._refs = frozenset(refs)
        self._read: Any = _known(self._refs, token)
        self.caller = wsgi.check_known(self._read[0], SCOPE)

    def ask(self, questions: Sequence[Question]) -> list[Decision]:
        """Answer the questions under one state of the rules, and log the answers. Raises SpoolFull and Refused."""
        known, people = self._read or _known(self._refs, self._token)
        self._read = None  # where it is asked again, something has moved
        batch = BatchEvaluation(caller=self.caller)
        decisions = [batch.decide(question, people.get(question.subject_ref, known)) for question in questions]
        batch.log()
        return decisions


application = wsgi.endpoint(_answer)
