"""Whatever fails on the way to a decision is a denial with a code of its own, counted apart, and forgotten at once."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from policies import engines
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions import evaluate
from policies.decisions.evaluate import Decision
from policies.endpoints.authzen import question_of
from policies.engines import EngineTimeout, EngineUnavailable, EngineUndefined, Verdict
from policies.engines.base import QUERY, read_verdict
from policies.engines.embedded import EmbeddedEngine
from policies.models import ActiveBundle
from tests.helpers.fact_sheets import FACTS
from tests.helpers.unusable_policies import ANSWER, UNUSABLE, answering, asked_of
from tests.helpers.wsgi_calls import call, changed, question

Spooled = Callable[[], list[dict[str, Any]]]


class FakeEngine:
    """Fails as it is told; answers like the embedded engine where it is told nothing."""

    name = "fake"

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.asked = 0
        self._working = EmbeddedEngine()

    def evaluate(self, bundle: LoadedBundle, facts: bytes, query: str = QUERY) -> Verdict:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self._working.evaluate(bundle, facts, query)


@pytest.fixture
def engine(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(engines, "configured", lambda: fake)
    monkeypatch.setattr(loading, "_loaded", {})  # nothing is remembered from before
    return fake


def _ask(**changes: Any) -> Decision:
    return evaluate.decide(question_of(question(**changes)), caller="service:test")


def _assert_unknown(document: dict[str, Any], spooled: Spooled, code: str) -> None:
    assert document["decision"] is False
    assert document["context"]["level"] == "none"
    assert [reason["code"] for reason in document["context"]["reasons"]] == [code]
    entry = spooled()[-1]
    assert (entry["id"], entry["outcome"]) == (document["context"]["decision_id"], "unknown")
    assert [reason["code"] for reason in entry["reasons"]] == [code]


FAILURES = [
    (EngineUnavailable("no route"), "engine_unavailable"),
    (EngineTimeout("too slow"), "engine_timeout"),
    (EngineUndefined("no answer"), "engine_undefined"),
]


@pytest.mark.parametrize(("failure", "code"), FAILURES, ids=[code for _, code in FAILURES])
def test_an_engine_that_fails_denies_and_is_asked_again(
    engine: FakeEngine, shop_token: str, spooled: Spooled, failure: Exception, code: str
) -> None:
    engine.failure = failure
    for asked in (1, 2):
        answer = call(question(), shop_token)
        assert answer.status == 200
        _assert_unknown(answer.json(), spooled, code)
        assert engine.asked == asked

    engine.failure = None

    assert call(question(), shop_token).json()["decision"] is True


def test_an_engine_that_fails_takes_back_no_answer_it_gave(engine: FakeEngine, shop_token: str) -> None:
    assert call(question(), shop_token).json()["decision"] is True
    engine.failure = EngineUnavailable("no route")

    # The same facts under the same revision have the same answer, engine or not.
    assert call(question(), shop_token).json()["decision"] is True
    assert engine.asked == 1
    assert call(changed("action.name", "collect"), shop_token).json()["decision"] is False


def test_the_failures_words_are_not_in_the_answer(engine: FakeEngine, shop_token: str, spooled: Spooled) -> None:
    engine.failure = EngineUnavailable("jane.doe@example.org cannot be asked")

    assert b"jane" not in call(question(), shop_token).body
    assert "jane" not in json.dumps(spooled())


def test_without_a_bundle_in_force_nothing_is_permitted(shop_token: str, spooled: Spooled) -> None:
    ActiveBundle.objects.all().delete()

    _assert_unknown(call(question(), shop_token).json(), spooled, "bundle_missing")


@pytest.mark.parametrize("data", ["nonsense", "{}", "[]", '{"purposes": 3}'])
def test_a_bundle_that_cannot_be_read_is_missing(
    shop_token: str, spooled: Spooled, as_attacker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.setattr(loading, "_loaded", {})
    as_attacker(f"UPDATE policies_bundle SET data = '{data}'")

    _assert_unknown(call(question(), shop_token).json(), spooled, "bundle_missing")


@pytest.mark.parametrize("consents", ['{"recommendations": {}}', '{"recommendations": 3}', "[]", '"x"'])
def test_a_person_whose_row_makes_no_sense_is_not_decided_about(
    shop_token: str, as_attacker: Callable[[str], None], consents: str
) -> None:
    as_attacker(f"UPDATE consent_datasubject SET consents = '{consents}'")

    answer = call(question(), shop_token)

    assert answer.status == 503
    assert _ask().reasons == ["information_unavailable"]


def test_what_could_not_be_read_is_unknown_to_callers_in_this_process(
    shop_token: str, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    from policies.decisions import information

    def fail(*_args: Any) -> None:
        raise information.InformationUnavailable

    monkeypatch.setattr(information, "read", fail)

    decision = _ask()

    assert (decision.permitted, decision.level, decision.subject_revision) == (False, "none", 0)
    _assert_unknown(json.loads(decision.body), spooled, "information_unavailable")


@pytest.mark.parametrize(("policies", "failure"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_answer_that_is_no_decision_is_a_failure(policies: dict[str, str], failure: type[Exception]) -> None:
    with pytest.raises(failure):
        EmbeddedEngine().evaluate(asked_of(policies), FACTS)


def test_the_answer_these_were_made_from_is_a_decision() -> None:
    assert read_verdict(json.dumps(ANSWER), "sha256:asked").decision is True


@pytest.mark.parametrize("answer", [b"\xff\xfe", b"", b"[]", b'{"decision": true}', b"NaN"])
def test_bytes_that_are_no_decision_are_a_failure(answer: bytes) -> None:
    with pytest.raises(EngineUndefined):
        read_verdict(answer, "sha256:asked")


def test_a_policy_that_answers_nothing_denies(
    shop_token: str, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = ActiveBundle.objects.get().bundle_id
    broken = dataclasses.replace(loading.loaded(revision), policies=answering("other := 1"))
    monkeypatch.setattr(loading, "_loaded", {revision: broken})
    monkeypatch.setattr(engines, "configured", EmbeddedEngine)

    _assert_unknown(call(question(), shop_token).json(), spooled, "engine_undefined")
    assert len(evaluate.VERDICTS) == 0


OUTCOMES = [
    ("permit", question()),
    ("deny", changed("subject.properties", {"age_band": "child"})),
    ("deny", changed("context.processing_region", "us-east")),
    ("unknown", changed("action.properties.purpose", "unheard_of")),
    ("unknown", changed("resource.properties.model", "nobody@1")),
    ("unknown", changed("subject.properties", {"region": "XX"})),
    ("unknown", changed("context.min_revision", 9)),
    ("unknown", question("stranger")),
]


@pytest.mark.parametrize(("outcome", "body"), OUTCOMES)
def test_what_is_not_known_is_counted_apart_from_what_is_denied(
    shop_token: str, spooled: Spooled, outcome: str, body: dict[str, Any]
) -> None:
    call(body, shop_token)

    assert spooled()[-1]["outcome"] == outcome
