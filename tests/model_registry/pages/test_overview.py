"""Overview of models: what serves, what ends next, what waits for whom; on Today in short."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent.models import Purpose
from model_registry import services
from model_registry.documents import keeping
from model_registry.models import ModelVersion
from model_registry.pages import overview
from model_registry.pages.overview import APPROVER, OWNER
from oversight import registers, rows
from oversight.changes.documents import Proposed
from tests.helpers import models
from tests.helpers.officers import signed_in, with_role
from tests.helpers.registers import make_officer, proposed_by

pytestmark = pytest.mark.django_db


def draft(slug: str = "house") -> ModelVersion:
    return services.register_version(
        model=services.register_model(slug, name=slug.capitalize(), description=""),
        purposes=[Purpose.objects.get(slug="recommendations")],
        actor="job:training",
        metrics={"ndcg_at_10_per_mille": {"individual": 300}},
    )


def waiting() -> list[tuple[str, str, str]]:
    return [(each.what, each.why, each.whom) for each in overview.read(timezone.now()).waiting]


@pytest.fixture
def reader(register_in_force: None) -> Client:
    return signed_in(with_role("reader", "auditor"))


def test_what_serves_stands_with_its_gates_and_their_end(reader: Client) -> None:
    models.go_live(draft())

    html = reader.get("/admin/models/").content.decode()

    assert "House, version 1</a>" in html
    assert 'fact-badge-good">Passed' in html
    assert "Impact assessment</td>" in html


def test_what_ends_stands_with_the_first_on_top(reader: Client) -> None:
    version = models.go_live(draft())
    ModelVersion.objects.update(approved_until=timezone.now().date() + timedelta(days=9))

    ending = overview.read(timezone.now()).ending

    assert [each.gate for each in ending] == ["Approval", "Impact assessment", "Audits by age"]
    assert ending[0].url == f"/admin/model_registry/modelversion/{version.pk}/change/"


MISSING = "Bias audit, Model card, Impact assessment, Fallback, Leak audit, Runbook, Size of segments"


def test_a_draft_waits_for_its_owner_and_what_is_read_for_an_approver(register_in_force: None) -> None:
    version = draft()
    assert waiting() == [
        (
            "House, version 1",
            f"Draft. Missing: {MISSING}.",
            OWNER,
        )
    ]

    models.with_evidence(version)
    models.take(version, "in_review")
    assert waiting() == [("House, version 1", "In review, and nothing is missing. Propose its approval.", OWNER)]

    keeping.keep(version, "dpia", models.assessment(review_due="2039-01-01"), actor="officer:one")
    assert waiting() == [("House, version 1", "In review. To be read and approved: Impact assessment.", APPROVER)]


def test_an_approved_version_waits_to_be_made_live_and_a_suspended_one_is_urgent(register_in_force: None) -> None:
    version = models.with_evidence(draft())
    models.take(version, "approved")
    assert waiting() == [("House, version 1", "Approved. It serves once it is made live.", APPROVER)]

    models.take(version, "live")
    assert waiting() == []

    models.take(version, "suspended")
    [found] = overview.read(timezone.now()).waiting
    assert found.is_urgent


def test_a_live_version_that_lost_its_evidence_is_urgent(register_in_force: None) -> None:
    version = models.go_live(draft())
    models.evidence(version, "fallback", is_passed=False)

    [found] = overview.read(timezone.now()).waiting

    assert (found.is_urgent, found.why) == (True, "Live, and denied. Missing: Fallback.")


def test_older_drafts_and_versions_that_were_passed_by_do_not_wait(register_in_force: None) -> None:
    draft()
    newer = draft()
    models.go_live(newer)

    assert waiting() == []


def test_a_proposed_set_waits_for_another_officer(register_in_force: None) -> None:
    before = rows.find_document(registers.find("gate_demand"), "datasheet")
    proposed = Proposed("gate_demand", "datasheet", {**(before or {}), "is_active": True})
    change_set = proposed_by(make_officer("one"), proposed)

    [found] = overview.read(timezone.now()).waiting

    assert (found.whom, found.url) == (APPROVER, f"/admin/changes/{change_set.pk}/")


def test_today_says_what_ends_within_a_month(reader: Client) -> None:
    models.go_live(draft())
    ModelVersion.objects.update(approved_until=timezone.now().date() + timedelta(days=9))

    titles = {str(item["title"]) for item in reader.get("/admin/").context["attention"]}

    assert "House, version 1: Approval ends soon" in titles
    assert "House, version 1: Impact assessment ends soon" not in titles


def test_statements_do_not_grow_with_versions_that_are_past(register_in_force: None) -> None:
    models.go_live(draft())
    draft()
    with CaptureQueriesContext(connection) as before:
        overview.read(timezone.now())
    for _ in range(6):
        services.change_status(version_id=draft().pk, status="retired", actor="officer:one")
        draft()

    with CaptureQueriesContext(connection) as after:
        overview.read(timezone.now())

    assert len(after) <= len(before)


def test_who_may_not_see_versions_is_refused(register_in_force: None) -> None:
    assert signed_in(with_role("nobody-of-models")).get("/admin/models/").status_code == 403
