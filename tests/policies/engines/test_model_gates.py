"""Release gates decide in both engines: evidence that goes, or ends by the clock, is a denial at the next decision."""

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from model_registry.gates import recording
from model_registry.models import ModelVersion
from policies.models import ActiveBundle
from tests.helpers import models
from tests.policies.engines.conftest import Decide


def test_evidence_that_fails_is_a_denial_at_the_next_decision(decide: Decide, live: ModelVersion) -> None:
    assert decide() == (True, [])

    models.evidence(live, "fallback", is_passed=False)
    assert decide() == (False, ["gate_failed"])

    models.evidence(live, "fallback")
    assert decide() == (True, [])


def test_evidence_that_ended_is_a_denial_by_the_clock(
    decide: Decide, live: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = timezone.now() + timedelta(hours=1)
    recording.record_evidence(live, "audit", "fallback", is_passed=True, actor="job:audit", valid_until=end)
    revision = ActiveBundle.objects.get().bundle_id
    assert decide() == (True, [])

    clock = SimpleNamespace(**{**vars(time), "time": end.timestamp})
    monkeypatch.setattr("policies.decisions.evaluate.time", clock)

    assert decide() == (False, ["gate_failed"])
    assert ActiveBundle.objects.get().bundle_id == revision
