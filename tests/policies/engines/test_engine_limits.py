"""A rule that does not end ends neither the service nor the questions of others."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from policies import engines
from policies.bundles import publishing
from policies.bundles.loading import LoadedBundle
from policies.engines import EngineTimeout, EngineUnavailable
from policies.engines.embedded import EmbeddedEngine, explain
from policies.engines.evaluator import ExplainRequest
from policies.engines.isolated import IsolatedEngine
from policies.models import ActiveBundle, Bundle
from tests.helpers.fact_sheets import FACTS, GENEROUS, STRICT
from tests.helpers.policy_engines import REGISTER, bundle_of
from tests.helpers.polling import until
from tests.helpers.processes import stop_all_threads
from tests.helpers.unusable_policies import UNUSABLE, asked_of
from tests.helpers.wsgi_calls import call, question

LOOP = "count([1 | some a in numbers.range(1, 9000); some b in numbers.range(1, 9000); a * b == 0]) > 0"
HOSTILE = {"decision.rego": f"package governance.decision\n\nanswer := 1 if {{\n\t{LOOP}\n}}\n"}
GREEDY = {
    "decision.rego": "package governance.decision\n\nanswer := concat("
    '"", [text | some a in numbers.range(1, 200000); text := sprintf("%v%v", [input, a])])\n'
}


def _of(policies: dict[str, str], revision: str) -> LoadedBundle:
    return bundle_of({**REGISTER, "revision": revision}, policies)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Iterator[IsolatedEngine]:
    made = IsolatedEngine(timeout_ms=100, processes=2, clock=clock)
    yield made
    made.close()


def test_it_answers_like_the_engine_in_this_process(engine: IsolatedEngine) -> None:
    for bundle in (GENEROUS, STRICT, GENEROUS):
        assert engine.evaluate(bundle, FACTS) == EmbeddedEngine().evaluate(bundle, FACTS)


@pytest.mark.parametrize(("policies", "failure"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_answer_that_is_no_decision_is_the_same_failure(
    engine: IsolatedEngine, policies: dict[str, str], failure: type[Exception]
) -> None:
    with pytest.raises(failure):
        engine.evaluate(asked_of(policies), FACTS)


def test_more_revisions_than_a_process_keeps_are_all_answered(engine: IsolatedEngine) -> None:
    many = [_of(GENEROUS.policies, f"sha256:{number}") for number in range(7)]

    for bundle in [*many, *many]:
        assert engine.evaluate(bundle, FACTS).revision == bundle.revision


def test_a_rule_that_does_not_end_is_a_timeout_and_others_are_answered_meanwhile(
    request: pytest.FixtureRequest,
) -> None:
    engine = IsolatedEngine(timeout_ms=1_000, processes=2)
    request.addfinalizer(engine.close)
    assert engine.evaluate(GENEROUS, FACTS).decision
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            engine.evaluate(_of(HOSTILE, "sha256:hostile"), FACTS)
        except EngineTimeout as exc:
            failed.append(exc)

    asking, answered = threading.Thread(target=ask), 0
    asking.start()
    while asking.is_alive():
        assert engine.evaluate(GENEROUS, FACTS).decision
        answered += 1
    asking.join()

    assert len(failed) == 1
    assert answered > 3


def test_a_revision_that_times_out_again_and_again_is_denied_without_being_asked(
    engine: IsolatedEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile, asked = _of(HOSTILE, "sha256:hostile"), []
    ask = engine._ask_some
    monkeypatch.setattr(engine, "_ask_some", lambda *a: (asked.append(a), ask(*a))[1])
    for _ in range(6):
        with pytest.raises(EngineTimeout):
            engine.evaluate(hostile, FACTS)

    assert len(asked) == 3
    assert engine.evaluate(GENEROUS, FACTS).decision
    clock.now += 11
    with pytest.raises(EngineTimeout):
        engine.evaluate(hostile, FACTS)
    assert len(asked) == 5, "after a rest it is tried once more"


def test_a_rule_that_takes_all_memory_breaks_only_its_own_process(engine: IsolatedEngine) -> None:
    with pytest.raises((EngineUnavailable, EngineTimeout)):
        engine.evaluate(_of(GREEDY, "sha256:greedy"), FACTS)

    assert engine.evaluate(GENEROUS, FACTS).decision


def test_a_process_killed_while_idle_is_replaced_without_a_denial(engine: IsolatedEngine) -> None:
    engine.evaluate(GENEROUS, FACTS)
    [process] = engine._idle.queue
    os.kill(process._process.pid, signal.SIGKILL)
    until(lambda: not process.is_alive, "the process to be gone")

    assert engine.evaluate(GENEROUS, FACTS).decision


def test_a_process_killed_while_it_works_is_a_denial_and_the_next_question_is_answered(
    engine: IsolatedEngine,
) -> None:
    engine.evaluate(GENEROUS, FACTS)
    [process] = engine._idle.queue
    stop_all_threads(process._process)
    killer = threading.Timer(0.2, process._process.kill)
    killer.start()

    with pytest.raises(EngineUnavailable):
        engine.evaluate(GENEROUS, FACTS)

    assert engine.evaluate(GENEROUS, FACTS).decision


def test_a_machine_that_is_too_busy_is_not_held_against_the_rules(
    engine: IsolatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.evaluate(GENEROUS, FACTS)
    for _ in range(4):
        [process] = engine._idle.queue
        stop_all_threads(process._process)  # it does not run, so it uses no processor time
        with pytest.raises(EngineTimeout):
            engine.evaluate(GENEROUS, FACTS)
        assert engine.evaluate(GENEROUS, FACTS).decision


def test_an_explanation_that_does_not_end_is_ended_too(engine: IsolatedEngine) -> None:
    # The answer never looks at the slow rule; an explanation looks at all of them.
    slow = {**GENEROUS.policies, "slow.rego": f"package governance.decision\n\nslow if {{\n\t{LOOP}\n}}\n"}
    bundle = _of(slow, "sha256:slow")
    assert engine.evaluate(bundle, FACTS).decision
    request = ExplainRequest(FACTS.decode(), "governance.decision", "package governance.decision\n", ["slow"])

    with pytest.raises(EngineTimeout):
        engine.explain(bundle, request)

    assert engine.evaluate(bundle, FACTS).decision


def test_an_explanation_is_the_one_of_the_engine_in_this_process(engine: IsolatedEngine) -> None:
    more, rules = "package governance.decision\n", ["permitted", "requestable"]

    told = engine.explain(GENEROUS, ExplainRequest(FACTS.decode(), "governance.decision", more, rules))

    assert told == explain(GENEROUS, FACTS, package="governance.decision", more=more, rules=rules)
    assert told.values["permitted"] is True


def test_after_a_fork_the_processes_of_the_parent_are_left_alone(engine: IsolatedEngine) -> None:
    engine.evaluate(GENEROUS, FACTS)
    [of_parent] = engine._idle.queue
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:  # nothing of pytest may run here, whatever happens
        try:
            engine.evaluate(GENEROUS, FACTS)
            [own] = engine._idle.queue
            os.write(writing, b"own" if own is not of_parent else b"shared")
            own.end()
            engine.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 16) == b"own"
    os.close(reading)
    os.close(writing)
    assert of_parent.is_alive
    assert engine.evaluate(GENEROUS, FACTS).decision


def test_no_process_outlives_the_one_that_asked(engine: IsolatedEngine) -> None:
    engine.evaluate(GENEROUS, FACTS)
    [process] = engine._idle.queue
    process._process.stdin.close()  # what the end of this process would do

    assert process._process.wait(timeout=120) == 0


@pytest.fixture
def forced(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """The hostile policy in force, past every check; return how to ask a question."""
    data = ActiveBundle.objects.get().bundle.data
    bundle = Bundle.objects.create(
        revision=f"sha256:{'0' * 63}1", policies=HOSTILE, data=data, reason="forced", actor="attacker"
    )
    publishing.activate(bundle=bundle, reason="forced", actor="attacker")
    made = IsolatedEngine(timeout_ms=50, processes=1)
    monkeypatch.setattr(engines, "configured", lambda: made)
    return lambda number=0: call(question(f"customer-{number}"), shop_token)


def test_a_hostile_policy_in_force_denies_and_leaves_the_other_endpoints_answering(
    forced: Callable[..., Any], shop_token: str, spooled: Callable[[], list[dict[str, Any]]]
) -> None:
    answers = [forced(1).json() for _ in range(5)]

    assert {answer["decision"] for answer in answers} == {False}
    assert {answer["context"]["reasons"][0]["code"] for answer in answers} == {"engine_timeout"}
    assert [entry["outcome"] for entry in spooled()] == ["unknown"] * 5
    state = call({"subject": {"id": "customer-1"}}, shop_token, path="/api/v1/consents/state")
    assert state.json()["purposes"]["recommendations"]["state"] == "given"
    assert call(b"", None, path="/health/live", method="GET", CONTENT_LENGTH="0").status == 200
