"""Answers are counted in the process, and written by day and version; a request pays no statement for it."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from common.counting.counts import Counts
from model_registry.models import ModelVersion
from personalization import engine
from personalization.monitors import flushing, tally
from personalization.monitors.flushing import Flusher
from personalization.monitors.models import ItemExposure, ServedCount
from personalization.recommender.model import Model
from personalization.serving import reading

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
LIKED = 6


@pytest.fixture(autouse=True)
def own_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counts]:
    counts = Counts(tmp_path / "recommender", rows=64)
    monkeypatch.setattr(tally, "counts", lambda: counts)
    tally.take_shown()
    yield counts
    tally.take_shown()


@pytest.fixture
def person(api: Any, deployed: ModelVersion, remember: Any, shop: Any) -> None:
    api.save("customer-1", "give")
    remember("customer-1", [item.id for item in shop.items[:LIKED]])


def _answers(counts: Counts) -> dict[str, int]:
    return {name: round(sum(row[:14])) for name, row in counts.own().items() if name.startswith(tally.ANSWER)}


def test_an_answer_is_counted_by_version_levels_and_fallback(person: None, ask: Ask, own_counts: Counts) -> None:
    ask()
    ask()
    ask(mode="non_profiled")
    ask("nobody")

    assert _answers(own_counts) == {
        "answer house-recommender@1 individual individual none": 2,
        "answer house-recommender@1 none none none": 2,
    }


def test_an_engine_that_fails_is_counted_with_its_code(
    person: None, ask: Ask, own_counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Model, "recommend", fail)
    monkeypatch.setitem(engine._breakers, "house-recommender@1", engine._breaker("house-recommender@1"))
    for _ in range(6):
        answer = ask(requested_level="individual")

    assert answer["fallback"] == "recommender_resting"
    found = _answers(own_counts)
    assert found["answer house-recommender@1 individual none recommender_failed"] == 5
    assert found["answer house-recommender@1 individual none recommender_resting"] == 1
    assert own_counts.own()[tally.BREAKER][0] == 1


def test_personal_scores_and_items_shown_are_counted(person: None, ask: Ask, own_counts: Counts) -> None:
    answer = ask(count=10)
    personal = sum(item["basis"] == "history" for item in answer["items"])

    scores = sum(sum(row) for name, row in own_counts.own().items() if name.startswith(tally.SCORES))
    assert 0 < personal <= 10
    assert scores == personal
    assert dict(tally.take_shown()) == {("house-recommender@1", item["item"]): 1 for item in answer["items"]}


def test_what_everybody_gets_shows_nothing_of_the_version(person: None, ask: Ask, own_counts: Counts) -> None:
    ask(mode="non_profiled")

    assert not tally.take_shown()
    assert not any(name.startswith(tally.SCORES) for name in own_counts.own())


def test_a_recommendation_costs_the_statements_it_costs_without_monitors(
    person: None, ask: Ask, sql: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cost() -> tuple[list[str], int]:
        sql.clear()
        before = reading.executions()
        ask()
        return list(sql), reading.executions() - before

    cost()
    counted = cost()
    for name in ("answered", "shown", "scored", "resting"):
        monkeypatch.setattr(tally, name, lambda *_, **__: None)

    assert counted == cost()
    assert counted == ([], 0), "all of it came with the decision's statement"


def test_counts_are_written_once_and_added_up(person: None, ask: Ask, deployed: ModelVersion) -> None:
    flusher = Flusher()
    ask(count=3)
    flusher.flush()
    ask(count=3)
    flusher.flush()
    flusher.flush()

    row = ServedCount.objects.get(name="answer individual individual none")
    assert (row.version, row.day) == (deployed, timezone.now().date())
    assert sum(row.numbers[:14]) == 2
    assert row.numbers[14] > 0
    assert {each.shown for each in ItemExposure.objects.filter(version=deployed)} == {2}
    assert ItemExposure.objects.count() == 3


def test_two_processes_add_to_the_same_rows(person: None, ask: Ask, tmp_path: Path, monkeypatch: Any) -> None:
    first = Flusher()
    ask()
    first.flush()
    other = Counts(tmp_path / "other")
    monkeypatch.setattr(tally, "counts", lambda: other)
    second = Flusher()
    ask()
    second.flush()

    assert sum(ServedCount.objects.get(name="answer individual individual none").numbers[:14]) == 2


def test_nothing_is_lost_where_the_database_is_away(person: None, ask: Ask, monkeypatch: Any) -> None:
    flusher = Flusher()
    ask(count=3)
    with monkeypatch.context() as broken:
        broken.setattr(flushing, "_versions", lambda: (_ for _ in ()).throw(DatabaseError))
        with pytest.raises(DatabaseError):
            flusher.flush()
    assert not ServedCount.objects.exists()

    flusher.flush()

    assert sum(ServedCount.objects.get(name="answer individual individual none").numbers[:14]) == 1
    assert ItemExposure.objects.count() == 3


def test_what_an_ended_process_counted_is_not_written_again(person: None, ask: Ask, own_counts: Counts) -> None:
    ask()

    Flusher().flush()  # its file had all this when it began

    assert not ServedCount.objects.exists()


def test_no_row_names_a_person(person: None, ask: Ask, own_counts: Counts) -> None:
    ask()
    Flusher().flush()

    said = " ".join([*own_counts.own(), *(str(row) for row in ItemExposure.objects.all())])
    assert "customer" not in said
    assert not any(_is_uuid(word) for word in said.split())


def _is_uuid(word: str) -> bool:
    try:
        return bool(uuid.UUID(word))
    except ValueError:
        return False
