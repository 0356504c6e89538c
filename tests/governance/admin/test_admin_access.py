"""Who gets into the admin, and what nobody may do there."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import trail
from audit.models import AuditAnchor, AuditEvent
from common import policy_data
from common.admin_pages.read_only import ReadOnlyAdmin
from consent.models import ConsentImport, ConsentRecord, DataSubject, Notice, Purpose
from governance.admin_menu import SIDEBAR
from governance.models import OfficerSession
from governance.officers.roles import ROLES
from model_registry import services
from model_registry.models import GateExemption, Model, StoppedSegment
from model_registry.reviews.models import ReviewRule
from oversight.models import RelaxedRegister
from personalization.creators.models import CreatorOptOut
from personalization.models import EventCount, Feature, Item, MonitorObjective, RegressionCase
from policies.decision_log import drainer
from policies.endpoints import credentials
from policies.models import (
    Activation,
    Bundle,
    Decision,
    DisplayRule,
    ExternalDecision,
    FrequencyCap,
    LogDrop,
    MaskRule,
    OpaInstance,
    Policy,
    PriceRule,
    ProcessingSystem,
    RankingRule,
)
from policies.opa import reported_log
from privacy.models import BudgetSpend, DeletionPlan, Disposal, ExternalTable, PrivacyBudget, Release, RetentionSchedule
from privacy.retention import plans
from privacy.rights.models import Agent
from tests.conftest import ALL_SCOPES, Api
from tests.helpers.holds import Register as HoldRegister
from tests.helpers.holds import hold, restriction
from tests.helpers.visitor import Visitor, question

pytestmark = pytest.mark.django_db
READ_ONLY = [
    AuditEvent, AuditAnchor, ConsentImport, ConsentRecord, DataSubject, Decision, Bundle, Activation, Disposal, Policy,
    LogDrop, Release, OpaInstance, ExternalDecision, Group, OfficerSession, DeletionPlan, EventCount,
]  # fmt: skip
MENU = [item["link"] for group in SIDEBAR["navigation"] for item in group["items"]]
PROTECTED = [*(str(path) for path in MENU), "/admin/check-evidence"]


def _page(model, kind, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=args)


@pytest.fixture(scope="module")
def lived_in(standing_register):
    """One row of everything that officers can look at, for all tests of the file: each undoes what it changes."""
    token, _credential = credentials.create_credential(name="a shop", scopes=ALL_SCOPES, actor="test")
    api = Api(token)
    Group.objects.create(name=ROLES["auditor"].group)
    Visitor("customer-1").come_in()
    api.save("customer-1", "give")
    api.save("customer-1", "withdraw")
    api.evaluate(question())
    drainer.drain(standing_register)
    trail.anchor()
    purpose = Purpose.objects.get(slug="recommendations")
    Disposal.objects.create(
        reason="withdrawal", purpose=purpose, subject_ref=uuid.uuid4(), before=timezone.now(), removed={"events": 3}
    )
    plans.make(RetentionSchedule.objects.get(purpose=purpose), actor="officer:anna")
    spend = BudgetSpend.objects.create(budget=PrivacyBudget.objects.get(), release_key="k", epsilon=Decimal("0.5"))
    Release.objects.create(
        spend=spend, statistic="rate", rows=[{"region": "DE", "people": 30, "consent_rate_per_mille": 512}]
    )
    ConsentImport.objects.create(file_sha256="a" * 64, system="legacy", actor="operator", refused={"not_json": 2})
    ProcessingSystem.objects.create(
        name="Warehouse", owner="Data team", placements=[{"kind": "store", "region": "eu-central", "resource": "db"}]
    )
    now = timezone.now()
    OpaInstance.objects.create(name="opa-1", caller="service:opa", errors=["bundle_error: 404"], heard_at=now)
    reported = ExternalDecision(
        id=uuid.uuid4(), decided_at=now, received_at=now, instance="opa-1", caller="service:opa", path="other",
        outcome="deny", reasons=["consent_missing", "other"], facts={"action": "personalize"},
    )  # fmt: skip
    reported_log.append([reported], caller="service:opa")
    Item.objects.create(slug="i", title="An item", categories=["For two"])
    EventCount.objects.create(day=now.date(), purpose="recommendations", kind="view", entries=30, people=20)
    Agent.objects.create(slug="A", name="An agent", verify_key="A" * 43 + "=")
    LogDrop.objects.create(day=now.date(), state="refused", why="The disk was full")
    HoldRegister().place(hold(), restriction())
    RelaxedRegister.objects.create(register="party", reason="Addresses change weekly.")
    model = Model.objects.create(slug="basket", name="Basket")
    metrics = {"ndcg_at_10_per_mille": {"none": 48}, "people": 281}
    services.register_version(model=model, purposes=[purpose], actor="test", metrics=metrics)
    GateExemption.objects.create(model=model, version=1, gate="datasheet", reason="No data set leaves the shop.")
    MonitorObjective.objects.create(slug="latency", monitor="latency", limit=Decimal("0.1"))
    Feature.objects.create(
        name="looks",
        version=2,
        kind="count",
        events=["view"],
        purpose="recommendations",
        freshness_s=3600,
        owner="anna",
    )
    RegressionCase.objects.create(slug="one-topic", model=model, history=["tent"], expected=["rope"])
    ReviewRule.objects.create(slug="new-people", share=10)
    CreatorOptOut.objects.create(creator="studio")
    RankingRule.objects.create(purpose="recommendations")
    DisplayRule.objects.create(slug="alcohol", item_categories=["alcohol"], reason="Not for minors.")
    PriceRule.objects.create(slug="discounts", most_below=10, reason="Small discounts.")
    FrequencyCap.objects.create(slug="weekly", most=3, days=7, reason="Not too often.")
    MaskRule.objects.create(slug="reasons", item_fields=["why"], reason="A decision.")
    ExternalTable.objects.create(
        slug="orders",
        title="Orders",
        connection="shop",
        relation="orders",
        person="customer",
        row_key="id",
        columns=["city"],
    )
    StoppedSegment.objects.create(model=model, version=1, segment="region=DE|age=minor", reason="Too few.")


@pytest.mark.parametrize("path", MENU, ids=str)
def test_every_list_in_the_menu_and_its_first_page_open(officer, lived_in, path):
    shown = officer.get(path)
    assert shown.status_code == 200

    changelist = shown.context.get("cl")
    if changelist is None:  # the start page is no list
        return
    first = changelist.result_list[0]
    page = officer.get(_page(type(first), "change", first.pk))
    assert page.status_code == 200
    assert "{&#x27;" not in page.content.decode(), "a document is shown raw"


@pytest.mark.parametrize("model", [ConsentRecord, DataSubject, Bundle, Activation, Disposal])
def test_a_list_costs_no_more_statements_with_more_rows(officer, lived_in, api, own_spool, sql, model):
    def cost():
        sql.clear()
        rows = len(officer.get(_page(model, "changelist")).context["cl"].result_list)
        return rows, len(sql)

    cost()
    few_rows, few = cost()
    for number in range(3):
        api.save(f"customer-{number}", "give")
        api.save(f"customer-{number}", "withdraw")
        api.evaluate(question(f"customer-{number}"))
        purpose = Purpose.objects.create(slug=f"p-{number}", name=f"P {number}")
        policy_data.changed(reason="more", actor="officer:anna")
        Disposal.objects.create(reason="retention", purpose=purpose, before=timezone.now())
    drainer.drain(own_spool)
    many_rows, many = cost()

    assert many_rows >= few_rows + 2
    assert many == few


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_not_even_a_superuser_adds_changes_or_deletes(officer, lived_in, model):
    row = model.objects.first()
    before = list(model.objects.values())

    answers = [
        officer.get(_page(model, "add")),
        officer.post(_page(model, "add"), {}),
        officer.post(_page(model, "change", row.pk), {"actor": "somebody else"}),
        officer.get(_page(model, "delete", row.pk)),
        officer.post(_page(model, "delete", row.pk), {"post": "yes"}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    officer.post(_page(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert list(model.objects.values()) == before


def test_every_ledger_table_in_the_admin_is_read_only():
    registered = {model for model, site_admin in admin.site._registry.items() if isinstance(site_admin, ReadOnlyAdmin)}

    assert registered == set(READ_ONLY)


@pytest.mark.parametrize("model", [Notice, ConsentRecord], ids=lambda model: model.__name__)
def test_what_people_saw_and_chose_cannot_be_edited(officer, lived_in, model):
    row = model.objects.first()

    assert officer.post(_page(model, "change", row.pk), {"text": "something else"}).status_code == 403
    assert officer.post(_page(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_strangers_are_sent_to_the_sign_in_page(register_in_force):
    answers = {path: Client().get(path) for path in PROTECTED}

    assert {path: answer.headers.get("Location") for path, answer in answers.items()} == {
        path: f"/admin/login/?next={path}" for path in PROTECTED
    }


def test_users_who_are_no_officers_are_refused(register_in_force):
    browser = Client()
    browser.force_login(User.objects.create_user("somebody", password="a long password"))

    for path in PROTECTED:
        assert browser.get(path).status_code == 302, path
        assert browser.post(path).status_code == 302, path


def test_an_officer_without_rights_sees_no_list_and_changes_no_model(register_in_force, lived_in):
    browser = Client()
    browser.force_login(User.objects.create_user("new", password="a long password", is_staff=True))

    assert browser.get(_page(ConsentRecord, "changelist")).status_code == 403
    assert browser.post("/admin/model_registry/modelversion/1/approve/").status_code == 403


def test_a_session_of_an_officer_ends_after_a_working_day(officer):
    officer.get("/admin/")

    assert officer.session.get_expiry_age() == timedelta(hours=8).total_seconds()


def test_schedules_say_what_they_would_delete_tonight(officer, lived_in):
    schedule = RetentionSchedule.objects.first()

    assert "0 events" in officer.get(_page(RetentionSchedule, "change", schedule.pk)).content.decode()
