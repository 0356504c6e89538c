"""``gate``: names what is missing and ends with a status that a pipeline can stop at."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from consent.models import Purpose
from model_registry import services
from model_registry.models import ModelVersion
from tests.helpers import models

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    model = services.register_model("house", name="House", description="")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return services.register_version(model=model, purposes=purposes, actor="job:training")


def test_what_is_missing_is_named_and_the_status_is_one(version: ModelVersion) -> None:
    out = StringIO()

    with pytest.raises(CommandError) as ended:
        call_command("gate", "house", "1", stdout=out)

    names = "bias_audit, card, dpia, fallback, leak_audit, quality, runbook, segments"
    assert (str(ended.value), ended.value.returncode) == (f"house@1 lacks: {names}.", 1)
    assert "FAILED  card              Model card: there is none." in out.getvalue()


def test_the_gates_stand_in_the_checklist_of_their_stage(version: ModelVersion) -> None:
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("gate", "house", "1", stdout=out)

    before, after = out.getvalue().split("runtime:")
    assert "Model card" in before
    assert "Audits:" in after


def test_a_stage_is_asked_for_alone(version: ModelVersion) -> None:
    out = StringIO()

    call_command("gate", "house", "1", "--stage", "post-deployment", "--json", stdout=out)
    with pytest.raises(CommandError, match="house@1 lacks: "):
        call_command("gate", "house", "1", "--stage", "pre-launch", stdout=StringIO())

    found = json.loads(out.getvalue())["list"]
    assert {line["stage"] for line in found} == {"post-deployment"}


def test_a_version_with_its_evidence_ends_well(version: ModelVersion) -> None:
    models.with_evidence(version)
    out = StringIO()

    call_command("gate", "house", "1", "--json", stdout=out)

    found = json.loads(out.getvalue())
    assert (found["gates"], {line["state"] for line in found["list"]}) == ("passed", {"passed"})
    [dpia] = [line for line in found["list"] if line["gate"] == "dpia"]
    assert (dpia["owner"], dpia["until"]) == ("officer:third", found["until"])


@pytest.mark.parametrize("number", ["3", "0", "99999999999999999999"])
def test_a_version_that_is_not_there_is_another_status(version: ModelVersion, number: str) -> None:
    with pytest.raises(CommandError, match=f"There is no version {number}") as ended:
        call_command("gate", "house", number)

    assert ended.value.returncode == 2
