"""A real OPA server beside Assent: it pulls, is killed, is stopped, holds another revision, starts again, reports."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from common.waiting.breaker import CircuitBreaker
from policies import engines
from policies.bundles import loading, publishing
from policies.decisions import evaluate
from policies.engines import EngineFailure, EngineTimeout, EngineUnavailable, EngineUndefined
from policies.engines.embedded import EmbeddedEngine
from policies.engines.guarded import GuardedEngine
from policies.engines.opa import OpaEngine
from policies.models import ActiveBundle, ExternalDecision, OpaInstance, Region
from tests.helpers.fact_sheets import BASE, FACTS, GENEROUS, STRICT, level_of
from tests.helpers.live_assent import configuration, eventually, live_assent, pulls, turn
from tests.helpers.policy_engines import OpaProcess, opa_process
from tests.helpers.wsgi_calls import call, changed, question

REST_S = 60.0


@pytest.fixture
def opa() -> Iterator[OpaProcess]:
    with opa_process() as server:
        yield server


@pytest.fixture
def assent(shop_token: str) -> Iterator[tuple[str, list[tuple[str, str, int]]]]:
    with live_assent() as live:
        yield live


def _in_force() -> str:
    with turn:
        return ActiveBundle.objects.get().bundle_id


def _change_the_rules() -> str:
    """Bring another revision into force; return it."""
    with turn:
        Region.objects.filter(code="DE").update(time_zone="Europe/Vienna")
        return publishing.publish("another zone", "test").revision


def _decision(opa: OpaProcess, **facts: Any) -> dict[str, Any]:
    url = f"{opa.url}/v1/data/governance/decision/answer"
    return requests.post(url, json={"input": BASE | facts}, timeout=120).json().get("result", {})


class Clock:
    """The breaker's time, which passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _guarded(opa: OpaProcess, clock: Clock, **options: Any) -> GuardedEngine:
    engine = OpaEngine(opa.url, **{"timeout_ms": 500, **options})
    return GuardedEngine(engine, CircuitBreaker(threshold=3, rest_s=REST_S, clock=clock))


def _reasons(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer.json()["context"]["reasons"]]


def test_opa_pulls_the_revision_and_is_told_when_another_is_in_force(
    assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path
) -> None:
    url, asked = assent
    first = _in_force()
    with opa_process(*configuration(tmp_path, url, shop_token)) as opa:
        assert eventually(lambda: _decision(opa).get("revision") == first)
        assert eventually(lambda: pulls(asked, 304))

        second = _change_the_rules()

        assert second != first
        assert eventually(lambda: _decision(opa).get("revision") == second)
        pulled = OpaEngine(opa.url, timeout_ms=60_000, push=False)
        facts = json.dumps(BASE).encode()
        with turn:
            bundle = loading.loaded(second)
        assert pulled.evaluate(bundle, facts) == EmbeddedEngine().evaluate(bundle, facts)
    assert pulls(asked, 200) == 2


def test_opa_with_a_credential_of_another_scope_gets_nothing(assent: tuple[str, list[Any]], tmp_path: Path) -> None:
    from policies.endpoints import credentials

    url, asked = assent
    with turn:
        token = credentials.create_credential(name="other", scopes=["decisions"], actor="test")[0]
    with opa_process(*configuration(tmp_path, url, token)) as opa:
        assert eventually(lambda: pulls(asked, 403))
        assert _decision(opa) == {}
        with pytest.raises(EngineUnavailable):
            OpaEngine(opa.url, timeout_ms=60_000, push=False).evaluate(GENEROUS, FACTS)


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' server answers one request at a time: a long wait would hold up the reports."""
    monkeypatch.setattr(settings, "OPA_LONG_POLL_S", 1)


def test_opa_that_knows_only_where_assent_is_does_all_it_should(
    short_waits: None, assent: tuple[str, list[Any]], shop_token: str, tmp_path: Path
) -> None:
    url, asked = assent
    revision = _in_force()
    discovery = {"discovery": {"service": "assent", "resource": "discovery.tar.gz"}}
    with opa_process(*configuration(tmp_path, url, shop_token, **discovery)) as opa:
        assert eventually(lambda: _decision(opa).get("revision") == revision)
        assert _decision(opa, action="jane.doe@example.org", name="Jane")["decision"] is False
        assert eventually(lambda: ("POST", "/api/v1/opa/logs", 200) in asked, 40)
    with turn:
        instance = OpaInstance.objects.get()
        told = list(ExternalDecision.objects.filter(bundle_revision=revision))
    assert (instance.name, instance.caller) == ("opa-1", "service:shop")
    assert instance.errors == []
    assert {entry.facts.get("action") for entry in told} == {"personalize", "unknown"}
    assert "jane" not in json.dumps([entry.facts for entry in told]).lower()


