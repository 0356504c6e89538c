"""The certification package: its rules, on request only, the same under both engines, and a log without identities."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import settings

from consent.models import Purpose
from consent.pseudonyms import subject_ref
from consent.register import register
from governance.privacy_center import decisions
from policies import engines
from policies.bundles import loading, publishing
from policies.bundles.loading import LoadedBundle
from policies.decision_log import chain, drainer, pseudonyms, reading
from policies.decisions import evaluate
from policies.engines import EngineUnavailable, Verdict
from policies.engines.base import QUERY
from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from policies.models import ActiveBundle, Bundle, Decision
from policies.registers import defaults
from tests.helpers.certification_cases import (
    ACTION_SEARCH,
    ALICE,
    ARCHIVED,
    BOB,
    READ,
    RECORD,
    RESOURCE_SEARCH,
    RULES,
    WRITE,
    asked,
    having,
)
from tests.helpers.wsgi_calls import EVALUATIONS, assert_problem, call, question

Spooled = Callable[[], list[dict[str, Any]]]
NAMES = ("alice", "bob", "mallory", "record-", "Sales", "manager", "clerk", "jane")


def _in_force() -> Bundle:
    return ActiveBundle.objects.select_related("bundle").get().bundle


@pytest.mark.parametrize(("body", "decision"), RULES.values(), ids=RULES)
def test_the_scenario_is_decided(records_token: str, body: dict[str, Any], decision: bool) -> None:
    answer = call(body, records_token)

    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.json()["decision"] is decision
    assert bool(answer.json()["context"]["reasons"]) is not decision


@pytest.mark.parametrize("body", [body for body, _ in RULES.values()], ids=RULES)
def test_without_the_package_none_of_it_is_permitted(shop_token: str, body: dict[str, Any]) -> None:
    publishing.publish("no certification", "test", certification=False)

    answer = call(body, shop_token)

    assert answer.status == 400 or answer.json()["decision"] is False


def test_both_engines_decide_alike(
    records_token: str, opa_engine: OpaEngine, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    for engine in (EmbeddedEngine(), opa_engine):
        monkeypatch.setattr(engines, "configured", lambda engine=engine: engine)
        evaluate.ENTITY_VERDICTS.clear()
        batch = {"evaluations": [body for body, _ in RULES.values()]}
        answers.append(call(batch, records_token, path=EVALUATIONS).json()["evaluations"])

    for answer in (one for many in answers for one in many):
        del answer["context"]["decision_id"]
    assert answers[0] == answers[1]
    assert [answer["decision"] for answer in answers[1]] == [decision for _, decision in RULES.values()]
    assert {entry["engine"] for entry in spooled()} == {"embedded", "opa"}


def test_opa_forgets_a_package_that_is_no_longer_in_the_bundle(
    records_token: str, opa_engine: OpaEngine, opa_url: str
) -> None:
    def held() -> set[str]:
        policies = requests.get(f"{opa_url}/v1/policies", timeout=120).json()["result"]
        return {policy["id"] for policy in policies}

    facts = b'{"action": {}}'
    certified = loading.loaded(_in_force().revision)
    query = certified.packages["record"].query
    assert opa_engine.evaluate(certified, facts, query).decision is False
    kept = {f"assent/{name}.rego" for name in ("policy", "governance.deployment", "governance.release")}
    assert held() == kept | {"assent/governance.certification.rego"}

    publishing.publish("no certification", "test", certification=False)
    opa_engine.evaluate(loading.loaded(_in_force().revision), facts)

    assert held() == kept


def test_a_failing_engine_denies_and_is_not_remembered(
    records_token: str, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> None:
        raise EngineUnavailable

    monkeypatch.setattr(loading, "_loaded", {})
    body = asked(ALICE, READ, RECORD)
    with monkeypatch.context() as failing:
        failing.setattr(type(engines.configured()), "evaluate", fail)
        answer = call(body, records_token).json()
        found = call({"subject": ALICE, "resource": RECORD}, records_token, path=ACTION_SEARCH).json()

    assert answer["decision"] is False
    assert answer["context"]["reasons"] == [{"code": "engine_unavailable"}]
    assert found == {"results": []}
    assert spooled()[0]["outcome"] == "unknown"
    assert call(body, records_token).json()["decision"] is True


# --- the bundle


def test_the_package_is_in_the_bundle_on_request_only(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = publishing.publish("no certification", "test", certification=False)
    assert "certification.rego" not in before.policies
    assert "packages" not in json.loads(before.data)

    monkeypatch.setattr(settings, "CERTIFICATION", True)
    assert defaults.ensure_defaults() is True
    certified = _in_force()
    assert defaults.ensure_defaults() is False
    assert "record" in json.loads(certified.data)["packages"]
    assert call(asked(ALICE, READ, RECORD), shop_token).json()["decision"] is True

    monkeypatch.setattr(settings, "CERTIFICATION", False)
    assert defaults.ensure_defaults() is True
    assert _in_force() == before, "the same revision as before"
    assert call(asked(ALICE, READ, RECORD), shop_token).json()["decision"] is False


def test_a_change_of_the_register_keeps_the_package(records_token: str) -> None:
    assert settings.CERTIFICATION is False, "another process may publish"

    register.save_purpose(Purpose(slug="loyalty", name="loyalty", benefit="x"), actor="test")

    assert "loyalty" in json.loads(_in_force().data)["purposes"]
    assert call(asked(ALICE, READ, RECORD), records_token).json()["decision"] is True


def test_questions_about_consent_are_answered_as_without_it(shop_token: str) -> None:
    publishing.publish("no certification", "test", certification=False)
    without = call(question(), shop_token).json()

    publishing.publish("certification", "test", certification=True)
    with_it = call(question(), shop_token).json()

    for answer in (without, with_it):
        del answer["context"]["decision_id"]
        del answer["context"]["bundle_revision"]
    assert with_it == without
    assert with_it["decision"] is True


@pytest.mark.parametrize(
    "data",
    [
        {"packages": {"record": {"package": "governance.certification.x y", "actions": []}}},
        {"packages": {"record": {"package": "a/../b", "actions": []}}},
        {"packages": {"record": {"actions": []}}},
        {"packages": {"record": {"package": "a.b", "actions": ["x" * 17]}}},
        {"packages": []},
        {"packages": {"record": {"package": "governance.decision", "actions": []}}},
        {"packages": {"record": {"package": "a.b", "actions": [], "entity_ids": "yes"}}},
        {"packages": {"record": {"package": "a.b", "actions": [], "properties": {"subject": ["role"]}}}},
        {"entities": {"user": ["alice"]}},
    ],
)
def test_a_bundle_with_a_routing_table_that_makes_no_sense_is_missing(
    shop_token: str, as_attacker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, data: dict[str, Any]
) -> None:
    spoilt = {**json.loads(_in_force().data), **data}
    monkeypatch.setattr(loading, "_loaded", {})
    as_attacker(f"UPDATE policies_bundle SET data = $$ {json.dumps(spoilt)} $$")

    answer = call(question(), shop_token).json()

    assert answer["decision"] is False
    assert answer["context"]["reasons"] == [{"code": "bundle_missing"}]


# --- identities


def test_the_log_holds_pseudonyms_and_no_identity(records_token: str, spooled: Spooled) -> None:
    for body, _ in RULES.values():
        call(body, records_token)
    call({"evaluations": [body for body, _ in RULES.values()]}, records_token, path=EVALUATIONS)
    call({"subject": ALICE, "resource": RECORD}, records_token, path=ACTION_SEARCH)
    mail = asked({"type": "jane", "id": "jane"}, {"name": "jane"}, having(RECORD, status="jane", jane="jane"))
    call(mail, records_token)

    entries = spooled()

    assert len(entries) == 2 * len(RULES) + 2 + 1
    text = json.dumps(entries)
    assert [name for name in NAMES if name in text] == []
    refs = {entry["facts"]["subject"]["ref"] for entry in entries}
    assert len(refs) > 3
    assert all(len(ref) == 32 for ref in refs)


def test_the_digest_of_the_facts_is_made_of_pseudonyms(
    records_token: str, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(asked(ALICE, READ, RECORD), records_token)
    monkeypatch.setattr(pseudonyms, "_current", (-1, b""))
    monkeypatch.setattr(pseudonyms, "_keys", {pseudonyms.period_of(time.time()): b"another month's key"})
    call(asked(ALICE, READ, RECORD), records_token)

    first, second = spooled()

    assert first["facts_digest"] != second["facts_digest"]
    assert first["subject"] != second["subject"]


class Seeing(EmbeddedEngine):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def evaluate(self, bundle: LoadedBundle, facts: bytes, query: str = QUERY) -> Verdict:
        self.asked.append((query, json.loads(facts)))
        return super().evaluate(bundle, facts, query)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Seeing:
    seeing = Seeing()
    monkeypatch.setattr(engines, "configured", lambda: seeing)
    monkeypatch.setattr(loading, "_loaded", {})
    return seeing


def test_the_package_sees_ids_and_the_consent_package_does_not(engine: Seeing, records_token: str) -> None:
    call(asked(ALICE, READ, RECORD), records_token)
    person, purpose = {"type": "data_subject", "id": "alice"}, {"purpose": "recommendations"}
    asks_consent = asked(person, {**READ, "properties": purpose}, {"type": "personalization", "id": "record-1"})
    call(asks_consent, records_token)

    (own, facts), (consent, others) = engine.asked
    assert (own, consent) == ("data.governance.certification.answer", QUERY)
    assert (facts["subject"]["id"], facts["resource"]["id"]) == ("alice", "record-1")
    assert "alice" not in json.dumps(others)


def test_the_memo_is_per_entity(engine: Seeing, records_token: str) -> None:
    for subject in (ALICE, BOB, ALICE, BOB, having(ALICE, unheard_of=1)):
        call(asked(subject, READ, RECORD), records_token)

    assert [facts["subject"]["id"] for _, facts in engine.asked] == ["alice", "bob"]
    assert len(evaluate.VERDICTS) == 0
    keys = [facts for (revision, facts), _ in evaluate.ENTITY_VERDICTS.items() if revision == _in_force().revision]
    assert len(keys) == 2
    assert not [key for key in keys if b"alice" in key or b"bob" in key]


def test_drained_entries_are_verified_and_shown_to_nobody_as_consent(
    records_token: str, own_spool: Any, spooled: Spooled
) -> None:
    person = {"type": "data_subject", "id": "customer-1"}
    call(asked(person, READ, RECORD), records_token)
    call(asked(ALICE, WRITE, ARCHIVED), records_token)
    call({"subject": BOB, "action": READ, "resource": {"type": "record"}}, records_token, path=RESOURCE_SEARCH)

    drainer.drain(own_spool)

    verdict = chain.verify()
    assert (verdict.ok, verdict.decisions) == (True, 4)
    rows = Decision.objects.order_by("batch_id", "position")
    assert [(row.action, row.purpose, row.outcome) for row in rows] == [
        ("read", "", "unknown"), ("write", "", "deny"), ("read", "", "permit"), ("read", "", "permit"),
    ]  # fmt: skip
    page = decisions.newest(reading.decisions_about(subject_ref("customer-1")), {}, None)
    assert [decision["outcome"] for decision in page] == ["unknown"]


def test_garbage_of_the_right_shape_is_refused_before_a_wrong_credential_learns_of_it(records_token: str) -> None:
    assert_problem(call(asked(ALICE, READ, having(RECORD)) | {"action": {}}, "x"), 401, "unauthenticated")
    assert_problem(call(asked(ALICE, READ, having(RECORD)) | {"action": {}}, records_token), 400, "invalid_request")
