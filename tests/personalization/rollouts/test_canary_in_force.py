"""Whom a canary serves: the people of its share at the next request, in both engines, and nobody once it is out."""

from collections.abc import Callable
from itertools import islice
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from common.rollouts.shares import FULL
from common.waiting.breaker import CircuitBreaker
from consent.models import Purpose
from consent.pseudonyms import subject_ref
from model_registry import descriptors, services
from model_registry.models import ModelVersion
from oversight.problems import ChangeRefused
from personalization import engine
from personalization.rollouts import service
from policies.bundles import loading, publishing
from policies.bundles.loading import Canary
from policies.decisions import facts, information
from policies.engines.base import QUERY
from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from policies.models import ActiveBundle
from tests.helpers.model_rollouts import CLARA, DORA, people, start
from tests.helpers.policy_engines import opa_server

pytestmark = pytest.mark.django_db
LIVE, CANARY = "house-recommender@1", "house-recommender@2"
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def opa():
    with opa_server() as url:
        yield OpaEngine(url, timeout_ms=60_000)


@pytest.fixture
def sides(candidate: ModelVersion, agree: Callable[[str], str]) -> tuple[str, str]:
    """A person whom the canary serves, and one whom it does not."""
    rollout = start(candidate, share=3_000)
    return agree(next(people(rollout, inside=True))), agree(next(people(rollout, inside=False)))


def _bundle():
    return loading.loaded(ActiveBundle.objects.get().bundle_id)


def _decide(api: Any, person: str, model: str) -> tuple[bool, list[tuple[str, str | None]]]:
    properties = {"data_categories": ["views"], "model": model}
    _, document, _ = api.evaluate(
        {
            "subject": {"type": "data_subject", "id": person},
            "action": {"name": "personalize", "properties": {"purpose": "recommendations"}},
            "resource": {"type": "personalization", "id": "home", "properties": properties},
            "context": {"processing_region": "eu-central"},
        }
    )
    return document["decision"], [(r["code"], r.get("detail")) for r in document["context"]["reasons"]]


@given(st.uuids(), st.integers(1, 2**60), st.integers(0, FULL), st.integers(0, FULL))
def test_widening_keeps_those_inside(person: UUID, rollout: int, one: int, other: int) -> None:
    smaller, larger = sorted((one, other))

    if Canary(share=smaller, rollout=rollout).serves((person,)):
        assert Canary(share=larger, rollout=rollout).serves((person,))


def test_a_canary_serves_its_share_and_the_live_version_all_others(ask: Ask, sides: tuple[str, str]) -> None:
    inside, outside = sides

    assert (ask(inside)["model"], ask(outside)["model"]) == (CANARY, LIVE)
    assert (ask(inside)["level"], ask(outside)["level"]) == ("individual", "individual")


def test_a_shadow_serves_nobody(ask: Ask, api: Any, candidate: ModelVersion, agree: Callable[[str], str]) -> None:
    start(candidate)
    person = agree("customer-1")

    assert ask(person)["model"] == LIVE
    assert _decide(api, person, CANARY) == (False, [("model_not_live", "canary")])


def test_a_caller_who_names_the_canary_is_answered_by_the_side_of_the_person(api: Any, sides: tuple[str, str]) -> None:
    inside, outside = sides

    assert _decide(api, inside, CANARY) == (True, [])
    assert _decide(api, outside, CANARY) == (False, [("model_not_live", "canary")])
    # The live version is approved for everybody: the share decides who gets the canary, not who loses the other.
    assert _decide(api, inside, LIVE) == (True, [])


def test_a_question_about_no_person_is_on_no_side(candidate: ModelVersion) -> None:
    start(candidate, share=5_000)
    question = facts.Question(
        subject_ref=information.NO_SUBJECT, action="personalize", purpose="recommendations", model=CANARY
    )

    made = facts.build(question, information.NOTHING, _bundle(), 0.0)

    assert b'"status":"canary"' in made.document


def _suspended(candidate: ModelVersion) -> None:
    services.change_status(version_id=candidate.pk, status="suspended", actor=CLARA)


def _stopped(candidate: ModelVersion) -> None:
    service.stop(candidate.rollouts.get().pk, actor=CLARA, reason="seen enough")


def _sent_back(candidate: ModelVersion) -> None:
    """A change of what it may do, as a change set in force leaves it."""
    version = ModelVersion.objects.get(pk=candidate.pk)
    version.max_level = "segment"
    descriptors._save_permissions(version, False)
    publishing.publish("permissions", "test")


