"""Whatever fails on the way, the person gets the list everybody gets, and the answer says so."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from django.conf import settings
from django.db import OperationalError, connection

from common.waiting.breaker import CircuitBreaker
from model_registry import services
from model_registry.models import ModelVersion
from personalization import engine, proxy
from personalization.recommender import storage
from personalization.recommender.model import Model
from personalization.serving import reading
from policies.decisions import evaluate, information
from policies.endpoints import wsgi
from policies.engines.base import Obligation
from tests.helpers import models, recent

pytestmark = pytest.mark.django_db


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def liked(api, deployed, remember, shop):
    api.save("customer-1", "give")
    remember("customer-1", [item.id for item in shop.items[:8]])


def _change(version, status):
    models.take(version, status)


def _is_everybodys_list(answer, shop):
    return answer["level"] == "none" and [item["item"] for item in answer["items"]] == [
        item.id for item in shop.items[: len(answer["items"])]
    ]


@pytest.mark.parametrize("status", ["suspended", "retired"])
def test_a_model_switched_off_is_not_used_from_the_next_request_on(ask, liked, deployed, shop, status):
    assert ask()["level"] == "individual"

    _change(deployed, status)

    answer = ask()
    assert _is_everybodys_list(answer, shop)
    if status == "suspended":
        assert [(r["code"], r["detail"]) for r in answer["reasons"]] == [("model_not_live", "suspended")]
        assert (answer["model"], answer["fallback"]) == ("house-recommender@1", None)
    else:
        assert (answer["model"], answer["fallback"]) == (None, "no_model")


def test_a_model_switched_on_again_is_used_from_the_next_request_on(ask, liked, deployed):
    _change(deployed, "suspended")
    _change(deployed, "live")

    assert ask()["level"] == "individual"


def test_a_draft_is_never_served(ask, api, draft, remember, shop):
    api.save("customer-1", "give")
    remember("customer-1", [item.id for item in shop.items[:8]])

    answer = ask()

    assert _is_everybodys_list(answer, shop)
    assert (answer["model"], answer["fallback"]) == (None, "no_model")


def test_a_newer_draft_does_not_take_the_place_of_the_version_in_force(ask, liked, deployed):
    newer = services.register_version(
        model=deployed.model,
        purposes=list(deployed.purposes.all()),
        actor="test",
        artifact="never-approved",
        artifact_sha256="0" * 64,
    )

    answer = ask()

    assert newer.status == ModelVersion.Status.DRAFT
    assert (answer["level"], answer["model"]) == ("individual", "house-recommender@1")


def test_the_levels_of_a_model_are_a_ceiling(ask, liked, deployed):
    ModelVersion.objects.filter(pk=deployed.pk).update(max_level="behavioral")
    models.with_evidence(ModelVersion.objects.get(pk=deployed.pk))
    _change(deployed, "suspended")
    _change(deployed, "live")

    answer = ask()

    assert (answer["level"], answer["reasons"][0]["code"]) == ("behavioral", "level_capped_by_model")


def _exchange(deployed):
    """Put another valid model where the approved one was, as somebody with write access to the folder could."""
    place = settings.MODEL_DIR / deployed.artifact
    manifest = storage.Manifest.model_validate_json((place / "manifest.json").read_bytes())
    other = manifest.model_copy(update={"created": datetime(2026, 4, 1, tzinfo=UTC)})
    other = other.model_copy(update={"digest": storage._digest(other)})
    (place / "manifest.json").write_text(other.model_dump_json())
    assert storage.load(place, folder=settings.MODEL_DIR)
    return place


def _delete(deployed):
    place = settings.MODEL_DIR / deployed.artifact
    for path in place.iterdir():
        path.unlink()
    place.rmdir()


def _use_breaker(monkeypatch, breaker):
    monkeypatch.setattr(engine, "_breaker", lambda _name: breaker)


def _damage(deployed):
    with (settings.MODEL_DIR / deployed.artifact / "arrays.npz").open("ab") as file:
        file.write(b"\x00")


@pytest.mark.parametrize("harm", [_exchange, _delete, _damage])
def test_an_artifact_that_is_not_the_approved_one_is_not_served(ask, liked, deployed, shop, harm):
    harm(deployed)

    answer = ask()

    assert _is_everybodys_list(answer, shop)
    assert answer["permitted_level"] == "individual"
    assert answer["fallback"] == "model_unusable"


def test_an_unusable_model_is_named_each_time(ask, liked, deployed, monkeypatch):
    """The kind: a failure under the name of another. Resting would hide which one it is."""
    _use_breaker(monkeypatch, CircuitBreaker(threshold=2, rest_s=10.0))
    _delete(deployed)

    assert [ask()["fallback"] for _ in range(4)] == ["model_unusable"] * 4


def test_a_version_without_an_artifact_is_not_served(ask, liked, deployed, shop):
    version = services.register_version(model=deployed.model, purposes=list(deployed.purposes.all()), actor="test")
    models.go_live(version)

    answer = ask()

    assert _is_everybodys_list(answer, shop)
    assert (answer["model"], answer["fallback"]) == ("house-recommender@2", "model_unusable")


@pytest.mark.parametrize("failure", [RuntimeError("broken"), MemoryError(), ValueError("nan")])
def test_a_recommender_that_fails_is_answered_for(ask, liked, shop, monkeypatch, failure):
    def recommend(self, *args, **kwargs):
        raise failure

    monkeypatch.setattr(Model, "recommend", recommend)

    answer = ask()

    assert _is_everybodys_list(answer, shop)
    assert answer["fallback"] == "recommender_failed"
    assert str(failure) == "" or str(failure) not in str(answer)


def test_a_model_that_cannot_be_loaded_to_name_what_got_a_no_is_answered_for(ask, liked, remember, shop, monkeypatch):
    remember("customer-1", [shop.items[9].id], kind="dismiss")

    def load(*args):
        raise MemoryError

    monkeypatch.setattr(engine, "load", load)

    answer = ask()

    assert _is_everybodys_list(answer, shop)
    assert answer["fallback"] == "recommender_failed"


def test_a_recommender_that_is_slow_rests(ask, liked, monkeypatch):
    _use_breaker(monkeypatch, CircuitBreaker(threshold=2, rest_s=10.0))
    monkeypatch.setattr(engine, "SLOW_S", -1.0)

    assert [ask(count=count)["fallback"] for count in (5, 6, 7)] == [None, None, "recommender_resting"]


def test_a_catalogue_that_cannot_be_read_is_no_failure_of_the_engine(ask, liked, monkeypatch):
    def silent(*args):
        raise reading.ReadingFailed

    monkeypatch.setattr(reading, "entries", silent)
    _use_breaker(monkeypatch, CircuitBreaker(threshold=1, rest_s=10.0))
    answers = [ask() for _ in range(2)]

    assert [(answer["level"], answer["fallback"]) for answer in answers] == [("none", "information_unavailable")] * 2
    assert answers[0]["items"]


def test_after_failures_in_a_row_the_recommender_rests_and_is_then_tried_again(ask, liked, shop, monkeypatch):
    clock, calls, healthy = Clock(), [], Model.recommend
    _use_breaker(monkeypatch, CircuitBreaker(threshold=2, rest_s=10.0, clock=clock))

    def recommend(self, *args, **kwargs):
        calls.append(1)
        if len(calls) <= 2:
            raise RuntimeError("broken")
        return healthy(self, *args, **kwargs)

    monkeypatch.setattr(Model, "recommend", recommend)

    fallbacks = [ask()["fallback"] for _ in range(4)]
    clock.now += 10
    recovered = [ask(count=count) for count in (5, 6)]

    assert fallbacks == ["recommender_failed", "recommender_failed", "recommender_resting", "recommender_resting"]
    assert [answer["level"] for answer in recovered] == ["individual", "individual"]
    assert len(calls) == 4  # nothing was asked of it while it rested


def test_a_denial_does_not_ask_the_recommender_at_all(ask, api, liked, monkeypatch):
    monkeypatch.setattr(Model, "recommend", lambda *args, **kwargs: pytest.fail("asked without permission"))
    api.save("customer-1", "withdraw")

    assert ask()["fallback"] is None


def test_a_permit_with_a_duty_nobody_here_understands_is_no_permit(ask, liked, shop, monkeypatch):
    decide = evaluate.BatchEvaluation.decide

    def stricter(*args, **kwargs):
        decision = decide(*args, **kwargs)
        verdict = msgspec.structs.replace(
            decision.rendered.verdict, obligations=[Obligation("water_mark", {}), Obligation("max_level", {})]
        )
        rendered = evaluate.render_verdict(verdict, decision.rendered.facts, "test")
        return evaluate.Decision(decision.id, rendered, decision.subject_revision, None, "sha256:test", b"")

    monkeypatch.setattr(evaluate.BatchEvaluation, "decide", stricter)

    answer = ask()

    assert _is_everybodys_list(answer, shop)
    assert (answer["permitted_level"], answer["fallback"]) == ("individual", "obligation_not_supported")


# A review holds the answer back: tests/personalization/review. What masks nothing cannot be kept: masking.
@pytest.mark.parametrize("duty", sorted(proxy._FULFILLED - {"human_review", "mask_fields"}))
def test_the_duties_the_proxy_fulfils_do_not_stop_it(ask, liked, duty, monkeypatch):
    decide = evaluate.BatchEvaluation.decide

    def with_duty(*args, **kwargs):
        decision = decide(*args, **kwargs)
        verdict = msgspec.structs.replace(decision.rendered.verdict, obligations=[Obligation(duty, {})])
        rendered = evaluate.render_verdict(verdict, decision.rendered.facts, "test")
        return evaluate.Decision(decision.id, rendered, decision.subject_revision, None, "sha256:test", b"")

    monkeypatch.setattr(evaluate.BatchEvaluation, "decide", with_duty)

    assert ask()["level"] == "individual"


def test_without_information_nothing_is_permitted(ask, liked, shop, monkeypatch):
    def silent(*args, **kwargs):
        raise information.InformationUnavailable

    monkeypatch.setattr(information, "asked", silent)

    answer = ask()

    assert _is_everybodys_list(answer, shop)
    assert (answer["permitted_level"], answer["fallback"]) == ("none", "information_unavailable")
    assert [reason["code"] for reason in answer["reasons"]] == ["information_unavailable"]


def test_an_answer_that_cannot_be_logged_is_not_given(api, liked, tmp_path, monkeypatch):
    broken = tmp_path / "a-file"
    broken.write_text("where a folder should be")
    monkeypatch.setattr(evaluate, "_spool", evaluate.Spool(broken / "spool"))

    answer = api.post("/api/v1/recommendations", {"subject": {"id": "customer-1"}})

    assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/recommendations", {"subject": {"id": "customer-1"}}),
        (
            "/api/v1/events",
            {
                "event_id": "e-1",
                "subject": {"id": "customer-1"},
                "type": "view",
                "item": "kettle",
                "occurred_at": recent.TEXT,
            },
        ),
        ("/api/v1/consents/state", {"subject": {"id": "customer-1"}}),
    ],
)
def test_a_database_that_is_down_is_answered_not_available(api, liked, monkeypatch, path, body):
    def silent(*args, **kwargs):
        raise information.InformationUnavailable

    def refuse(*args, **kwargs):
        raise OperationalError("connection refused for user assent at 10.0.0.1")

    monkeypatch.setattr(information, "asked", silent)
    monkeypatch.setattr(wsgi._CREDENTIAL, "execute", refuse)
    with connection.execute_wrapper(refuse):
        answer = api.post(path, body)

    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert b"10.0.0.1" not in answer.content


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers_are_a_failure_of_the_engine(ask, liked, shop, monkeypatch, score):
    recommend = Model.recommend

    def spoilt(self, *args, **kwargs):
        served = recommend(self, *args, **kwargs)
        return replace(served, recommendations=tuple(replace(each, score=score) for each in served.recommendations))

    monkeypatch.setattr(Model, "recommend", spoilt)

    answer = ask()

    assert _is_everybodys_list(answer, shop)
    assert answer["fallback"] == "recommender_failed"
