"""Overview of the recommender: what was counted by day, in words and as plots, for officers with the right."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.counting import latencies
from common.counting.counts import MOMENTARY, NUMBERS
from model_registry.models import ModelVersion
from personalization.general import trending
from personalization.models import PopularItem, SignalLoss
from personalization.monitors import flushing, tally
from personalization.monitors.models import ServedCount
from personalization.overview import answers
from personalization.training_runs.models import TrainingRun
from tests.helpers.officers import signed_in, with_role

pytestmark = pytest.mark.django_db
PAGE = "/admin/recommender/"
TODAY = timezone.now().date()


def _count(version: ModelVersion, ago: int, kind: str, seconds: float, times: int) -> None:
    numbers = [0.0] * NUMBERS
    for place, amount in latencies.amounts(seconds).items():
        numbers[place] = amount * times
    ServedCount.objects.create(version=version, day=TODAY - timedelta(days=ago), name=f"answer {kind}", numbers=numbers)


def _read(officer: Any, query: str = "") -> str:
    answer = officer.get(f"{PAGE}{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_days_and_versions_add_up(deployed: ModelVersion, draft: ModelVersion) -> None:
    other = ModelVersion.objects.create(model=draft.model, version=9, max_level="individual", artifact="x")
    _count(deployed, 0, "individual individual none", 0.004, 97)
    _count(other, 0, "individual none recommender_failed", 0.2, 3)
    _count(deployed, 2, "none none none", 0.0005, 10)
    _count(deployed, 8, "none none none", 0.0005, 1_000)

    found = answers.served(until=TODAY, days=7)

    assert [each.answers.total for each in found.days] == [0, 0, 0, 0, 10, 0, 100]
    assert found.days[-1].day == TODAY
    assert found.days[-1].answers.levels == {"individual": 97, "none": 3}
    assert (found.days[-1].answers.within(0.5), found.days[-1].answers.within(0.99)) == (0.005, 0.25)
    assert (found.total.lower, found.total.failed) == (3, 3)
    assert {version: each.total for version, each in found.by_version.items()} == {deployed.pk: 107, other.pk: 3}


def test_the_page_says_it_in_words_and_plots(officer: Any, deployed: ModelVersion) -> None:
    _count(deployed, 0, "individual individual none", 0.004, 97)
    _count(deployed, 0, "individual none recommender_failed", 0.2, 3)
    SignalLoss.objects.create(day=TODAY - timedelta(days=3), sender="service:shop", numbered=400, lost=2)

    page = _read(officer)

    for said in ("97.0 %", "3.0 %", "250 ms", "Closed", "The engine failed", "service:shop", "0.50 %", "Live"):
        assert said in page
    assert page.count("<svg") == page.count("<details>") + page.count("Nothing to show yet")
    for title in (
        "Levels served",
        "How long answers took, in milliseconds",
        "Less than was permitted",
        "What version 1 ranks by",
    ):
        assert f"<h2>{title}</h2>" in page


def test_a_breaker_that_is_open_is_said(officer: Any, deployed: ModelVersion) -> None:
    tally.counts().put(f"{MOMENTARY}breaker", [1.0])
    try:
        assert "Open in 1" in _read(officer)
    finally:
        tally.counts().put(f"{MOMENTARY}breaker", [0.0])


def test_what_was_answered_just_now_is_on_the_page_once_it_is_written(
    officer: Any, deployed: ModelVersion, ask: Any
) -> None:
    flusher = flushing.Flusher()
    ask()
    flusher.flush()

    assert answers.served(until=timezone.now().date(), days=1).total.levels == {"none": 1}
    assert '<p class="start-figure">1</p>' in _read(officer)


def test_an_installation_without_a_version_says_so(officer: Any, db: None) -> None:
    page = _read(officer, "?days=nonsense")

    assert page.count("Nothing to show yet") == 4
    assert 'value="14" selected' in page


def test_the_period_is_chosen(officer: Any, deployed: ModelVersion) -> None:
    _count(deployed, 20, "none none none", 0.0005, 41)

    assert '<p class="start-figure">41</p>' not in _read(officer)
    assert '<p class="start-figure">41</p>' in _read(officer, "?days=30")


def test_the_general_list_says_when_it_was_made(officer: Any, deployed: ModelVersion) -> None:
    PopularItem.objects.update(made_at=datetime(2026, 3, 4, 5, 6, tzinfo=UTC))
    assert "4 March 2026" in _read(officer)

    trending.refresh()
    assert not PopularItem.objects.filter(made_at__date=date(2026, 3, 4)).exists()


def test_a_training_that_runs_shows_its_progress(officer: Any, deployed: ModelVersion) -> None:
    TrainingRun.objects.create(author="officer:test", state="running", step="training", steps_done=2)

    page = _read(officer)

    assert '<progress id="progress"' in page
    assert "runs: training" in page


def test_statements_do_not_grow_with_what_was_served(
    officer: Any, deployed: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    for ago in range(14):
        for level in ("none", "segment", "individual"):
            _count(deployed, ago, f"individual {level} none", 0.004, 5)
    _read(officer)

    with django_assert_max_num_queries(16):
        _read(officer)


def test_the_page_takes_a_right(deployed: ModelVersion) -> None:
    assert signed_in(with_role("oscar", "operator")).get(PAGE).status_code == 403
    assert signed_in(with_role("olga", "model-owner")).get(PAGE).status_code == 200