@pytest.mark.parametrize("take_out", [_suspended, _stopped, _sent_back])
def test_a_canary_that_is_taken_out_serves_nobody_at_the_next_request_and_the_live_one_goes_on(
    take_out: Callable[[ModelVersion], None], ask: Ask, api: Any, sides: tuple[str, str], candidate: ModelVersion
) -> None:
    inside, outside = sides
    assert ask(inside)["model"] == CANARY

    take_out(candidate)

    assert [ask(person)["model"] for person in sides] == [LIVE, LIVE]
    assert [ask(person)["level"] for person in sides] == ["individual", "individual"]
    assert _decide(api, inside, CANARY)[0] is False
    assert _decide(api, outside, LIVE) == (True, [])
    assert not candidate.rollouts.get().is_open


def test_a_canary_whose_gates_end_is_passed_over_without_any_job(
    ask: Ask, api: Any, sides: tuple[str, str], candidate: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, _ = sides
    ModelVersion.objects.filter(pk=candidate.pk).update(approved_until=timezone.now().date())
    publishing.publish("approved until today", "test")
    assert ask(inside)["model"] == CANARY
    [end] = [end for name, end in _bundle().gate_ends.items() if name == CANARY]

    monkeypatch.setattr("time.time", lambda: end + 1)

    assert ask(inside)["model"] == LIVE
    assert _decide(api, inside, CANARY) == (False, [("gate_failed", None)])
    assert _decide(api, inside, LIVE) == (True, [])


@pytest.mark.parametrize("state", ["inside", "outside", "suspended", "expired"])
def test_both_engines_answer_alike_about_a_canary(
    state: str, api: Any, sides: tuple[str, str], candidate: ModelVersion, opa: OpaEngine
) -> None:
    inside, outside = sides
    if state == "suspended":
        _suspended(candidate)
    now = timezone.now().timestamp()
    if state == "expired":
        ModelVersion.objects.filter(pk=candidate.pk).update(approved_until=timezone.now().date())
        publishing.publish("approved until today", "test")
        now += 2 * 86_400
    bundle = _bundle()
    ref = subject_ref(outside if state == "outside" else inside)
    known = information.read(ref)
    answers = {}
    for model in (CANARY, LIVE):
        question = facts.Question(
            subject_ref=ref,
            action="personalize",
            purpose="recommendations",
            model=model,
            data_categories=("views",),
            processing_region="eu-central",
        )
        document = facts.build(question, known, bundle, now).document
        verdicts = [each.evaluate(bundle, document, QUERY) for each in (EmbeddedEngine(), opa)]
        assert verdicts[0].decision == verdicts[1].decision
        assert verdicts[0].reasons == verdicts[1].reasons
        answers[model] = verdicts[0].decision

    assert answers[CANARY] is (state == "inside")
    assert answers[LIVE] is True


def test_another_live_version_ends_the_rollout(
    ask: Ask, sides: tuple[str, str], candidate: ModelVersion, register: Callable[..., ModelVersion]
) -> None:
    third = register()

    services.change_status(version_id=third.pk, status="live", actor=DORA)

    rollout = candidate.rollouts.get()
    assert (rollout.state, ModelVersion.objects.get(pk=candidate.pk).status) == ("overtaken", "approved")
    assert {ask(person)["model"] for person in sides} == {"house-recommender@3"}


def test_a_canary_that_fails_rests_alone(
    ask: Ask, sides: tuple[str, str], own_breaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures of the canary open no breaker of the live version."""
    breakers: dict[str, Any] = {}
    monkeypatch.setattr(engine, "_breaker", lambda name: breakers.setdefault(name, CircuitBreaker()))
    load = engine.load

    def failing(name: str, bundle: Any) -> Any:
        if name == CANARY:
            raise RuntimeError
        return load(name, bundle)

    monkeypatch.setattr(engine, "load", failing)
    monkeypatch.setattr(engine, "segment_size", lambda *_: 50)
    inside, outside = sides

    answers = [ask(inside)["fallback"] for _ in range(6)]

    assert answers == ["recommender_failed"] * 5 + ["recommender_resting"]
    assert ask(outside)["level"] == "individual"


def test_every_person_stays_on_a_side(ask: Ask, sides: tuple[str, str], candidate: ModelVersion, agree: Any) -> None:
    rollout = candidate.rollouts.get()
    inside = [agree(person) for person in islice(people(rollout, inside=True), 1, 3)]

    service.set_share(rollout.pk, 5_000, actor=DORA)

    assert {ask(person)["model"] for person in inside} == {CANARY}


def test_fewer_purposes_than_the_live_version_are_no_canary(candidate: ModelVersion, deployed: ModelVersion) -> None:
    deployed.purposes.add(Purpose.objects.get(slug="personalization"))

    with pytest.raises(ChangeRefused, match="more purposes"):
        start(candidate)


def test_a_version_in_a_canary_serves_as_training_sets_see_it(candidate: ModelVersion) -> None:
    start(candidate)

    assert ModelVersion.objects.get(pk=candidate.pk).serves
