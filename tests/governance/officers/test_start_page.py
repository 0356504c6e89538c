"""The officers' start page: what needs a decision, and whether the evidence was checked and holds."""

import secrets
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from audit import trail
from audit.models import AuditEvent
from common.identifiers import uuid7_floor
from consent.models import Purpose
from governance.evidence import checks as evidence
from model_registry import services
from model_registry.models import Model
from policies.decision_log import drainer
from policies.models import Decision, LogDrop, ServiceCredential, TransferInstrument
from privacy.models import BudgetSpend, Disposal, PrivacyBudget, RetentionSchedule
from tests.helpers import models
from tests.helpers.registers import make_account
from tests.helpers.visitor import question

pytestmark = pytest.mark.django_db


def _found(officer):
    context = officer.get("/admin/").context
    return {str(item["title"]): item for item in context["attention"]}


def _text(response):
    return " ".join(response.content.decode().split())


@pytest.fixture
def tidy(register_in_force, kept_translations):
    """A register with nothing to decide."""
    kept_translations.lay()


def test_where_nothing_waits_the_page_says_so(officer, tidy):
    make_account("second")
    page = officer.get("/admin/")

    assert page.context["attention"] == []
    assert "Nothing waits for you." in _text(page)


def test_an_installation_without_a_name_is_given_its_address_and_says_so(officer, tidy, settings):
    make_account("second")
    settings.BUSINESS_NAME, settings.BUSINESS_NAME_IS_SET = "privacy.example.org", False

    card = _found(officer)["This installation has no name"]

    assert "“privacy.example.org”" in card["detail"]
    assert "BUSINESS_NAME" in card["detail"]


def _trained(**_):
    model = Model.objects.create(slug="basket", name="Basket")
    return services.register_version(model=model, purposes=list(Purpose.objects.all()[:1]), actor="job:training")


def _suspended(**_):
    version = _trained()
    models.go_live(version)
    models.take(version, "suspended")


def _late_disposal(purpose):
    Disposal.objects.create(
        reason="withdrawal", purpose=purpose, before=timezone.now(), queued_at=timezone.now() - timedelta(hours=1)
    )


@pytest.mark.parametrize(
    ("happens", "title", "severity"),
    [
        (_trained, "Basket, version 1", "soon"),
        (_suspended, "Basket, version 1", "now"),
        (_late_disposal, "Deletions are waiting", "now"),
        (
            lambda **_: TransferInstrument.objects.filter(slug="eu-uk-adequacy").update(
                valid_until=timezone.now() + timedelta(days=10)
            ),
            "Adequacy decision, EU to United Kingdom",
            "soon",
        ),
        (
            lambda **_: ServiceCredential.objects.create(
                name="shop", token_hash=b"x" * 32, scopes=[], expires_at=timezone.now() + timedelta(days=3)
            ),
            "The credential of “shop” runs out",
            "soon",
        ),
        (
            lambda **_: BudgetSpend.objects.create(
                budget=PrivacyBudget.objects.get(), release_key="k", epsilon=Decimal("0.95")
            ),
            "The privacy budget of “consents” is nearly spent",
            "info",
        ),
        (
            lambda **_: LogDrop.objects.create(day="2026-01-01", state="refused", why="The disk is full"),
            "The decision log keeps days past their period",
            "soon",
        ),
        (
            lambda **_: PrivacyBudget.objects.all().delete(),
            "The statistic “Consent rate by region” is withheld",
            "info",
        ),
        (
            lambda **_: Purpose.objects.create(slug="new", name="New", actions=["contact"]),
            "“New” has no notice",
            "soon",
        ),
        (
            lambda **_: Purpose.objects.filter(slug="newsletter").update(channels=["email", "sms"]),
            "“Newsletter” covers more than its notice says",
            "soon",
        ),
        (
            lambda **_: RetentionSchedule.objects.filter(purpose__slug="usage_statistics").update(is_active=False),
            "“Usage statistics” has no end",
            "info",
        ),
    ],
)
def test_what_needs_a_decision_is_named_and_leads_to_its_page(officer, tidy, happens, title, severity):
    happens(purpose=Purpose.objects.first())

    item = _found(officer)[title]

    assert item["severity"] == severity
    assert officer.get(item["url"]).status_code == 200


def _decided(outcome, *, ago, count):
    moment = timezone.now() - ago
    drainer.ensure_partition(moment.date().isoformat())
    for _ in range(count):
        identifier = uuid.UUID(int=uuid7_floor(moment).int + secrets.randbits(60))
        Decision.objects.create(
            id=identifier, decided_at=moment, batch_id=1, position=0, subject_tag=b"", outcome=outcome, reasons=[]
        )


@pytest.mark.parametrize(
    ("denied", "permitted", "is_told"),
    [(50, 0, True), (20, 30, True), (10, 40, False), (49, 0, False)],
    ids=["all", "many", "as usual", "too few to say"],
)
def test_unusually_many_refusals_in_an_hour_are_named(officer, tidy, denied, permitted, is_told):
    _decided("permit", ago=timedelta(hours=3), count=90)
    _decided("deny", ago=timedelta(hours=3), count=10)
    _decided("deny", ago=timedelta(minutes=5), count=denied)
    _decided("permit", ago=timedelta(minutes=5), count=permitted)

    found = _found(officer)

    assert ("Unusually many refusals" in found) is is_told
    if denied == 50:
        detail = "100 % of the last hour's decisions were not permitted; 10 % are usual."
        assert found["Unusually many refusals"]["detail"] == detail