def test_a_killed_opa_denies_fast_and_serves_again_after_its_return(
    opa: OpaProcess, clock: Clock, shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _guarded(opa, clock, timeout_ms=60_000)
    monkeypatch.setattr(engines, "configured", lambda: engine)
    monkeypatch.setattr(loading, "_loaded", {})
    assert call(question(), shop_token).json()["decision"] is True
    evaluate.VERDICTS.clear()

    opa.kill()
    denied = [call(question(), shop_token) for _ in range(5)]
    assert [(answer.json()["decision"], _reasons(answer)) for answer in denied] == [(False, ["engine_unavailable"])] * 5

    opa.start()
    clock.now += REST_S
    assert call(question(), shop_token).json()["decision"] is True


def test_a_stopped_opa_is_late_then_left_alone_then_tried_again(opa: OpaProcess, clock: Clock) -> None:
    assert eventually(lambda: _level_or_none(OpaEngine(opa.url, timeout_ms=60_000)) == "individual")
    engine = _guarded(opa, clock, timeout_ms=300)

    opa.stop()
    try:
        for _ in range(3):
            with pytest.raises(EngineTimeout):
                engine.evaluate(GENEROUS, FACTS)
        for _ in range(20):
            with pytest.raises(EngineUnavailable, match="left alone"):
                engine.evaluate(GENEROUS, FACTS)
    finally:
        opa.send(signal.SIGCONT)

    clock.now += REST_S
    assert eventually(lambda: _level_again(engine, clock) == "individual")


def _level_again(engine: Any, clock: Clock) -> str | None:
    """Try once more after the rest; a server that was just continued may be late again."""
    clock.now += REST_S
    return _level_or_none(engine)


def _level_or_none(engine: Any) -> str | None:
    try:
        return level_of(engine, GENEROUS)
    except EngineFailure:
        return None


def test_where_it_may_an_embedded_engine_of_the_same_revision_stands_in(
    opa: OpaProcess,
    clock: Clock,
    shop_token: str,
    spooled: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = _guarded(opa, clock, timeout_ms=60_000)
    monkeypatch.setattr(engines, "configured", lambda: engine)
    monkeypatch.setattr(engines, "stand_in", EmbeddedEngine)
    monkeypatch.setattr(loading, "_loaded", {})
    child = changed("subject.properties", {"age_band": "child"})
    assert call(question(), shop_token).json()["decision"] is True
    evaluate.VERDICTS.clear()

    opa.kill()
    answers = [call(body, shop_token).json() for body in (question(), child)]
    opa.start()
    clock.now += REST_S
    answers.append(call(question(), shop_token).json())

    assert [answer["decision"] for answer in answers] == [True, False, True]
    assert {answer["context"]["bundle_revision"] for answer in answers} == {_in_force()}
    assert [entry["engine"] for entry in spooled()] == ["opa", "embedded", "embedded", "opa"]


def test_a_pulling_server_with_another_revision_fails_and_is_given_nothing(opa: OpaProcess, clock: Clock) -> None:
    OpaEngine(opa.url, timeout_ms=60_000).evaluate(GENEROUS, FACTS)
    pulling = OpaEngine(opa.url, timeout_ms=60_000, push=False)
    guarded = _guarded(opa, clock, timeout_ms=60_000, push=False)

    with pytest.raises(EngineUnavailable):
        pulling.evaluate(STRICT, FACTS)

    assert pulling.held_revision() == GENEROUS.revision
    assert (pulling.hold(STRICT), pulling.hold(GENEROUS)) == (False, True)
    for _ in range(3):
        with pytest.raises(EngineUnavailable):
            guarded.evaluate(STRICT, FACTS)
    with pytest.raises(EngineUnavailable, match="left alone"):
        guarded.evaluate(GENEROUS, FACTS)


def test_a_policy_without_an_answer_does_not_open_the_breaker(opa: OpaProcess, clock: Clock) -> None:
    engine = _guarded(opa, clock, timeout_ms=60_000)
    assert level_of(engine, GENEROUS) == "individual"

    for _ in range(5):
        with pytest.raises(EngineUndefined):
            engine.evaluate(GENEROUS, FACTS, "data.governance.decision.unheard_of")

    assert level_of(engine, GENEROUS) == "individual"


def test_a_server_that_starts_empty_is_given_the_revision_when_asked_to_hold_it(opa: OpaProcess) -> None:
    engine = OpaEngine(opa.url, timeout_ms=60_000)

    assert engine.held_revision() is None
    assert engine.hold(GENEROUS)
    assert engine.held_revision() == GENEROUS.revision
