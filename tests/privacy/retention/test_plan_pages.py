"""Officers' pages of deletion plans: who made and decided one, and the switch of all retention runs."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from audit.models import AuditEvent
from common.actors import Officer
from privacy import tasks
from privacy.models import Disposal, RetentionSchedule
from privacy.retention import control, disposal, plans
from privacy.retention.pacing import Pace
from tests.helpers.officers import make_accounts, signed_in, with_role

pytestmark = pytest.mark.django_db
PLANS, RUNS = "/admin/privacy/deletionplan/", "/admin/privacy/disposal/"
ANN, BEN = Officer.of("ann", 1001), Officer.of("ben", 1002)


def test_an_officer_switches_retention_runs_off_and_on(officer: Client) -> None:
    assert "switch-on" not in officer.get(PLANS).content.decode()

    confirmation = officer.get(f"{PLANS}switch-off/").content.decode()
    assert "none begins until it is switched on again" in confirmation
    assert not control.is_switched_off()

    officer.post(f"{PLANS}switch-off/")
    assert control.is_switched_off()
    shown = officer.get(PLANS).content.decode()
    assert ("switch-on" in shown, "switch-off" in shown) == (True, False)

    officer.post(f"{PLANS}switch-on/")
    assert not control.is_switched_off()
    events = AuditEvent.objects.filter(action__startswith="retention.switched").order_by("position")
    assert [(event.action, event.actor) for event in events] == [
        ("retention.switched_off", "officer:anna"),
        ("retention.switched_on", "officer:anna"),
    ]


def test_an_auditor_sees_plans_and_cannot_switch(register_in_force: None) -> None:
    auditor = signed_in(with_role("ada", "auditor"))

    shown = auditor.get(PLANS)
    assert (shown.status_code, "switch-off" in shown.content.decode()) == (200, False)
    assert auditor.post(f"{PLANS}switch-off/").status_code == 403
    assert not control.is_switched_off()


def test_a_plan_shows_officers_by_name(officer: Client) -> None:
    plan = plans.make(RetentionSchedule.objects.get(purpose__slug="recommendations"), actor=ANN)

    for path in (PLANS, f"{PLANS}{plan.pk}/change/"):
        shown = officer.get(path).content.decode()
        assert ("Officer ann" in shown, "officer:ann" in shown) == (True, False), path


@pytest.fixture
def deleted(
    register_in_force: None, remember: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> Disposal:
    """A run that Ann planned and Ben approved, and that can be undone for a week."""
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    settings.ASSENT_HOME = tmp_path
    make_accounts(ANN, BEN)
    RetentionSchedule.objects.update(undo_days=7)
    remember("customer-2", 3, days=500)
    plan = plans.make(RetentionSchedule.objects.get(purpose__slug="recommendations"), actor=ANN)
    run = disposal.run_of(plans.approve(plan, actor=BEN, seen=plan.digest))
    return disposal.run(run.id, pace=Pace(gentle=False))


def _browser(officer: Officer) -> Client:
    return signed_in(User.objects.get(pk=officer.account))


def test_two_officers_decide_a_plan_on_its_page(register_in_force: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    make_accounts(ANN, BEN)
    plan = plans.make(RetentionSchedule.objects.get(purpose__slug="recommendations"), actor=ANN)
    page = f"{PLANS}{plan.pk}/change/"

    refused = _browser(ANN).post(f"{PLANS}{plan.pk}/approve/", follow=True).content.decode()
    assert "Another officer has to approve this deletion plan." in refused
    assert "Deletion plan to approve" in _browser(BEN).get("/admin/").content.decode()
    assert "Deletion plan to approve" not in _browser(ANN).get("/admin/").content.decode()

    assert "The plan is approved" in _browser(BEN).post(f"{PLANS}{plan.pk}/approve/", follow=True).content.decode()
    shown = _browser(ANN).get(page).content.decode()
    assert [word in shown for word in ("What happened", "Officer ann", "Officer ben", "Approved")] == [True] * 4
    assert "Deletion plan to approve" not in _browser(BEN).get("/admin/").content.decode()


def test_an_undo_takes_two_officers_on_the_page(deleted: Disposal, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Any] = []
    monkeypatch.setattr(tasks.undo_run, "apply_async_on_commit", lambda args: handed.append(args))
    ann, ben = _browser(ANN), _browser(BEN)
    page = f"{RUNS}{deleted.pk}"
    assert "Propose to undo" in ann.get(f"{page}/change/").content.decode()
    ann.post(f"{page}/propose-undo/", {"because": "Wrong period"})
    assert "Undo of a deletion run to approve" in ben.get("/admin/").content.decode()

    seen = ben.get(f"{page}/approve-undo/").context["step"].seen
    assert "its author" in ann.post(f"{page}/approve-undo/", {"seen": seen}, follow=True).content.decode()
    assert "has changed since" in ben.post(f"{page}/approve-undo/", {"seen": "x"}, follow=True).content.decode()
    assert handed == []
    ben.post(f"{page}/approve-undo/", {"seen": seen})

    assert handed == [(str(deleted.pk),)]
    tasks.undo_run(str(deleted.pk))
    shown = ben.get(f"{page}/change/").content.decode()
    assert ("Wrong period" in shown, "Undone on" in shown, "Propose to undo" in shown) == (True, True, False)


def test_who_may_not_is_offered_no_undo(deleted: Disposal) -> None:
    auditor = signed_in(with_role("ada", "auditor"))

    assert "Propose to undo" not in auditor.get(f"{RUNS}{deleted.pk}/change/").content.decode()
    assert auditor.post(f"{RUNS}{deleted.pk}/propose-undo/", {"because": "x"}).status_code == 403
    assert auditor.post(f"{RUNS}{deleted.pk}/approve-undo/", {"seen": "x"}).status_code == 403
