"""The daily run: what is measured of a live version, what is kept, and what follows from it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from model_registry.gates import outcome
from model_registry.models import Evidence, GateDemand, ModelVersion
from oversight.changes import applying
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet, WorkItem
from oversight.problems import ChangeRefused
from personalization import tasks
from personalization.models import Event
from personalization.monitors import inputs, references, running
from personalization.monitors.models import (
    ItemExposure,
    MonitorObjective,
    MonitorResult,
    ServedCount,
    TrainingReference,
)
from personalization.monitors.work import MONITORED
from tests.helpers import models
from tests.helpers.registers import drafted, in_force, make_officer

pytestmark = pytest.mark.django_db
NOW = timezone.now()
Rows = dict[tuple[str, str], MonitorResult]


@pytest.fixture
def version(deployed: ModelVersion, trained_model: Any, shop: Any) -> ModelVersion:
    """A live version with the reference of its training, people in its segments, and nothing served yet."""
    for key in trained_model.segments:
        region, age = (part.partition("=")[2] for part in key.split("|"))
        DataSubject.objects.bulk_create(
            DataSubject(ref=subject_ref(f"{key}-{number}"), region=region, age_band=age) for number in range(20)
        )
    counts = references.scores(trained_model, shop.interactions)
    known = {part: {"view": 1} for part in inputs.PARTS}
    TrainingReference.objects.create(version=deployed, inputs=known, scores=counts)
    return deployed


@pytest.fixture
def events(remember: Callable[..., Any], shop: Any, version: ModelVersion, trained_model: Any) -> None:
    """Events of 30 people, which are the reference as well."""
    for number in range(30):
        items = [item.id for item in shop.items[number % 7 : number % 7 + 5]]
        remember(f"person-{number}", items, newest=NOW - timedelta(hours=3))
    reference = inputs.count(Event.objects.all(), trained_model).parts
    TrainingReference.objects.filter(version=version).update(inputs=reference)


def _run(now: Any = NOW) -> Rows:
    return {(row.monitor, row.part): row for row in running.run(now)}


def _answers(version: ModelVersion, name: str, number: int, *, place: int = 4, days_ago: int = 0) -> None:
    numbers = [0.0] * 16
    numbers[place], numbers[14] = number, number / 50
    ServedCount.objects.create(
        version=version, day=(NOW - timedelta(days=days_ago)).date(), name=f"answer {name}", numbers=numbers
    )


def test_a_version_that_has_served_nothing_has_too_few(version: ModelVersion) -> None:
    found = _run()

    assert {found[name, ""].state for name in ("fallbacks", "latency", "coverage", "score_drift")} == {"too_few"}
    assert found["segments", ""].state == "within"
    assert not WorkItem.objects.filter(kind=MONITORED.slug).exists()


def test_the_same_events_have_not_drifted(events: None, version: ModelVersion) -> None:
    found = _run()

    assert found["input_drift", "kind"].value == pytest.approx(0, abs=1e-6)
    assert found["input_drift", "popularity"].state == "within"
    assert found["missing_inputs", "item"].value == 0
    assert found["stale_inputs", ""].value == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize(("late", "state"), [(7, "within"), (8, "beyond")])
def test_labels_that_come_in_late_are_beyond_the_objective(
    events: None, version: ModelVersion, late: int, state: str
) -> None:
    received = NOW - timedelta(hours=1)
    Event.objects.update(received_at=received, occurred_at=received - timedelta(hours=2))
    slow = list(Event.objects.values_list("pk", flat=True)[:late])
    Event.objects.filter(pk__in=slow).update(occurred_at=received - timedelta(hours=25))

    row = _run()["label_latency", ""]

    assert (row.state, row.value, row.samples) == (state, 25 if state == "beyond" else 2, 150)


def test_views_are_no_labels(events: None, version: ModelVersion) -> None:
    Event.objects.update(received_at=NOW - timedelta(hours=1), kind="view")

    row = _run()["label_latency", ""]

    assert (row.state, row.samples) == ("too_few", 0)


def test_events_of_another_kind_are_a_drift(events: None, version: ModelVersion) -> None:
    Event.objects.update(kind="view")

    found = _run()

    row = found["input_drift", "kind"]
    assert row.state == "beyond"
    assert row.value > 0.25
    assert row.p < 0.01
    assert row.figures["labels"] == ["like", "other"]
    assert (row.figures["reference"], row.figures["now"]) == ([150, 0], [0, 150])


def test_without_a_reference_there_is_no_verdict_on_a_drift(events: None, version: ModelVersion) -> None:
    TrainingReference.objects.all().delete()

    assert _run()["input_drift", "kind"].state == "unknown"


def test_answers_of_a_day_are_shares(version: ModelVersion) -> None:
    _answers(version, "individual individual none", 150)
    _answers(version, "individual none recommender_failed", 40, place=7)
    _answers(version, "individual none recommender_resting", 10)
    _answers(version, "segment segment none", 500, days_ago=5)

    found = _run()

    assert (found["fallbacks", ""].value, found["fallbacks", ""].state) == (0.25, "beyond")
    assert (found["breaker", ""].value, found["breaker", ""].samples) == (0.05, 200)
    assert found["below_permitted", ""].value == 0.25
    assert found["below_permitted", ""].figures == {"levels": {"individual": 150, "none": 50}}
    assert found["latency", ""].value == 0.25
    assert found["latency", ""].state == "within"


def test_what_was_found_is_evidence_for_the_release_gates(version: ModelVersion) -> None:
    GateDemand.objects.filter(slug="service").update(is_active=True)
    _answers(version, "individual individual none", 150)
    _answers(version, "individual none recommender_failed", 50)

    _run()

    assert _evidence() == (["service"], ["fallbacks"])
    assert [line.slug for line in outcome.of(version).missing] == ["service"]


def test_what_was_beyond_stays_so_for_the_gates_until_it_is_measured_within(version: ModelVersion) -> None:
    _answers(version, "individual none recommender_failed", 150)
    _run()

    ServedCount.objects.all().delete()
    assert _run()["fallbacks", ""].state == "too_few"
    assert _evidence() == (["service"], ["below_permitted", "fallbacks"])
    assert "service" in Evidence.objects.filter(name="monitors").latest("id").figures["unmeasured"]

    _answers(version, "individual individual none", 150)
    _run()
    assert _evidence() == ([], [])
    assert "service" not in Evidence.objects.filter(name="monitors").latest("id").figures["unmeasured"]


def _evidence() -> tuple[list[str], list[str]]:
    figures = Evidence.objects.filter(name="monitors").latest("id").figures
    return figures["beyond"], figures["monitors"]


def test_scores_served_are_compared_with_those_of_the_training(version: ModelVersion) -> None:
    reference = TrainingReference.objects.get().scores
    for row in range(4):
        ServedCount.objects.create(
            version=version, day=NOW.date(), name=f"scores {row}", numbers=reference[16 * row : 16 * row + 16]
        )
    same = _run()["score_drift", ""]
    ServedCount.objects.filter(name="scores 3").update(numbers=[500.0] * 16)
    other = _run()["score_drift", ""]

    assert (same.value, same.state) == (pytest.approx(0, abs=1e-3), "within")
    assert other.state == "beyond"
    assert other.figures["ks"] > 0.5


def test_how_evenly_items_are_shown(version: ModelVersion, trained_model: Any) -> None:
    order = trained_model.popularity.ranking
    first = trained_model.items[int(order[0])].id
    ItemExposure.objects.create(version=version, day=NOW.date(), item=first, shown=5_000)
    ItemExposure.objects.create(version=version, day=NOW.date() - timedelta(days=30), item="old", shown=9)

    found = _run()

    assert found["coverage", ""].value == pytest.approx(1 / len(trained_model.items), abs=1e-4)
    assert found["head_share", ""].value == 1
    assert found["head_share", ""].state == "beyond"
    assert found["gini", ""].value > 0.9


def test_a_segment_that_is_too_small_is_counted_and_its_size_is_not_told(version: ModelVersion) -> None:
    DataSubject.objects.filter(region="DE", age_band="adult").delete()

    row = _run()["segments", ""]

    assert (row.value, row.state) == (1, "beyond")
    assert row.figures["off"] == ["region=DE|age=adult"]


def test_the_owner_has_one_piece_of_work_until_it_is_within_again(version: ModelVersion) -> None:
    _answers(version, "individual none recommender_failed", 200)
    _run()
    _run()

    item = WorkItem.objects.get(kind=MONITORED.slug)
    assert (item.object, item.state) == (str(version.pk), "open")
    assert "Fallbacks" in MONITORED.describe(item.object)
    event = AuditEvent.objects.filter(action="model.beyond_objectives").first()
    assert (event.object, event.details) == (str(version), {"monitors": ["below_permitted", "fallbacks"]})

    ServedCount.objects.all().delete()
    _run()
    item.refresh_from_db()
    assert item.state == "done"


def test_the_same_day_again_replaces_what_was_found(version: ModelVersion) -> None:
    first = _run()
    again = _run()

    assert MonitorResult.objects.count() == len(first) == len(again)


def _objective(**changes: Any) -> MonitorObjective:
    return MonitorObjective.objects.create(
        **{"slug": "fallbacks", "monitor": "fallbacks", "limit": "0.01", "suspends_after": 2, **changes}
    )


def test_it_suspends_where_the_objective_says_so_and_only_then(version: ModelVersion) -> None:
    _answers(version, "individual none recommender_failed", 200)
    _run()
    version.refresh_from_db()
    assert version.status == "live"

    _objective()
    _run()
    version.refresh_from_db()
    assert version.status == "live"

    _run(NOW + timedelta(hours=24))
    version.refresh_from_db()
    assert version.status == "suspended"
    change_set = ChangeSet.objects.get(changes__register="model_status")
    assert (change_set.kind, change_set.author_name) == ("protective", "job:monitors")
    assert change_set.reason == "Beyond its objectives: fallbacks."


def test_a_day_within_begins_the_days_anew(version: ModelVersion) -> None:
    _objective()
    day = {"version": version, "monitor": "fallbacks"}
    MonitorResult.objects.create(**day, day=(NOW - timedelta(days=2)).date(), state="beyond")
    MonitorResult.objects.create(**day, day=(NOW - timedelta(days=1)).date(), state="within")
    _answers(version, "individual none recommender_failed", 200)

    _run()

    version.refresh_from_db()
    assert version.status == "live"


def test_a_models_own_objective_counts_before_that_of_all(version: ModelVersion) -> None:
    _answers(version, "individual none recommender_failed", 200)
    _objective(suspends_after=1)
    _objective(slug="own", model=version.model, limit="1", suspends_after=None)

    assert _run()["fallbacks", ""].state == "within"


def test_an_objective_switched_off_judges_nothing(version: ModelVersion) -> None:
    _answers(version, "individual none recommender_failed", 200)
    _objective(is_active=False, suspends_after=1)

    row = _run()["fallbacks", ""]

    assert (row.state, row.limit) == ("watched", None)
    version.refresh_from_db()
    assert version.status == "live"


def test_a_version_that_does_not_serve_is_not_measured(version: ModelVersion) -> None:
    _answers(version, "individual none recommender_failed", 200)
    _run()
    models.take(version, "retired")

    assert _run(NOW + timedelta(days=1)) == {}
    assert WorkItem.objects.get(kind=MONITORED.slug).state == "void"


def test_a_canary_is_measured_and_suspended_as_well(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(status="canary", canary_share=500, canary_rollout=1)
    _objective(suspends_after=1)
    _answers(version, "individual none recommender_failed", 200)

    assert _run()["fallbacks", ""].state == "beyond"
    version.refresh_from_db()
    assert version.status == "suspended"


def test_what_is_older_than_it_is_kept_goes(version: ModelVersion) -> None:
    old = NOW.date() - timedelta(days=500)
    ServedCount.objects.create(version=version, day=old, name="answer a b c", numbers=[1.0] * 16)
    ItemExposure.objects.create(version=version, day=old, item="i", shown=1)
    MonitorResult.objects.create(version=version, day=old, monitor="latency", state="within")

    tasks.run_monitors()

    assert not any(model.objects.filter(day=old).exists() for model in (ServedCount, ItemExposure, MonitorResult))


def test_it_costs_the_same_statements_whatever_there_is(events: None, version: ModelVersion, sql: list[str]) -> None:
    def cost() -> int:
        sql.clear()
        _run()
        return len(sql)

    _answers(version, "individual individual none", 150)
    cost()
    few = cost()
    for number in range(9):
        _answers(version, f"segment segment none{number}", 150)
        ItemExposure.objects.create(version=version, day=NOW.date(), item=f"i-{number}", shown=1)

    assert cost() == few


def _document(**changes: Any) -> dict[str, Any]:
    return {
        "slug": "latency",
        "monitor": "latency",
        "model": None,
        "limit": "0.2000",
        "suspends_after": None,
        "is_active": True,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "is_alone"),
    [
        ({"limit": "0.1000"}, True),
        ({"suspends_after": 3}, True),
        ({"limit": "0.3000"}, False),
        ({"is_active": False}, False),
        ({"limit": "0.1000", "monitor": "fallbacks"}, False),
    ],
)
def test_one_officer_makes_an_objective_stricter_and_two_anything_else(
    register_in_force: None, changes: dict[str, Any], is_alone: bool
) -> None:
    anna, ben = make_officer("anna"), make_officer("ben")
    in_force(anna, ben, Proposed("monitor_objective", "latency", _document()))
    change = drafted(anna, Proposed("monitor_objective", "latency", _document(**changes)))

    if is_alone:
        applying.apply_protectively(change, actor=anna, reason="")
    else:
        with pytest.raises(ChangeRefused):
            applying.apply_protectively(change, actor=anna, reason="")


def test_an_objective_names_a_monitor_there_is(register_in_force: None) -> None:
    anna, ben = make_officer("anna"), make_officer("ben")

    with pytest.raises(ChangeRefused, match="no monitor"):
        in_force(anna, ben, Proposed("monitor_objective", "latency", _document(monitor="mood")))
