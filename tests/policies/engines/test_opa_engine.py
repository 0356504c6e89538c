"""``OpaEngine`` gives the answers of the embedded engine, and a failure of its own for whatever goes wrong."""

import copy
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from policies import engines
from policies.bundles import publishing
from policies.bundles.loading import LoadedBundle
from policies.decisions import evaluate
from policies.engines import EngineFailure
from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from tests.helpers.fact_sheets import BASE, FACTS, GENEROUS, STRICT, level_of
from tests.helpers.policy_engines import REGISTER, bundle_of
from tests.helpers.wsgi_calls import call, changed, question


def test_a_server_that_holds_nothing_is_given_the_bundle(opa_url: str) -> None:
    requests.put(f"{opa_url}/v1/data", json={}, timeout=120).raise_for_status()
    requests.delete(f"{opa_url}/v1/policies/assent/policy.rego", timeout=120)

    assert OpaEngine(opa_url, timeout_ms=60_000).evaluate(GENEROUS, FACTS) == EmbeddedEngine().evaluate(GENEROUS, FACTS)


def test_a_server_that_holds_another_revision_is_given_the_one_asked(opa_engine: OpaEngine) -> None:
    assert [level_of(opa_engine, bundle) for bundle in (GENEROUS, STRICT, GENEROUS, GENEROUS, STRICT)] == [
        "individual", "segment", "individual", "individual", "segment",
    ]  # fmt: skip


def test_a_server_that_holds_the_revision_is_given_nothing(opa_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert level_of(OpaEngine(opa_url, timeout_ms=60_000), GENEROUS) == "individual"
    newcomer = OpaEngine(opa_url, timeout_ms=60_000)
    monkeypatch.setattr(newcomer, "_push", lambda *_args: pytest.fail("pushed what was there"))

    assert level_of(newcomer, GENEROUS) == "individual"


def test_nothing_of_an_earlier_revision_stays_behind(opa_engine: OpaEngine) -> None:
    more = {
        **publishing.read_policies(),
        "more.rego": 'package governance.decision\n\ndenial_reasons contains {"code": "x"}\n',
    }
    denied = json.dumps(BASE | {"held": True}).encode()
    data = copy.deepcopy(REGISTER) | {"revision": "sha256:more"}
    codes = [reason.code for reason in opa_engine.evaluate(bundle_of(data, more), denied).reasons]
    assert "legal_hold" in codes

    verdict = opa_engine.evaluate(GENEROUS, denied)

    assert [reason.code for reason in verdict.reasons] == ["legal_hold"]


QUESTIONS = {
    "a permit": question(),
    "a stranger": question("stranger"),
    "a signal": changed("context.signals", {"gpc": True}),
    "a child": changed("subject.properties", {"age_band": "child"}),
    "another region": changed("context.processing_region", "us-east"),
    "a transfer": changed("context.processing_region", "uk-south"),
    "an unknown purpose": changed("action.properties.purpose", "unheard_of"),
    "collecting": changed("action.name", "collect"),
    "sharing": changed("action.name", "share"),
    "a foreign category": changed("resource.properties.data_categories", ["views", "health"]),
    "an unknown model": changed("resource.properties.model", "nobody@1"),
}


@pytest.mark.parametrize("body", QUESTIONS.values(), ids=QUESTIONS)
def test_services_get_the_same_answer_from_both_engines(
    shop_token: str,
    opa_engine: OpaEngine,
    spooled: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, Any],
) -> None:
    answers = []
    for engine in (EmbeddedEngine(), opa_engine):
        monkeypatch.setattr(engines, "configured", lambda engine=engine: engine)
        evaluate.VERDICTS.clear()
        answers.append(call(body, shop_token).json())

    for answer in answers:
        del answer["context"]["decision_id"]
    assert answers[0] == answers[1]
    assert [entry["engine"] for entry in spooled()] == ["embedded", "opa"]


@pytest.mark.parametrize("kept", [[GENEROUS], [GENEROUS, STRICT]], ids=["one revision", "two revisions in turn"])
def test_threads_get_the_answer_of_the_revision_they_ask(opa_url: str, kept: list[LoadedBundle]) -> None:
    engine = OpaEngine(opa_url, timeout_ms=60_000)
    requests.put(f"{opa_url}/v1/data", json={}, timeout=120).raise_for_status()
    expected = {GENEROUS.revision: "individual", STRICT.revision: "segment"}
    answers: list[tuple[str, Any]] = []

    def ask(number: int) -> None:
        for turn in range(6):
            bundle = kept[(number + turn) % len(kept)]
            try:
                answers.append((bundle.revision, engine.evaluate(bundle, FACTS).level))
            except EngineFailure as failure:
                answers.append((bundle.revision, failure))

    threads = [threading.Thread(target=ask, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 24
    assert [answer for answer in answers if expected[answer[0]] != answer[1]] == []


def test_threads_that_find_the_server_empty_push_once(opa_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = OpaEngine(opa_url, timeout_ms=60_000)
    requests.put(f"{opa_url}/v1/data", json={}, timeout=120).raise_for_status()
    push, pushed, all_have_asked = engine._push, [], threading.Barrier(3, timeout=300)
    ask_after_push = engine._ask_after_push

    def counted(bundle: LoadedBundle, ends: float) -> None:
        pushed.append(bundle.revision)
        push(bundle, ends)

    def together(*args: Any) -> Any:
        all_have_asked.wait()
        return ask_after_push(*args)

    monkeypatch.setattr(engine, "_push", counted)
    monkeypatch.setattr(engine, "_ask_after_push", together)

    threads = [threading.Thread(target=engine.evaluate, args=[GENEROUS, FACTS]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert pushed == [GENEROUS.revision]
