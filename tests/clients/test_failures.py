"""The client before a network that fails: what is tried again, and that no failure is ever a permit."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent_client import (
    Assent,
    AssentError,
    AsyncAssent,
    NotPermitted,
    Question,
    Retries,
    TooManyRequests,
    Unavailable,
    UnreadableAnswer,
    requires_decision,
)
from assent_client.django import DecisionPermission

NO_WAITS = Retries(attempts=3, first_s=0, longest_s=0)
QUESTION = Question(subject="customer-1", purpose="recommendations")
PERMIT = {"decision": True, "obligations": [], "reasons": []}
SAVED = {"subject_revision": 1, "records": []}
Handler = Callable[[httpx.Request], httpx.Response]


class Network:
    """Answers in turn, the last one for ever; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, content=answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def client(self, retries: Retries = NO_WAITS) -> Assent:
        return Assent("http://assent.invalid", "t", retries=retries, transport=httpx.MockTransport(self))


def problem(status: int, **headers: str) -> httpx.Response:
    body = {"type": "/p", "title": "t", "status": status, "detail": "d", "code": "c"}
    return httpx.Response(status, json=body, headers=headers)


PASSING = {
    "cannot connect": httpx.ConnectError("no"),
    "connect timed out": httpx.ConnectTimeout("slow"),
    "read timed out": httpx.ReadTimeout("slow"),
    "hung up": httpx.RemoteProtocolError("gone"),
    "503": problem(503),
}


@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
def test_what_passes_by_itself_is_tried_again(failure: Any) -> None:
    network = Network(failure, failure, PERMIT)

    assert network.client().decide(QUESTION).permitted
    assert len(network.requests) == 3


@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_is_a_no_after_the_last_try(failure: Any) -> None:
    network = Network(failure)

    with pytest.raises(Unavailable):
        network.client().decide(QUESTION)
    assert len(network.requests) == 3
    assert network.client().allowed(QUESTION) is False


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 409, 413, 418, 422, 429, 500, 502, 504])
def test_other_answers_are_told_at_once(status: int) -> None:
    network = Network(problem(status))

    with pytest.raises(AssentError):
        network.client().decide(QUESTION)
    assert len(network.requests) == 1
    assert network.client().allowed(QUESTION) is False


def test_the_wait_a_server_asks_for_is_told() -> None:
    with pytest.raises(TooManyRequests) as refused:
        Network(problem(429, **{"Retry-After": "7"})).client().decide(QUESTION)

    assert refused.value.retry_after_s == 7


def test_a_save_that_is_sent_again_carries_the_same_key() -> None:
    network = Network(httpx.ReadTimeout("slow"), SAVED, SAVED)
    client = network.client()

    client.save_consents("customer-1", [{"purpose": "p", "choice": "give"}])
    client.save_consents("customer-1", [{"purpose": "p", "choice": "give"}])

    keys = [request.headers["Idempotency-Key"] for request in network.requests]
    assert keys[0] == keys[1] != keys[2]


def test_an_event_that_is_sent_again_has_the_same_id() -> None:
    network = Network(httpx.ReadTimeout("slow"), {"stored": True, "duplicate": True, "decision_id": "d"})

    network.client().send_event("customer-1", kind="like", item="kettle")

    bodies = [request.content for request in network.requests]
    assert bodies[0] == bodies[1]


def test_waits_grow_up_to_a_limit() -> None:
    retries = Retries(attempts=9, first_s=0.1, longest_s=1)

    assert all(retries.wait_s(tried) <= min(0.1 * 2 ** (tried - 1), 1) for tried in range(1, 9) for _ in range(50))
    assert retries.wait_s(1, 0.5) == 0.5
    assert retries.wait_s(1, 3_600) == 1
    with pytest.raises(ValueError):
        Retries(attempts=0)


