"""Data Rights Protocol 1.0, asked by an independent client: signatures are PyNaCl's."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from nacl.signing import SigningKey

from common.http import outgoing
from common.postgres import advisory
from consent import pseudonyms
from consent.models import DataSubject
from oversight import rows
from oversight.guard import writing
from privacy.rights.drp import reporting
from privacy.rights.drp.descriptors import AGENT
from privacy.rights.drp.models import Agent, AgentRequest, AgentToken
from privacy.rights.letters import sending
from privacy.rights.models import RightsRequest
from privacy.rights.requesters import asking
from privacy.rights.requests import requests
from privacy.rights.requests.states import Move, State
from tests.helpers.holds import Register, hold, refs

URL = "/drp/v1/data-rights-request"
ADDRESS = "ada@example.org"

ASKED = {"drp.version": "1.0", "exercise": "deletion", "email": ADDRESS}


class DrpAgent:
    """Agent with a key of its own and, once it has asked, a token."""

    def __init__(self, slug: str) -> None:
        self.slug, self.key, self.token = slug, SigningKey.generate(), ""
        self.browser = Client()

    def known(self) -> "DrpAgent":
        with writing("test"):
            Agent.objects.create(
                slug=self.slug, name=self.slug, verify_key=b64encode(bytes(self.key.verify_key)).decode()
            )
        answer = self.ask_token()
        assert answer.status_code == 200, answer.content
        self.token = answer.json()["token"]
        return self

    def message(self, **members: Any) -> bytes:
        now = datetime.now(UTC)
        document = {
            "agent-id": self.slug,
            "business-id": "SHOP",
            "issued-at": now.isoformat(),
            "expires-at": (now + timedelta(minutes=10)).isoformat(),
            **members,
        }
        return b64encode(bytes(self.key.sign(json.dumps(document).encode())))

    def ask_token(self) -> Any:
        return self.browser.post(f"/drp/v1/agent/{self.slug}", self.message(), content_type="text/plain")

    def exercise(self, right: str = "access", **members: Any) -> Any:
        said = {"drp.version": "1.0", "exercise": right, "email": ADDRESS, "regime": "ccpa", **members}
        return self.post(self.message(**said))

    def post(self, body: bytes) -> Any:
        return self.browser.post(URL, body, content_type="text/plain", headers=self.headers)

    def status(self, pk: str) -> Any:
        return self.browser.get(f"{URL}/{pk}", headers=self.headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture(autouse=True)
def in_directory(settings: Any, register_in_force: None) -> None:
    settings.DRP_BUSINESS_ID, settings.MAIL_IS_ON, settings.MAIL_FROM = "SHOP", True, "privacy@shop.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for address in (ADDRESS, "bob@example.org"):
        DataSubject.objects.create(ref=pseudonyms.subject_ref(address), region="DE")


@pytest.fixture
def agent() -> DrpAgent:
    return DrpAgent("PERMISSION-SLIP").known()


def proven(pk: str) -> None:
    sending.send_waiting()
    (code,) = re.findall(r"\b\d{8}\b", mail.outbox[-1].body)
    asking.prove(RightsRequest.objects.get(pk=pk), code)


def test_an_agent_asks_the_person_proves_and_gets_the_files(agent: DrpAgent) -> None:
    answer = agent.exercise("access", **{"agent-request-id": "A-1", "regime": ""}).json()

    assert (answer["status"], answer["reason"]) == ("in_progress", "need_user_verification")
    assert (answer["agent_request_id"], "/privacy/request/" in answer["user_verification_url"]) == ("A-1", True)
    assert "expected_by" in answer
    proven(answer["request_id"])
    done = agent.status(answer["request_id"]).json()
    assert (done["status"], "/privacy/request/" in done["results_url"]) == ("fulfilled", True)


def test_an_opt_out_needs_no_proof_and_an_opt_in_is_the_persons_alone(agent: DrpAgent) -> None:
    assert agent.exercise("sale:opt-out").json()["status"] == "in_progress"
    denied = agent.exercise("sale:opt-in").json()
    assert (denied["status"], denied["reason"]) == ("denied", "claim_not_covered")
    assert RightsRequest.objects.count() == 1


def test_the_same_message_answers_with_the_first_request(agent: DrpAgent) -> None:
    body = agent.message(**{"drp.version": "1.0", "exercise": "deletion", "email": ADDRESS})

    assert agent.post(body).json()["request_id"] == agent.post(body).json()["request_id"]


def test_a_message_that_comes_twice_at_once_opens_one_request(agent: DrpAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    body = agent.message(**ASKED)
    first = agent.post(body).json()["request_id"]
    # As the second of two sees it: the first was not there yet when it looked.
    monkeypatch.setattr(AgentRequest.objects, "filter", lambda **_wanted: AgentRequest.objects.none())

    assert agent.post(body).json()["request_id"] == first
    assert sending.send_waiting() == 1


_AHEAD = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
_PAST = (datetime.now(UTC) - timedelta(hours=1)).isoformat()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda agent, body: b"***", "base64"),
        (lambda agent, body: b64encode(b"x" * 20), "signature"),
        (lambda agent, body: b64encode(bytes(SigningKey.generate().sign(b"{}"))), "signature"),
        (lambda agent, body: agent.message(**{"agent-id": "OTHER", "business-id": "WRONG"}), "agent-id"),
        (lambda agent, body: agent.message(**{"business-id": "WRONG", "issued-at": _AHEAD}), "business-id"),
        (lambda agent, body: agent.message(**{"issued-at": _AHEAD}), "issued-at"),
        (lambda agent, body: agent.message(**{"issued-at": _PAST, "expires-at": _PAST}), "expires-at"),
        (lambda agent, body: agent.message(**{"expires-at": "2099-01-01T00:00:00Z"}), "expires-at"),
        (lambda agent, body: b64encode(bytes(agent.key.sign(b"[1]"))), "JSON object"),
        (lambda agent, body: agent.message(**ASKED | {"drp.version": "0.9"}), "drp.version"),
        (lambda agent, body: agent.message(**ASKED | {"exercise": "oblivion"}), "exercise"),
        (lambda agent, body: agent.message(exercise="deletion", **{"drp.version": "1.0"}), "email"),
    ],
)  # fmt: skip
def test_a_message_is_refused_in_the_protocols_order(
    agent: DrpAgent, spoil: Callable[[DrpAgent, bytes], bytes], says: str
) -> None:
    answer = agent.post(spoil(agent, b""))

    assert (answer.status_code, answer.json()["code"]) == (400, "drp_message")
    assert says in answer.json()["message"]
    assert not RightsRequest.objects.exists()


def test_an_unknown_token_and_a_failed_set_up_are_refused(agent: DrpAgent) -> None:
    unknown = DrpAgent("NOBODY")

    assert unknown.exercise().status_code == 401
    assert (unknown.ask_token().status_code, unknown.ask_token().content) == (403, b"")
    forged = DrpAgent(agent.slug)
    assert (forged.ask_token().status_code, forged.ask_token().content) == (403, b"")
    assert agent.browser.get(f"/drp/v1/agent/{agent.slug}", headers=agent.headers).json() == {}
    assert agent.browser.get("/drp/v1/agent/OTHER", headers=agent.headers).status_code == 403


def test_an_agent_that_is_switched_off_is_refused_at_once(agent: DrpAgent) -> None:
    with writing("test"):
        Agent.objects.update(is_active=False)

    assert agent.exercise().status_code == 401
    assert agent.ask_token().status_code == 403


def test_a_new_token_ends_the_former(agent: DrpAgent) -> None:
    former = agent.headers
    agent.token = agent.ask_token().json()["token"]

    assert agent.browser.get(f"/drp/v1/agent/{agent.slug}", headers=former).status_code == 403
    assert AgentToken.objects.count() == 1


def test_a_message_gives_a_token_once_and_only_if_it_asks_for_one(agent: DrpAgent) -> None:
    url, browser = f"/drp/v1/agent/{agent.slug}", Client()
    message, other = agent.message(), agent.message(**ASKED)

    assert browser.post(url, message, content_type="text/plain").status_code == 200
    for seen in (message, other):
        assert browser.post(url, seen, content_type="text/plain").status_code == 403


@pytest.mark.parametrize("change", [{"verify_key": b64encode(b"k" * 32).decode()}, {"is_active": False}])
def test_another_key_and_switching_off_end_the_token(agent: DrpAgent, change: dict[str, Any]) -> None:
    row = Agent.objects.get()
    document = rows.document_of(AGENT, row)
    with writing("test"):
        rows.write_document(AGENT, row.slug, {**document, "name": "Renamed"})
        assert AgentToken.objects.exists()
        rows.write_document(AGENT, row.slug, {**document, **change})

    assert not AgentToken.objects.exists()
    assert agent.exercise().status_code == 401


def test_others_do_not_use_up_an_agents_token_requests(agent: DrpAgent) -> None:
    forged = DrpAgent(agent.slug)
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    for _number in range(31):
        elsewhere.post(f"/drp/v1/agent/{agent.slug}", forged.message(), content_type="text/plain")

    assert agent.ask_token().status_code == 200


def test_another_agents_request_is_forbidden_as_one_that_is_not_there(agent: DrpAgent) -> None:
    pk = agent.exercise("deletion").json()["request_id"]
    other = DrpAgent("OTHER").known()

    assert (other.status(pk).status_code, other.status("0" * 8 + "-0000-4000-8000-" + "0" * 12).status_code) == (
        403,
        403,
    )
    assert other.browser.delete(f"{URL}/{pk}", headers=other.headers).status_code == 403
    assert agent.status(pk).json()["status"] == "in_progress"


def test_a_revoked_request_ends_and_gives_the_agent_nothing(agent: DrpAgent) -> None:
    pk = agent.exercise("deletion").json()["request_id"]

    assert agent.browser.delete(f"{URL}/{pk}", headers=agent.headers).json()["status"] == "revoked"
    assert RightsRequest.objects.get().state == State.CANCELLED
    assert agent.browser.delete(f"{URL}/{pk}", headers=agent.headers).json()["status"] == "revoked"


def test_refusal_extension_and_lapse_are_said_in_the_protocols_words(agent: DrpAgent) -> None:
    unproven = agent.exercise("deletion").json()["request_id"]
    requests.move(unproven, Move.REFUSE, actor="officer:anna", reason="No answer.")
    assert agent.status(unproven).json()["reason"] == "insuf_verification"

    late = agent.exercise("deletion", email="eve@example.org").json()["request_id"]
    asking.end_unproven(now=datetime.now(UTC) + timedelta(days=15))
    assert agent.status(late).json()["status"] == "expired"

    Register().place(hold(people=refs("bob@example.org")))  # else the deletion is done at once
    extended = agent.exercise("deletion", email="bob@example.org").json()["request_id"]
    proven(extended)
    requests.extend(extended, actor="officer:anna", reason="Many systems.")
    assert agent.status(extended).json()["processing_details"] == "Many systems."


def test_a_proven_request_that_joins_another_has_its_status(agent: DrpAgent) -> None:
    Register().place(hold(people=refs(ADDRESS)))  # else the deletion is done at once
    first = agent.exercise("deletion").json()["request_id"]
    proven(first)
    before = agent.status(first).json()["status"]
    second = agent.exercise("deletion").json()["request_id"]
    proven(second)

    assert RightsRequest.objects.get(pk=second).state == State.CANCELLED
    assert agent.status(second).json()["status"] == before


def test_changed_statuses_are_reported_until_they_arrive(agent: DrpAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    answers = iter([500, 200, 200])

    def exchange(url: str, *, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        sent.append((url, json.loads(body)))
        return next(answers), b""

    monkeypatch.setattr(outgoing, "exchange", exchange)
    pk = agent.exercise("sale:opt-out", status_callback="https://agent.example/hook").json()["request_id"]
    now = datetime.now(UTC)
    assert [reporting.report(now=now + timedelta(minutes=wait)) for wait in (0, 0, 3, 10)] == [0, 0, 1, 0]
    requests.move(pk, Move.REFUSE, actor="officer:anna", reason="No.")
    assert reporting.report(now=now + timedelta(minutes=20)) == 1
    assert [status["status"] for _url, status in sent] == ["in_progress", "in_progress", "denied"]
    reporting.report(now=now + timedelta(minutes=30))
    assert AgentRequest.objects.get().status_callback == ""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Statuses that were sent to agents, all of which answer 200."""
    found: list[dict[str, Any]] = []

    def exchange(_url: str, *, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        found.append(json.loads(body))
        return 200, b""

    monkeypatch.setattr(outgoing, "exchange", exchange)
    return found


def test_an_agent_that_is_switched_off_hears_nothing(agent: DrpAgent, sent: list[dict[str, Any]]) -> None:
    agent.exercise("deletion", status_callback="https://agent.example/hook")
    with writing("test"):
        Agent.objects.update(is_active=False)

    assert (reporting.report(), sent) == (0, [])


def test_after_the_mandate_an_agent_hears_that_it_has_ended_and_no_more(
    agent: DrpAgent, sent: list[dict[str, Any]]
) -> None:
    pk = agent.exercise("deletion", status_callback="https://agent.example/hook").json()["request_id"]
    requests.move(pk, Move.ACCEPT, actor="officer:anna")
    requests.move(pk, Move.START, actor="officer:anna")
    requests.extend(pk, actor="officer:anna", reason="Many systems.")
    asking.withdraw_mandate(pk, actor="subject")

    assert RightsRequest.objects.get().state == State.IN_PROGRESS
    status = agent.status(pk).json()
    assert (status["status"], "processing_details" in status, "expected_by" in status) == ("revoked", False, False)
    now = datetime.now(UTC)
    assert [reporting.report(now=now + timedelta(minutes=wait)) for wait in (0, 5, 10)] == [1, 0, 0]
    assert [each["status"] for each in sent] == ["revoked"]


def test_one_process_reports_at_a_time(agent: DrpAgent, sent: list[dict[str, Any]]) -> None:
    agent.exercise("deletion", status_callback="https://agent.example/hook")

    with advisory.held(reporting._ONE_RUN):
        assert reporting.report() == 0
    assert reporting.report() == 1


def test_no_exchange_begins_once_the_time_is_over(
    agent: DrpAgent, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.exercise("deletion", status_callback="https://agent.example/hook")
    monkeypatch.setattr(reporting, "_ROUND_S", -1.0)

    assert (reporting.report(), sent) == (0, [])


@pytest.mark.parametrize(
    "url", ["http://agent.example/x", "https://127.0.0.1/x", "https://[::1]/x", "https://10.0.0.1/"]
)
def test_a_report_goes_to_no_private_address(agent: DrpAgent, url: str) -> None:
    agent.exercise("sale:opt-out", status_callback=url)

    assert reporting.report() == 0
    assert AgentRequest.objects.get().tries == 1


def test_without_an_id_in_a_directory_the_endpoints_are_closed(agent: DrpAgent, settings: Any) -> None:
    settings.DRP_BUSINESS_ID = ""

    assert agent.exercise().status_code == 404
    assert agent.ask_token().status_code == 404
