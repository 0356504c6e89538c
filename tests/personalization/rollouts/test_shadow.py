"""Shadow of a candidate: compared and counted, never shown, never stored with items or people, and never waited for."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from common.levels import Level
from model_registry.models import ModelVersion
from personalization import engine
from personalization.models import RolloutCount
from personalization.recommender.answers import Basis, Recommendation, Served
from personalization.recommender.interactions import Item
from personalization.rollouts import counting, figures, service, shadow
from tests.helpers.model_rollouts import DORA, LOW, start

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]


def _served(*items: str, level: Level = Level.INDIVIDUAL) -> Served:
    found = (Recommendation(Item(name, name, ()), 10.0 - place, Basis.HISTORY) for place, name in enumerate(items))
    return Served(level, None, tuple(found))


@pytest.mark.parametrize(
    ("other", "overlap", "agreement", "score"),
    [
        ("abcdefghij", 10, 1.0, 0.0),
        ("jihgfedcba", 10, -1.0, None),
        ("klmnopqrst", 0, None, None),
        ("abcklmnopq", 3, 1.0, 0.0),
    ],
)
def test_two_lists_are_compared(other: str, overlap: int, agreement: float | None, score: float | None) -> None:
    found = shadow.compare(_served(*"abcdefghij"), _served(*other), took_us=1_000)

    assert (found.overlap, found.agreement) == (overlap, agreement)
    if score is not None:
        assert found.score == pytest.approx(score)


def test_general_lists_are_no_comparison_of_scores() -> None:
    found = shadow.compare(_served(*"abc"), _served(*"abc", level=Level.NONE), took_us=1_000)

    assert (found.is_fallback, found.score, found.level) == (True, None, "none")


def test_a_shadow_is_counted_and_never_shown(
    ask: Ask, agree: Callable[[str], str], candidate: ModelVersion, every_request_compared: None
) -> None:
    rollout = start(candidate)
    person = agree("customer-1")
    before = ask(person)

    counted = figures.figures_of(rollout, LOW, now=timezone.now())

    assert before["model"] == "house-recommender@1"
    assert (counted.is_shadow, counted.candidate.answers, counted.live.answers) == (True, 1, 1)
    assert counted.candidate.p99_us is not None
    comparison = figures.comparison_of(rollout, until=timezone.now())
    assert comparison is not None
    # The candidate of these tests is the same training.
    assert (comparison.compared, comparison.overlap, comparison.agreement, comparison.score) == (1, 1.0, 1.0, 0.0)


def test_once_it_serves_people_it_is_a_shadow_no_more(
    ask: Ask, agree: Callable[[str], str], candidate: ModelVersion, every_request_compared: None
) -> None:
    rollout = start(candidate)
    service.set_share(rollout.pk, 1, actor=DORA)
    ask(agree("customer-1"))

    assert not RolloutCount.objects.filter(side="shadow").exists()


def test_a_sample_is_compared(
    ask: Ask, agree: Callable[[str], str], candidate: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(candidate)
    person = agree("customer-1")
    monkeypatch.setattr(shadow.random, "random", lambda: 0.2)
    ask(person)
    assert not RolloutCount.objects.filter(side="shadow").exists()

    monkeypatch.setattr(shadow.random, "random", lambda: 0.19)
    ask(person)
    assert RolloutCount.objects.get(side="shadow").answers == 1


def test_a_candidate_that_fails_harms_nobody_and_is_counted(
    ask: Ask,
    agree: Callable[[str], str],
    candidate: ModelVersion,
    every_request_compared: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start(candidate)
    person = agree("customer-1")
    load = engine.load

    def failing(name: str, bundle: Any) -> Any:
        if name == "house-recommender@2":
            raise RuntimeError
        return load(name, bundle)

    monkeypatch.setattr(engine, "load", failing)

    assert ask(person)["level"] == "individual"
    row = RolloutCount.objects.get(side="shadow")
    assert (row.answers, row.failures, row.fallbacks) == (1, 1, 1)


def test_a_candidate_sees_no_more_than_its_own_approval(
    ask: Ask,
    agree: Callable[[str], str],
    register: Callable[..., ModelVersion],
    every_request_compared: None,
) -> None:
    """A ceiling of the candidate holds in a shadow as well."""
    start(register(max_level="segment"))
    ask(agree("customer-1"))

    row = RolloutCount.objects.get(side="shadow")
    assert sum(row.levels[2:]) == 0


def test_where_the_thread_is_busy_a_comparison_is_dropped_and_nobody_waits(
    ask: Ask,
    agree: Callable[[str], str],
    candidate: ModelVersion,
    every_request_compared: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = start(candidate)
    person = agree("customer-1")
    is_free, counted = threading.Event(), []
    monkeypatch.setattr(shadow, "_run", shadow._run_later)
    monkeypatch.setattr(shadow, "_compare", lambda *_: is_free.wait(120))
    monkeypatch.setattr(counting, "_count", counted.append)

    levels = {ask(person)["level"] for _ in range(shadow._MOST_WAITING + 3)}
    is_free.set()

    assert levels == {"individual"}
    dropped = [place for place, answer in counted if answer is None]
    assert [place[:2] for place in dropped] == [(rollout.pk, "shadow")] * 3


def test_counts_are_added_up_and_written(candidate: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = start(candidate)
    writer = counting.Writer()
    monkeypatch.setattr(counting, "_count", writer.count)
    for level in ("none", "individual", "individual"):
        counting.count(rollout.pk, counting.Side.LIVE, counting.Answer(level=level, took_us=1))

    assert not RolloutCount.objects.exists()
    writer.flush()
    writer.flush()

    assert sum(row.answers for row in RolloutCount.objects.all()) == 3


def test_counts_that_cannot_be_written_are_written_later(
    candidate: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = start(candidate)
    writer = counting.Writer()
    monkeypatch.setattr(counting, "_count", writer.count)
    counting.count(rollout.pk, counting.Side.LIVE, counting.Answer(level="individual"))
    with monkeypatch.context() as broken:
        broken.setattr(counting, "write", lambda *_: (_ for _ in ()).throw(DatabaseError))
        with pytest.raises(DatabaseError):
            writer.flush()
    counting.count(rollout.pk, counting.Side.LIVE, counting.Answer(level="individual"))

    writer.flush()

    assert sum(row.answers for row in RolloutCount.objects.all()) == 2


def test_a_count_that_makes_no_sense_keeps_no_other_from_being_written(
    candidate: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = start(candidate)
    writer = counting.Writer()
    monkeypatch.setattr(counting, "_count", writer.count)
    counting.count(rollout.pk, counting.Side.SHADOW, counting.Answer(level="individual", score=float("nan")))
    counting.count(rollout.pk, counting.Side.LIVE, counting.Answer(level="individual"))

    with pytest.raises(ValueError, match="NaN"):
        writer.flush()
    writer.flush()

    assert RolloutCount.objects.get(side="live").answers == 1