UNREADABLE = [
    b"", b"permit", b"[]", b"null", b"true", b"[" * 100_000, b"\xff", b"{}", b'{"decision": null}',
    b'{"decision": "true"}',
    b'{"decision": 1}', b'{"decision": true, "obligations": {}}', b'{"decision": true, "obligations": [{}]}',
    b'{"decision": true, "obligations": [3]}', b'{"decision": true, "valid_until": "tomorrow"}',
    b'{"decision": true, "reasons": ["x"]}', b'{"decision": true, "rules": [{"rule": "r"}]}',
    b'{"decision": true, "would_change": [3]}', b'{"decision": true, "error": []}',
    b'{"decision": true, "warnings": "region_conflict"}', b'{"decision": true, "warnings": [{}]}',
]  # fmt: skip


@pytest.mark.parametrize("body", UNREADABLE)
def test_an_answer_that_cannot_be_read_is_a_no(body: bytes) -> None:
    client = Network(body).client()

    with pytest.raises(UnreadableAnswer):
        client.decide(QUESTION)
    assert client.allowed(QUESTION) is False


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.dictionaries(st.sampled_from(["decision", "obligations", "reasons", "error"]), inner, max_size=4)
    | st.lists(inner, max_size=2),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_only_a_true_decision_is_a_permit(body: bytes) -> None:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    said = isinstance(document, dict) and document.get("decision") is True

    assert not Network(body).client().allowed(QUESTION) or said


def test_too_few_answers_are_none() -> None:
    with pytest.raises(UnreadableAnswer):
        Network({"decisions": [PERMIT]}).client().decide_many([QUESTION, QUESTION])


def test_an_obligation_nobody_listed_makes_it_a_no() -> None:
    duties = [
        {"id": "o1", "type": "max_level", "properties": {}},
        {"id": "o2", "type": "mask_fields", "properties": {}},
    ]
    client = Network({**PERMIT, "obligations": duties}).client()

    assert client.allowed(QUESTION, fulfils={"max_level", "mask_fields"}) is True
    assert client.allowed(QUESTION, fulfils={"max_level"}) is False
    with pytest.raises(NotPermitted):
        client.decide(QUESTION).require(fulfils=["max_level"])
    with pytest.raises(TypeError):
        client.decide(QUESTION).require(fulfils="mask_fields")


def test_the_credential_goes_nowhere_else() -> None:
    network = Network(httpx.Response(307, headers={"Location": "http://elsewhere.invalid/"}))

    with pytest.raises(AssentError):
        network.client().decide(QUESTION)
    assert [request.url.host for request in network.requests] == ["assent.invalid"]


def test_guards_stay_shut_when_nobody_answers() -> None:
    client = Network(httpx.ConnectError("no")).client()
    ran = []

    with pytest.raises(Unavailable):
        requires_decision(client, lambda: QUESTION)(lambda: ran.append(1))()
    shut = DecisionPermission.asking(client, lambda _request, _view: QUESTION)()
    unasked = DecisionPermission.asking(client, lambda _request, _view: None)()

    assert not ran
    assert (shut.has_permission(None, None), unasked.has_permission(None, None)) == (False, False)


def test_awaited_calls_fail_closed_too() -> None:
    async def use() -> tuple[bool, int]:
        network = Network(httpx.ConnectError("no"), problem(503), PERMIT, httpx.ReadTimeout("slow"))
        transport = httpx.MockTransport(network)
        async with AsyncAssent("http://assent.invalid", "t", retries=NO_WAITS, transport=transport) as client:
            first = (await client.decide(QUESTION)).permitted
            assert await client.allowed(QUESTION) is False
            return first, len(network.requests)

    assert asyncio.run(use()) == (True, 6)


def test_a_guard_of_the_wrong_kind_is_refused() -> None:
    async def awaited() -> None: ...

    with pytest.raises(TypeError):
        requires_decision(Network(PERMIT).client(), lambda: QUESTION)(awaited)
    with pytest.raises(TypeError):
        requires_decision(AsyncAssent("http://assent.invalid", "t"), lambda: QUESTION)(lambda: None)
