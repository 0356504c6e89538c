"""Registered systems are judged again and again; what appears and what goes is in the audit trail."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from policies import tasks
from policies.bundles import publishing
from policies.models import ProcessingSystem, TransferInstrument
from policies.registers import defaults
from policies.residency import systems
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db
ADD = "/admin/policies/processingsystem/add/"


@pytest.fixture
def register_of_rules():
    defaults.ensure_defaults()


@pytest.fixture
def officer(register_of_rules):
    client = Client()
    client.force_login(User.objects.create_superuser("anna", password="a long password"))
    return client


def _system(*places, **fields):
    placements = [{"kind": "store", "region": region, "resource": f"orders in {region}"} for region in places]
    return ProcessingSystem.objects.create(
        name="shop", owner="IT", placements=placements, subject_groups=["eea"], **fields
    )


def _events():
    events = AuditEvent.objects.filter(action__startswith="residency.").order_by("position")
    return [(event.action, event.details["code"], event.details["region"]) for event in events]


def test_a_finding_is_opened_once_and_closed_when_it_is_gone(register_of_rules):
    system = _system("eu-central-1", "us-east-1")

    tasks.audit_residency()
    tasks.audit_residency()

    system.refresh_from_db()
    assert [finding["region"] for finding in system.findings] == ["us-east-1"]
    assert _events() == [("residency.finding_opened", "residency", "us-east-1")]
    system.placements = system.placements[:1]
    system.save()
    tasks.audit_residency()
    system.refresh_from_db()
    assert system.findings == []
    assert _events()[1:] == [("residency.finding_closed", "residency", "us-east-1")]


def test_an_instrument_that_ends_makes_a_finding_without_any_change(register_of_rules):
    _system("eu-west-2")
    now = timezone.now()
    TransferInstrument.objects.filter(slug="eu-uk-adequacy").update(valid_until=now + timedelta(days=10))
    publishing.publish("the decision was limited", "test")

    assert systems.audit_residency(now=now) == 0
    assert systems.audit_residency(now=now + timedelta(days=11)) == 1
    assert _events() == [("residency.finding_opened", "transfer_instrument_expired", "eu-west-2")]


@pytest.mark.parametrize("places", [[], ["moon-1"]])
def test_places_nobody_states_or_knows_are_findings(register_of_rules, places):
    _system(*places)

    assert systems.audit_residency() == 1


def test_without_a_bundle_nothing_is_judged():
    system = _system("us-east-1")

    assert systems.audit_residency() == 0

    system.refresh_from_db()
    assert system.checked_at is None


def _form(places):
    return {"name": "shop", "owner": "IT", "placements": places, "subject_groups": "eea", "data_categories": ""}


def test_an_officer_registers_a_system_and_sees_at_once_what_is_not_allowed(officer):
    saved = officer.post(ADD, _form("store, eu-central-1, orders\nBackup, us-east-1, nightly dump"))

    assert saved.status_code == 302
    second_newest()
    system = ProcessingSystem.objects.get()
    assert [place["kind"] for place in system.placements] == ["store", "backup"]
    page = officer.get(f"/admin/policies/processingsystem/{system.pk}/change/").content.decode()
    assert "No rule allows data of people in eea in us: *." in page
    assert "Not allowed" in officer.get("/admin/policies/processingsystem/").content.decode()
    attention = officer.get("/admin/").context["attention"]
    assert [item["severity"] for item in attention if "“shop”" in item["title"]] == ["now"]
    assert AuditEvent.objects.get(action="changes.applied").details["author"] == "officer:anna"


@pytest.mark.parametrize("places", ["orders", "cellar, eu-central-1, orders", "store", ""])
def test_what_is_no_place_is_refused_with_an_example(officer, places):
    page = officer.post(ADD, _form(places))

    assert page.status_code == 200
    assert not ProcessingSystem.objects.exists()
