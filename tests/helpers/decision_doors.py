"""Every way in which a service learns whether something may be done with a person's data, asked the same question.

What a service hears is put into one short sentence (``Heard``), so that all of them can be laid side by side.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from assent_client import Assent, NotPermitted, requires_decision
from assent_client import Question as ClientQuestion
from assent_client.answers import Decision
from assent_client.django import DecisionPermission
from policies.cells import forwarding, router
from policies.cells.client import Reply
from policies.endpoints import credentials
from tests.helpers.wsgi_calls import EVALUATION, EVALUATIONS, call, connection_kept

FULFILS = frozenset({"max_level", "exclude_categories", "log_transfer"})
RENEWAL = "renewal_required"


@dataclass(frozen=True)
class Heard:
    """What a service was answered. None of a member: this door does not say it."""

    permitted: bool
    level: str | None = None
    left_out: tuple[str, ...] | None = ()
    asks_again_about: tuple[str, ...] | None = ()

    def __str__(self) -> str:
        said = "permitted" if self.permitted else "denied"
        level = f" at {self.level}" if self.permitted and self.level else ""
        without = f" without {', '.join(self.left_out)}" if self.left_out else ""
        renewal = f"; to be asked about: {', '.join(self.asks_again_about)}" if self.asks_again_about else ""
        return f"{said}{level}{without}{renewal}"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question, in the words that all doors share."""

    person: str
    action: str = "personalize"
    data: tuple[str, ...] = ("views",)
    recipient: str | None = None
    channel: str | None = None
    level: str = "individual"
    purpose: str = "recommendations"

    def authzen(self) -> dict[str, Any]:
        properties = {"purpose": self.purpose, "requested_level": self.level}
        data = {"data_categories": list(self.data)} if self.data else {}
        context = {"processing_region": "eu-central", **({"channel": self.channel} if self.channel else {})}
        recipient = {"recipient": self.recipient} if self.recipient else {}
        return {
            "subject": {"type": "data_subject", "id": self.person, "properties": {"region": "DE"}},
            "action": {"name": self.action, "properties": {**properties, **recipient}},
            "resource": {"type": "personalization", "id": "home", "properties": data},
            "context": context,
        }

    def for_client(self) -> ClientQuestion:
        return ClientQuestion(
            subject=self.person,
            purpose=self.purpose,
            action=self.action,
            level=self.level,
            data_categories=self.data,
            recipient=self.recipient,
            channel=self.channel,
            processing_region="eu-central",
        )


Ask = Callable[[Asked], Heard]


def doors(token: str, become: Callable[..., None]) -> dict[str, Ask]:
    """Return the doors of one installation, by the name an integrator knows each by."""
    client = _client(token)
    between, _ = credentials.create_credential(name="cell-us", scopes=["cells", "decisions"], actor="test")

    def ask_function(asked: Asked) -> Heard:
        guarded = requires_decision(client, lambda: asked.for_client(), fulfils=FULFILS)(lambda: None)
        try:
            guarded()
        except NotPermitted as denied:
            return Heard(
                False, left_out=None, asks_again_about=tuple(c for c in denied.reasons if c == RENEWAL) or None
            )
        return Heard(True, left_out=None, asks_again_about=None)

    def ask_permission(asked: Asked) -> Heard:
        permission = DecisionPermission.asking(client, lambda *_: asked.for_client(), fulfils=FULFILS)
        return Heard(permission().has_permission(None, None), left_out=None, asks_again_about=None)

    return {
        "AuthZEN evaluation": lambda asked: _authzen(call(asked.authzen(), token, path=EVALUATION).json()),
        "AuthZEN batch": lambda asked: _authzen(_second(asked, token, EVALUATIONS, "evaluations")),
        "native decision": lambda asked: _native(call(asked.authzen(), token, path="/api/v1/decisions").json()),
        "native batch": lambda asked: _native(_second(asked, token, "/api/v1/decisions", "decisions")),
        "Python client": lambda asked: _from_client(client.decide(asked.for_client())),
        "Python client, many": lambda asked: _from_client(client.decide_many([asked.for_client()] * 2)[1]),
        "guarded function": ask_function,
        "permission of a view": ask_permission,
        "another cell": lambda asked: _through_another_cell(asked, token, between, become),
    }


def as_heard_at(door: str, heard: Heard) -> Heard:
    """Return what of an answer a door hands on: a guarded function runs or not, and a view answers or not."""
    if door == "guarded function":
        about = (RENEWAL,) if heard.asks_again_about and not heard.permitted else None
        return Heard(heard.permitted, left_out=None, asks_again_about=about)
    if door == "permission of a view":
        return Heard(heard.permitted, left_out=None, asks_again_about=None)
    return heard


def _client(token: str) -> Assent:
    from governance.wsgi import application

    def kept(environ: Any, start_response: Any) -> Any:
        with connection_kept():
            return list(application(environ, start_response))

    return Assent("http://localhost", token, transport=httpx.WSGITransport(app=kept))


def _second(asked: Asked, token: str, path: str, items: str) -> Any:
    """Ask twice in one batch; what the questions share is read once, so the second is read by the template."""
    answers = call({items: [asked.authzen()] * 2}, token, path=path).json()[items]
    assert {**answers[0], "context": None, "decision_id": None} == {**answers[1], "context": None, "decision_id": None}
    return answers[1]


def _authzen(document: Mapping[str, Any]) -> Heard:
    context = document["context"]
    return _heard(document["decision"], context.get("level"), context["obligations"], context["reasons"])


def _native(document: Mapping[str, Any]) -> Heard:
    return _heard(document["decision"], document["level"], document["obligations"], document["reasons"])


def _from_client(decision: Decision) -> Heard:
    duties = [{"type": duty.type, "properties": duty.properties} for duty in decision.obligations]
    reasons = [{"code": reason.code, "detail": reason.detail} for reason in decision.reasons]
    return _heard(decision.permitted, decision.level, duties, reasons)


def _heard(
    permitted: bool, level: str | None, duties: Collection[Mapping[str, Any]], reasons: Collection[Mapping[str, Any]]
) -> Heard:
    left_out = [c for duty in duties if duty["type"] == "exclude_categories" for c in duty["properties"]["categories"]]
    about = [str(reason.get("detail")) for reason in reasons if reason["code"] == RENEWAL]
    return Heard(permitted, level if permitted else None, tuple(left_out), tuple(about))


def _through_another_cell(asked: Asked, token: str, between: str, become: Callable[..., None]) -> Heard:
    """Ask the US cell about a person of the EU cell; both are this process, one after the other."""
    forwarded: list[str] = []

    def in_eu(_cell: Any, method: str, path: str, *, body: bytes, headers: Mapping[str, str], **_more: Any) -> Reply:
        forwarded.append(path)
        as_wsgi = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        with pytest.MonkeyPatch.context() as here:
            here.setattr(router, "_known", known)
            become("eu")
            answer = call(json.loads(body), between, path=path, method=method, **as_wsgi)
        return Reply(answer.status, answer.headers, answer.body)

    known = router._known
    with pytest.MonkeyPatch.context() as there:
        there.setattr(forwarding.client, "call", in_eu)
        # The one database holds the person, whom a US cell of its own would not know.
        there.setattr(router, "_known", lambda request: (known(request)[0], {}))
        become("us")
        document = call(asked.authzen(), token, path=EVALUATION).json()
    become("eu")
    assert forwarded == [EVALUATION]
    return _authzen(document)
