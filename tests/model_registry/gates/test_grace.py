"""Grace of an upgrade: it covers what was in use as it was, and neither a new permission nor an approval that ended."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import timezone

from common import policy_data
from consent.models import Purpose
from model_registry import services
from model_registry.gates import outcome
from model_registry.models import ModelVersion
from oversight import registers, rows
from oversight.changes.documents import Proposed
from tests.helpers import models
from tests.helpers.registers import in_force, make_officer
from tests.model_registry.gates.test_gates_in_force import NAME, gates_at

pytestmark = pytest.mark.django_db
KEY = NAME.replace("@", "/")


@pytest.fixture
def upgraded(register_in_force: None) -> ModelVersion:
    """A version that an older release let serve: without any evidence, in its grace."""
    model = services.register_model("house", name="House", description="")
    purposes = [Purpose.objects.get(slug="recommendations")]
    version = services.register_version(model=model, purposes=purposes, actor="job:training", max_level="segment")
    until = timezone.now() + timedelta(days=80)
    ModelVersion.objects.filter(pk=version.pk).update(status="live", gates_grace_until=until)
    policy_data.changed(reason="test", actor="test")
    return ModelVersion.objects.select_related("model").get(pk=version.pk)


def test_it_ends_by_itself(upgraded: ModelVersion) -> None:
    until = upgraded.gates_grace_until
    assert until is not None

    assert (gates_at(until - timedelta(seconds=1)), gates_at(until)) == ("passed", "failed")


def test_it_covers_a_version_that_steps_back_and_serves_again(upgraded: ModelVersion) -> None:
    models.take(upgraded, "suspended")

    assert models.take(upgraded, "live").is_live


def test_what_a_version_may_do_from_now_on_has_to_pass_the_gates(upgraded: ModelVersion) -> None:
    before = rows.find_document(registers.find("model_permissions"), KEY)
    assert before is not None
    wider = Proposed("model_permissions", KEY, {**before, "max_level": "individual"})
    in_force(make_officer("one"), make_officer("two"), wider)

    with pytest.raises(services.GatesNotPassed):
        models.take(upgraded, "approved")
    assert ModelVersion.objects.get(pk=upgraded.pk).gates_grace_until is None


def test_a_version_that_is_reviewed_anew_has_to_pass_the_gates(upgraded: ModelVersion) -> None:
    models.take(upgraded, "suspended")
    models.take(upgraded, "in_review")

    with pytest.raises(services.GatesNotPassed):
        models.take(upgraded, "approved")


def test_an_approval_that_has_ended_ends_it(upgraded: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=upgraded.pk).update(approved_until=date(2020, 1, 1))
    upgraded.refresh_from_db()

    assert outcome.of(upgraded).state == "failed"


def test_an_approval_that_ends_within_it_ends_the_service(upgraded: ModelVersion) -> None:
    day = (timezone.now() + timedelta(days=10)).date()
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    ModelVersion.objects.filter(pk=upgraded.pk).update(approved_until=day)
    upgraded.refresh_from_db()
    upgraded.publish_if_in_bundle(reason="test", actor="test")

    assert (gates_at(end - timedelta(seconds=1)), gates_at(end)) == ("passed", "failed")

    models.with_evidence(upgraded)
    assert (gates_at(end - timedelta(seconds=1)), gates_at(end)) == ("passed", "failed")
