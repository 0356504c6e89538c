"""Officers' pages of deletion plans: who made and decided one, and the switch of all retention runs."""

import pytest
from django.test import Client

from audit.models import AuditEvent
from common.actors import Officer
from privacy.models import RetentionSchedule
from privacy.retention import control, plans
from tests.helpers.officers import signed_in, with_role

pytestmark = pytest.mark.django_db
PLANS = "/admin/privacy/deletionplan/"
ANN = Officer.of("ann", 1)


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
