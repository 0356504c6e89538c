"""Every way out of use of a model is a denial of the very next decision, in both engines."""

import time
from datetime import UTC, datetime
from datetime import time as time_of_day
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from model_registry import services
from model_registry.documents import keeping
from model_registry.gates import recording
from model_registry.models import GateDemand, ModelVersion
from oversight import registers, rows
from oversight.changes.documents import Proposed
from policies.models import ActiveBundle
from tests.helpers import models
from tests.helpers.registers import in_force, make_officer, widened
from tests.policies.engines.conftest import Decide

KEY = "basket/1"


def _change(register: str, key: str, **members: Any) -> Proposed:
    """A row of a register with members replaced."""
    before = rows.find_document(registers.find(register), key)
    assert before is not None
    return Proposed(register, key, {**before, **members})


def _by_two(*proposed: Proposed) -> None:
    in_force(make_officer("one"), make_officer("two"), *proposed)


@pytest.mark.parametrize("status", ["suspended", "retired"])
def test_a_step_of_one_officer(decide: Decide, live: ModelVersion, status: str) -> None:
    assert decide() == (True, [])

    services.change_status(version_id=live.pk, status=status, actor="officer:one")

    permitted, codes = decide()
    assert (permitted, codes[0]) == (False, "model_not_live")


def test_a_document_that_another_revision_supersedes(decide: Decide, live: ModelVersion) -> None:
    keeping.keep(live, "card", models.card(overview=""), actor="officer:one")
    assert decide() == (False, ["gate_failed"])

    keeping.keep(live, "card", models.card(), actor="officer:one")
    assert decide() == (True, [])

    keeping.keep(live, "dpia", models.assessment(review_due="2039-01-01"), actor="officer:one")
    assert decide() == (False, ["gate_failed"]), "the new revision was approved by nobody"


def test_an_assessment_that_is_refused_after_its_approval(decide: Decide, live: ModelVersion) -> None:
    row = keeping.current(live, "dpia")
    assert row is not None

    recording.review(row, verdict="refused", role="legal", actor=make_officer("two"), comment="The views are missing.")

    assert decide() == (False, ["gate_failed"])


def test_an_exemption_that_is_withdrawn(decide: Decide, live: ModelVersion) -> None:
    exempt = {"model": "basket", "version": 1, "gate": "fria", "reason": "No public body uses it."}
    key = f"{KEY}/fria"
    _by_two(Proposed("gate_exemption", key, exempt))
    GateDemand.objects.filter(slug="fria").update(is_active=True)
    models.evidence(live, "another")  # publishes what is demanded now
    assert decide() == (True, [])

    in_force(make_officer("three"), make_officer("four"), Proposed("gate_exemption", key, None))

    assert decide() == (False, ["gate_failed"])


def test_a_gate_that_is_demanded_from_now_on(decide: Decide, live: ModelVersion) -> None:
    _by_two(_change("gate_demand", "regression-audit", is_active=True))

    assert decide() == (False, ["gate_failed"])


def test_a_permission_that_changes_sends_it_back_to_review(decide: Decide, live: ModelVersion) -> None:
    _by_two(_change("model_permissions", KEY, max_level="segment"))

    permitted, codes = decide()
    assert (permitted, codes[0]) == (False, "model_unknown")
    live.refresh_from_db()
    assert live.status == ModelVersion.Status.IN_REVIEW


def test_a_purpose_that_changes_under_its_assessment(decide: Decide, live: ModelVersion) -> None:
    kinds = ["views", "purchases", "ratings", "postal_address"]
    _by_two(*widened("recommendations", data_categories=kinds, is_material=False))

    permitted, codes = decide()
    assert not permitted
    assert "gate_failed" in codes


@pytest.mark.parametrize("ends", ["approval", "review"])
def test_a_day_that_is_over_by_the_clock(
    decide: Decide,
    live: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    ends: str,
) -> None:
    last = timezone.now().date() if ends == "approval" else datetime.fromisoformat(models.REVIEW_DUE).date()
    if ends == "approval":
        _by_two(_change("model_status", KEY, approved_until=last.isoformat()))
    revision = ActiveBundle.objects.get().bundle_id
    end = datetime.combine(last, time_of_day.max, UTC)
    assert decide() == (True, [])

    for moment, answer in ((end.timestamp() - 1, (True, [])), (end.timestamp() + 1, (False, ["gate_failed"]))):
        clock = SimpleNamespace(**{**vars(time), "time": lambda moment=moment: moment})
        monkeypatch.setattr("policies.decisions.evaluate.time", clock)
        assert decide() == answer
    assert ActiveBundle.objects.get().bundle_id == revision, "no job and no new bundle is needed"