def test_evidence_nobody_checked_is_not_called_intact(officer):
    page = officer.get("/admin/")

    assert page.context["trail"].ok is None
    assert "Nothing has been checked yet." in _text(page)


def test_an_officer_has_the_evidence_checked_and_sees_the_result(officer, api):
    api.save("customer-1", "give")

    page = officer.post("/admin/check-evidence", follow=True)

    assert page.context["trail"].ok is True
    assert "every one matches its seal" in _text(page)
    event = AuditEvent.objects.get(action="trail.verified")
    assert (event.actor, event.details["records"], event.details["broken"]) == ("job:evidence", 1, "")


def test_a_check_is_asked_for_by_a_form_and_not_by_a_link(officer):
    assert officer.get("/admin/check-evidence").status_code == 405

    strict = Client(enforce_csrf_checks=True)
    strict.cookies = officer.cookies
    assert strict.post("/admin/check-evidence").status_code == 403
    assert not AuditEvent.objects.filter(action="trail.verified").exists()


@pytest.mark.parametrize(
    ("forgery", "named"),
    [
        ("UPDATE audit_auditevent SET actor = 'nobody' WHERE action = 'consent.given'", "event "),
        ("UPDATE consent_consentrecord SET state = 'given' WHERE state = 'refused'", "consent record "),
        (
            "UPDATE policies_decision SET outcome = 'permit', entry = replace(entry, 'deny', 'permit')",
            "the decisions of batch 1",
        ),
    ],
)
def test_a_forgery_is_named_on_the_start_page_until_a_check_finds_none(
    officer, api, own_spool, as_attacker, forgery, named
):
    api.save("customer-1", "refuse")
    api.save("customer-2", "give")
    api.evaluate(question())
    drainer.drain(own_spool)
    trail.anchor()
    as_attacker(forgery)

    assert evidence.check(actor="job:evidence") is False

    item = _found(officer)["The evidence does not hold together"]
    assert item["severity"] == "now"
    assert f"First link that does not hold: {named}" in item["detail"]
    assert AuditEvent.objects.get(action="trail.broken").object == "evidence"


@pytest.mark.parametrize(("action", "ok"), [("trail.verified", None), ("trail.broken", False)])
def test_a_check_gets_old_but_a_breach_does_not(officer, monkeypatch, action, ok):
    details = {"events": 1, "records": 1, "decisions": 1, "broken": "event 3 was changed" if ok is False else ""}
    trail.record(action, "evidence", actor="job:evidence", details=details)
    monkeypatch.setattr(evidence, "LASTS", timedelta(0))

    assert officer.get("/admin/").context["trail"].ok is ok


def test_the_check_runs_every_night():
    from governance.celery import app
    from governance.tasks import verify_evidence

    checks = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == verify_evidence.name]

    assert [entry["schedule"].hour for entry in checks if "kwargs" not in entry] == [{4}]


@pytest.mark.parametrize(
    ("every", "weekdays", "days"), [("weekly", {0}, set(range(1, 32))), ("monthly", set(range(7)), {1})]
)
def test_a_full_check_runs_as_often_as_the_setting_says(every, weekdays, days):
    from governance.celery import _full_check

    (entry,) = _full_check(every).values()

    assert entry["kwargs"] == {"full": True}
    assert (entry["schedule"].day_of_week, entry["schedule"].day_of_month) == (weekdays, days)
    assert _full_check("never") == {}


# --- what each officer may see ----------------------------------------------------------------------------------------


@pytest.fixture
def clerk(register_in_force):
    """Staff who were given nothing, with a way to be given a permission."""
    user = User.objects.create_user("clerk", is_staff=True)
    client = Client()
    client.force_login(user)

    def given(*codenames):
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
        return client

    return given


def test_staff_without_permission_see_no_figures_and_no_evidence(clerk):
    context = clerk().get("/admin/").context

    assert not {"tiles", "outcome_chart", "reasons_chart", "trail"} & context.keys()
    assert context["attention"] == []


def test_each_part_of_the_page_takes_the_permission_of_what_it_shows(clerk):
    page = clerk("view_decision", "view_auditanchor").get("/admin/")

    assert page.context["tiles"]
    assert page.context["trail"].ok is None
    assert "Check now" in _text(page)


def test_the_full_check_takes_a_permission(clerk):
    assert clerk().post("/admin/check-evidence").status_code == 403
    assert not AuditEvent.objects.filter(action="trail.verified").exists()

    assert clerk("view_auditanchor").post("/admin/check-evidence").status_code == 302
    assert AuditEvent.objects.filter(action="trail.verified").count() == 1


def test_the_full_check_is_begun_by_hand_four_times_an_hour(officer):
    answers = [officer.post("/admin/check-evidence").status_code for _ in range(6)]

    assert answers == [302] * 4 + [429] * 2
    assert AuditEvent.objects.filter(action="trail.verified").count() == 4
