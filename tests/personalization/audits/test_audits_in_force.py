"""Audits from the planted fault to the denial: what fails cannot go live, and what is live is out at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from model_registry import services
from model_registry.gates import outcome
from model_registry.models import GateDemand, ModelVersion
from oversight.models import ChangeSet, WorkItem
from personalization.audits import running
from personalization.recommender.model import Model
from policies import engines
from policies.engines.opa import OpaEngine
from policies.models import Bundle
from tests.helpers import audited, models
from tests.personalization.audits.conftest import Register, add_events, allow, sound
from tests.policies.conftest import opa_engine, opa_url  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db
Plant = Callable[[Model], Model]
Demand = Callable[..., None]
FAULTS = pytest.mark.parametrize(("audit", "plant"), [("bias", audited.biased), ("leak", audited.leaking)])


@pytest.fixture(params=["embedded", "opa"])
def decide(request: pytest.FixtureRequest, api: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Ask whether the version may serve, of one engine or the other; the reasons against it."""
    if request.param == "opa":
        opa: OpaEngine = request.getfixturevalue("opa_engine")
        monkeypatch.setattr(engines, "for_revision", lambda *_: opa)
    api.save("customer-1", "give")

    def ask() -> list[str]:
        _, document, _ = api.evaluate(
            {
                "subject": {"type": "data_subject", "id": "customer-1"},
                "action": {"name": "personalize", "properties": {"purpose": "recommendations"}},
                "resource": {
                    "type": "personalization",
                    "id": "home",
                    "properties": {"data_categories": ["views"], "model": "house-recommender@1"},
                },
                "context": {"processing_region": "eu-central"},
            }
        )
        return [] if document["decision"] else [reason["code"] for reason in document["context"]["reasons"]]

    return ask


def test_a_sound_model_passes_all_audits_and_goes_live(
    version: ModelVersion, demanded: Demand, recorded_case: None
) -> None:
    demanded()
    # Of thirty-six items ten are on every list: a few fake profiles put one of them there.
    GateDemand.objects.filter(gate="adversarial_audit").update(threshold="1")

    row = running.run_now(version, author="officer:first")

    assert {name: result["measured"] for name, result in row.results.items()} == dict.fromkeys(
        ("bias", "leak", "adversarial", "regression", "ageing"), True
    )
    assert running.failures(version) == []
    assert models.go_live(version).status == "live"


@FAULTS
def test_a_planted_fault_keeps_a_version_from_going_live(
    register: Register, demanded: Demand, audit: str, plant: Plant
) -> None:
    version = models.with_evidence(register(plant(sound())))
    demanded(audit)

    running.run_now(version, author="officer:first", only=[audit])

    assert [line.slug for line in outcome.of(version).missing] == [f"{audit}_audit"]
    with pytest.raises(services.GatesNotPassed):
        models.take(version, "live")
    assert ModelVersion.objects.get(pk=version.pk).status != "live"


@FAULTS
def test_a_planted_fault_of_a_live_version_is_out_at_the_next_decision(
    register: Register, demanded: Demand, decide: Callable[[], list[str]], audit: str, plant: Plant
) -> None:
    version = models.go_live(register(plant(sound())))
    before = decide()
    GateDemand.objects.filter(gate="dpia").update(is_active=False)

    demanded(audit)
    running.run_now(version, author="job:audits", only=[audit])

    assert before == []
    assert decide()[0] == "model_not_live"
    assert ModelVersion.objects.get(pk=version.pk).status == "suspended"


def test_the_suspension_is_a_protective_set_that_an_officer_looks_at(register: Register, demanded: Demand) -> None:
    version = models.go_live(register(audited.leaking(sound())))
    demanded("leak")

    running.run_now(version, author="job:audits", only=["leak"])

    change_set = ChangeSet.objects.get(kind="protective")
    assert "1 weights of a single person" in change_set.reason
    assert WorkItem.objects.filter(object=str(change_set.pk), kind__endswith="review").exists()
    assert AuditEvent.objects.filter(action="model.suspended", object=str(version)).exists()


def test_it_takes_two_officers_to_make_it_live_again(register: Register, demanded: Demand) -> None:
    version = models.go_live(register(audited.leaking(sound())))
    demanded("leak")
    running.run_now(version, author="job:audits", only=["leak"])

    with pytest.raises(services.SecondOfficerNeeded):
        services.change_status(version_id=version.pk, status="live", actor="officer:first")


def test_a_gate_that_does_not_suspend_denies_while_it_fails(
    register: Register, demanded: Demand, decide: Callable[[], list[str]]
) -> None:
    version = models.go_live(register(audited.leaking(sound())))
    demanded("leak", suspends=False)

    running.run_now(version, author="job:audits", only=["leak"])

    assert decide() == ["gate_failed"]
    assert ModelVersion.objects.get(pk=version.pk).status == "live"


def test_an_audit_that_is_not_demanded_suspends_nothing(register: Register) -> None:
    version = models.go_live(register(audited.leaking(sound())))

    running.run_now(version, author="job:audits", only=["leak"])

    assert ModelVersion.objects.get(pk=version.pk).status == "live"
    assert not ChangeSet.objects.filter(kind="protective").exists()


def test_what_could_not_be_measured_fails_the_gate_and_suspends_nothing(
    version: ModelVersion, demanded: Demand
) -> None:
    models.go_live(version)
    demanded("regression")

    running.run_now(version, author="job:audits", only=["regression"])

    [line] = running.failures(version)
    assert line.finding.why == "Recorded cases: not measured: no case is recorded."
    assert ModelVersion.objects.get(pk=version.pk).status == "live"


def test_the_threshold_is_the_registers(version: ModelVersion, demanded: Demand) -> None:
    running.run_now(version, author="job:audits", only=["leak"])

    demanded("leak", threshold="0.2")
    assert running.failures(version) == []
    demanded("leak", threshold="0.01")
    assert [line.slug for line in running.failures(version)] == ["leak_audit"]


def test_a_draft_is_audited_without_another_bundle(version: ModelVersion, demanded: Demand) -> None:
    before = Bundle.objects.count()

    running.run_now(version, author="job:audits", only=["bias", "leak"])

    assert Bundle.objects.count() == before


def test_newcomers_are_the_control_group_of_the_model_itself(version: ModelVersion) -> None:
    newcomers = audited.world(60, each=5, seed=9, first=10_000)
    add_events(range(10_000, 10_060), newcomers, timezone.now() + timedelta(days=1))
    row = running.run_now(version, author="job:audits", only=["leak"])
    assert row.results["leak"]["figures"]["attacked"] == "reference"  # nobody asked them

    for person in range(10_000, 10_060):
        allow(person)
    row = running.run_now(version, author="job:audits", only=["leak"])

    figures = row.results["leak"]["figures"]
    assert (figures["attacked"], figures["strangers"]) == ("model", 60)
    assert set(row.results["leak"]["report"]["attacks"]) == {"model", "reference"}
