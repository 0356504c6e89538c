"""Gates from their evidence to a decision: in both engines, in the transaction of the evidence, by the clock."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from common import policy_data
from consent.models import Purpose
from model_registry import services
from model_registry.documents import keeping
from model_registry.gates import outcome
from model_registry.models import GateDemand, ModelVersion
from oversight.guard import writing
from policies.bundles import loading
from policies.decisions import facts
from policies.models import ActiveBundle
from privacy.models import DisclosureLimits, PrivacyBudget
from tests.helpers import models

pytestmark = pytest.mark.django_db
NAME = "house@1"


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    model = services.register_model("house", name="House", description="")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return services.register_version(model=model, purposes=purposes, actor="job:training", artifact_sha256="5e" * 32)


@pytest.fixture
def live(version: ModelVersion) -> ModelVersion:
    return models.go_live(version)


def in_force() -> Any:
    return json.loads(ActiveBundle.objects.get().bundle.data)["models"].get(NAME)


def gates_at(moment: datetime) -> Any:
    bundle = loading.load("test", {}, ActiveBundle.objects.get().bundle.data)
    return facts.model_in(NAME, bundle, moment.timestamp())["gates"]  # type: ignore[index]


def ndcg(**levels: int) -> dict[str, dict[str, int]]:
    return {"ndcg_at_10_per_mille": levels}


def missing(version: ModelVersion, **more: Any) -> list[str]:
    return [line.slug for line in outcome.of(ModelVersion.objects.get(pk=version.pk), **more).missing]


def test_a_version_with_its_evidence_passes(live: ModelVersion) -> None:
    assert (in_force()["gates"], missing(live)) == ("passed", [])


def test_no_evidence_is_a_failure_of_each_gate(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(status="live")
    policy_data.changed(reason="test", actor="test")

    assert in_force()["gates"] == "failed"
    assert missing(version) == [
        "bias_audit",
        "card",
        "dpia",
        "fallback",
        "leak_audit",
        "quality",
        "runbook",
        "segments",
    ]


@pytest.mark.parametrize("kind", ["card", "runbook"])
def test_a_document_that_lacks_something_fails_at_once(live: ModelVersion, kind: str) -> None:
    before = ActiveBundle.objects.get().bundle_id
    poorer = {"card": models.card(overview=""), "runbook": models.runbook().model_copy(update={"contacts": []})}[kind]

    keeping.keep(live, kind, poorer, actor="officer:anna")

    assert ActiveBundle.objects.get().bundle_id != before
    assert (in_force()["gates"], missing(live)) == ("failed", [kind])


def test_a_new_assessment_waits_for_another_officer(live: ModelVersion) -> None:
    changed = models.assessment().model_copy(update={"risks": [*models.assessment().risks] * 2})
    row = keeping.keep(live, "dpia", changed, actor="officer:anna")
    assert in_force()["gates"] == "pending"

    models.approved(row)
    live.publish_if_in_bundle(reason="test", actor="test")
    assert in_force()["gates"] == "passed"


def test_evidence_that_failed_fails_the_gate_at_once(live: ModelVersion) -> None:
    models.evidence(live, "fallback", is_passed=False)
    assert (in_force()["gates"], missing(live)) == ("failed", ["fallback"])

    models.evidence(live, "fallback")
    assert in_force()["gates"] == "passed"


@pytest.mark.parametrize(("smallest", "gates"), [(20, "passed"), (19, "failed")])
def test_segments_have_at_least_k_people(live: ModelVersion, smallest: int, gates: str) -> None:
    models.evidence(live, "segments", segments=2, smallest=smallest)

    assert in_force()["gates"] == gates


def test_segments_have_at_least_as_many_people_as_the_smallest_group_of_the_register(live: ModelVersion) -> None:
    models.evidence(live, "segments", segments=2, smallest=25)
    with writing("test"):
        DisclosureLimits.objects.update_or_create(defaults={"smallest_group": 26})
    policy_data.changed(reason="test", actor="test")

    assert in_force()["gates"] == "failed"


@pytest.mark.parametrize(("own", "gates"), [(280, "passed"), (279, "failed")])
def test_quality_is_not_much_below_the_version_in_use(live: ModelVersion, own: int, gates: str) -> None:
    metrics = {"ndcg_at_10_per_mille": {"individual": own}}
    newer = services.register_version(
        model=live.model, purposes=list(live.purposes.all()), actor="job:training", metrics=metrics
    )
    models.with_evidence(newer)

    assert outcome.of(newer).state == gates


def test_evidence_about_another_file_is_none(live: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=live.pk).update(artifact_sha256="6f" * 32)

    assert missing(live) == ["bias_audit", "fallback", "leak_audit", "segments"]


@pytest.mark.parametrize("kind", ["training", "audit"])
def test_an_audit_is_demanded_where_it_is_switched_on(live: ModelVersion, kind: str) -> None:
    GateDemand.objects.filter(slug="regression-audit").update(is_active=True)
    assert missing(live) == ["regression_audit"]

    models.evidence(live, "regression", kind=kind, cases=3, differ=0)
    assert missing(live) == ([] if kind == "audit" else ["regression_audit"])


@pytest.mark.parametrize(("passed", "gates"), [(True, []), (False, ["opted_out"])])
def test_who_opted_out_is_served_no_worse(live: ModelVersion, passed: bool, gates: list[str]) -> None:
    GateDemand.objects.filter(slug="opted-out").update(is_active=True)
    assert missing(live) == ["opted_out"]

    ModelVersion.objects.filter(pk=live.pk).update(metrics=ndcg(none=100, individual=300))
    models.evidence(live, "opted_out", is_passed=passed, general_list=10)
    assert missing(live) == gates


@pytest.mark.parametrize(("general", "gates"), [(80, []), (79, ["opted_out"])])
def test_the_general_list_is_not_much_below_that_of_the_version_in_use(
    live: ModelVersion, general: int, gates: list[str]
) -> None:
    GateDemand.objects.filter(slug="opted-out").update(is_active=True)
    GateDemand.objects.filter(slug="quality").update(is_active=False)
    ModelVersion.objects.filter(pk=live.pk).update(metrics=ndcg(none=100, individual=300))
    newer = services.register_version(
        model=live.model, purposes=list(live.purposes.all()), actor="job:training",
        metrics=ndcg(none=general, individual=300),
    )  # fmt: skip
    models.with_evidence(newer)
    models.evidence(newer, "opted_out", general_list=10)

    assert missing(newer) == gates


def test_a_general_list_whose_quality_was_not_measured_is_no_evidence(live: ModelVersion) -> None:
    GateDemand.objects.filter(slug="opted-out").update(is_active=True)

    models.evidence(live, "opted_out", general_list=10)

    assert missing(live) == ["opted_out"]


@pytest.mark.parametrize(
    ("epsilon", "budget", "gates"),
    [(2.0, None, []), (3.1, None, ["epsilon"]), (0.8, "0.8", []), (0.81, "0.8", ["epsilon"]), (3.1, "8", ["epsilon"]),
     (None, "8", ["epsilon"])],
)  # fmt: skip
def test_an_epsilon_is_within_the_gate_and_the_budget_of_its_data(
    live: ModelVersion, epsilon: float | None, budget: str | None, gates: list[str]
) -> None:
    GateDemand.objects.filter(slug="epsilon").update(is_active=True)
    if budget:
        with transaction.atomic(), writing("test"):
            PrivacyBudget.objects.create(data_set="events", epsilon_total=Decimal(budget))
    training = models.card().training.model_copy(update={"epsilon": epsilon})

    keeping.keep(live, "card", models.card(training=training), actor="officer:anna")

    assert missing(live) == gates


def test_a_gate_is_demanded_from_its_level_on_and_for_its_purpose(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(max_level="none")
    assert "dpia" not in missing(version)

    GateDemand.objects.filter(slug="card").update(purpose=Purpose.objects.get(slug="newsletter"))
    assert "card" not in missing(version)
    version.purposes.add(Purpose.objects.get(slug="newsletter"))
    assert "card" in missing(version)


def test_the_day_of_review_is_in_force_by_itself(live: ModelVersion) -> None:
    end = datetime.fromisoformat(in_force()["gates_until"])

    assert end.date() == datetime.fromisoformat(models.REVIEW_DUE).date() + timedelta(days=1)
    assert (gates_at(end - timedelta(seconds=1)), gates_at(end)) == ("passed", "failed")
    assert missing(live, now=end) == ["dpia"]


def test_a_purpose_with_more_data_makes_the_assessment_out_of_date(live: ModelVersion) -> None:
    Purpose.objects.filter(slug="recommendations").update(data_categories=["location"])

    assert missing(live) == ["dpia"]


def test_a_draft_changes_no_bundle(live: ModelVersion) -> None:
    before = ActiveBundle.objects.get().bundle_id

    drafted = services.register_version(model=live.model, purposes=list(live.purposes.all()), actor="job:training")
    models.with_evidence(drafted)

    assert ActiveBundle.objects.get().bundle_id == before
    assert "house@2" not in json.loads(ActiveBundle.objects.get().bundle.data)["models"]


def test_gates_take_the_same_statements_whatever_there_is(live: ModelVersion) -> None:
    for number in range(20):
        models.evidence(live, f"other-{number}")
    version = ModelVersion.objects.get(pk=live.pk)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        outcome.of(version)

    assert len(asked) <= 9
