"""Gates of a version in use: by monitors, by the age of audits, by the schedule of trainings."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from common import policy_data
from consent.models import Purpose
from model_registry import services
from model_registry.documents import keeping
from model_registry.gates import outcome
from model_registry.gates.findings import Finding
from model_registry.models import Evidence, GateDemand, Model, ModelVersion
from policies.models import ActiveBundle
from tests.helpers import models

pytestmark = pytest.mark.django_db
GATES = ("monitoring", "inputs", "drift", "service")


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    GateDemand.objects.filter(gate__in=[*GATES, "retraining", "incident_contact"]).update(is_active=True)
    model = services.register_model("house", name="House", description="")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return services.register_version(model=model, purposes=purposes, actor="job:training", artifact_sha256="5e" * 32)


def found(version: ModelVersion, gate: str, now: datetime | None = None) -> Finding:
    [line] = [each for each in outcome.of(ModelVersion.objects.get(pk=version.pk), now).lines if each.slug == gate]
    return line.finding


def monitored(version: ModelVersion, *beyond: str, kind: str = "monitor") -> None:
    models.evidence(version, "monitors", kind=kind, beyond=list(beyond), monitors=[])


@pytest.mark.parametrize("gate", GATES)
def test_what_only_use_can_show_is_not_asked_of_a_draft(version: ModelVersion, gate: str) -> None:
    assert found(version, gate).state == "not_yet"
    assert outcome.of(models.with_evidence(version)).state == "passed"


@pytest.mark.parametrize("gate", GATES)
def test_a_version_that_serves_is_measured_within_a_week(version: ModelVersion, gate: str) -> None:
    live = models.go_live(version)
    begun = live.status_changed_at

    assert (found(live, gate).state, found(live, gate).until) == ("not_yet", begun + timedelta(days=7))
    assert found(live, gate, begun + timedelta(days=7)).state == "failed"

    monitored(live)
    assert found(live, gate).state == "passed"
    assert found(live, gate, timezone.now() + timedelta(days=7)).state == "failed"


@pytest.mark.parametrize("kind", ["monitor", "stated"])
def test_what_is_beyond_its_objective_fails_its_gate_alone(version: ModelVersion, kind: str) -> None:
    live = models.go_live(version)

    monitored(live, "drift", kind=kind)

    assert [line.slug for line in outcome.of(live).missing] == ["drift"]


def test_what_was_measured_in_an_earlier_time_of_serving_does_not_count(version: ModelVersion) -> None:
    live = models.go_live(version)
    monitored(live, "drift")

    ModelVersion.objects.filter(pk=live.pk).update(status_changed_at=timezone.now())

    assert found(live, "drift").state == "not_yet"


def test_one_officer_does_not_clear_what_is_beyond_by_going_back_and_forth(version: ModelVersion) -> None:
    live = models.go_live(version)
    monitored(live, "drift")
    models.go_live(
        services.register_version(model=live.model, purposes=list(live.purposes.all()), actor="job:training")
    )

    with pytest.raises(services.GatesNotPassed, match="when it served last"):
        services.change_status(version_id=live.pk, status="live", actor="officer:first")

    assert found(live, "inputs").state == "not_yet"
    assert found(live, "drift", timezone.now() + timedelta(days=7)).state == "not_yet"


def test_a_suspended_version_is_for_two_officers_to_judge(version: ModelVersion) -> None:
    live = models.go_live(version)
    monitored(live, "drift")
    services.change_status(version_id=live.pk, status="suspended", actor="officer:first")

    assert found(live, "drift").state == "not_yet"


def test_too_few_values_are_not_said_to_be_within_an_objective(version: ModelVersion) -> None:
    live = models.go_live(version)
    models.evidence(live, "monitors", kind="monitor", beyond=[], monitors=[], unmeasured=["drift"])

    assert (found(live, "drift").state, found(live, "service").state) == ("not_yet", "passed")
    assert "too few values" in found(live, "drift").why
    assert found(live, "drift", timezone.now() + timedelta(days=7)).state == "failed"


def in_force() -> Any:
    return json.loads(ActiveBundle.objects.get().bundle.data)["models"]["house@1"]["gates"]


def test_a_training_counts_in_the_bundle_at_once(version: ModelVersion) -> None:
    live = models.go_live(version)
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(days=40))
    policy_data.changed(reason="test", actor="system")
    before = in_force()

    services.register_version(
        model=live.model, purposes=list(live.purposes.all()), actor="job:training", artifact_sha256="6e" * 32
    )

    assert (before, in_force()) == ("failed", "passed")


def test_audits_are_renewed(version: ModelVersion) -> None:
    assert found(version, "audits_renewed").state == "not_yet"

    models.with_evidence(version)
    oldest: Any = Evidence.objects.filter(name="bias").earliest("made_at")

    assert found(version, "audits_renewed").until == oldest.made_at + timedelta(days=365)
    assert found(version, "audits_renewed", oldest.made_at + timedelta(days=365)).state == "failed"


@pytest.mark.parametrize(("every", "days"), [("day", 31), ("week", 37), ("month", 60)])
def test_a_training_that_is_overdue_fails(version: ModelVersion, every: str, days: int) -> None:
    Model.objects.update(trained_every=every)
    due = version.created_at + timedelta(days=days)

    assert found(version, "retraining", due - timedelta(seconds=1)).state == "passed"
    assert found(version, "retraining", due).state == "failed"


def test_a_model_that_is_trained_when_asked_is_never_overdue(version: ModelVersion) -> None:
    Model.objects.update(trained_every="never")

    assert found(version, "retraining", timezone.now() + timedelta(days=3_000)).state == "passed"


def test_an_incident_has_a_contact(version: ModelVersion) -> None:
    assert found(version, "incident_contact").state == "failed"

    models.with_evidence(version)

    assert found(version, "incident_contact").state == "passed"


def test_blanks_are_no_contact(version: ModelVersion) -> None:
    runbook = models.runbook()
    answers = {**runbook.answers, "incident": " "}
    keeping.keep(version, "runbook", runbook.model_copy(update={"answers": answers}), actor="officer:first")

    assert found(version, "incident_contact").state == "failed"
