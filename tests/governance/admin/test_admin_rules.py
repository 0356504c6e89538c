"""Officers edit rules in words; each save is audited and in force as a new bundle."""

import json

import pytest
from django.db import OperationalError
from django.urls import reverse

from audit.models import AuditEvent
from common import policy_data
from consent.models import DataCategory, Party, Purpose
from consent.register import words
from oversight.models import ChangeSet
from oversight.problems import ChangeRefused
from policies.decisions import facts
from policies.models import ActiveBundle, Jurisdiction, ResidencyRule
from privacy.models import RecordPeriod, RetentionSchedule
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db


def _in_force():
    active = ActiveBundle.objects.select_related("bundle").get()
    return active.bundle_id, json.loads(active.bundle.data)


def _change(model, row):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])


def test_a_purpose_is_edited_as_words_and_lists_and_seconded(officer, send):
    purpose = Purpose.objects.get(slug="newsletter")
    Party.objects.create(slug="print-shop", role="recipient", name="Print Shop", address="Road 1", country="DE")
    added = DataCategory.objects.create(slug="postal-address", name="postal address")
    purpose.data_reasons.create(category=added, reason="Letters by post need it.")
    revision, _ = _in_force()

    answer = send(
        _change(Purpose, purpose),
        data_categories="Email address, postal-address,  email address",
        recipients="mail-house, parcel-carrier",
        actions=["contact", "share"],
        consent_valid_for="365",
    )

    assert answer.status_code == 302
    assert _in_force()[0] == revision
    second_newest()
    now, data = _in_force()
    assert now != revision
    assert data["purposes"]["newsletter"]["data_categories"] == ["email_address", "postal-address"]
    assert data["purposes"]["newsletter"]["recipients"] == ["mail-house", "parcel-carrier"]
    assert data["purposes"]["newsletter"]["actions"] == ["contact", "share"]
    purpose.refresh_from_db()
    assert purpose.consent_valid_for.days == 365
    event = AuditEvent.objects.get(action="changes.applied")
    assert (event.details["changes"][0]["key"], event.details["author"]) == ("newsletter", "officer:anna")


def test_saving_a_purpose_unchanged_brings_no_other_rules_into_force(officer, send):
    before = _in_force()
    stored = Purpose.objects.filter(slug="recommendations").values().get()

    send(_change(Purpose, Purpose.objects.get(slug="recommendations")))

    assert _in_force() == before
    assert Purpose.objects.filter(slug="recommendations").values().get() == stored


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("data_categories", "views, <script>"),
        ("data_categories", ""),
        ("data_categories", '["views"]'),
        ("actions", ["everything"]),
        ("consent_valid_for", "0"),
        ("consent_valid_for", "for ever"),
        ("max_level", "total"),
    ],
)
def test_a_mistake_in_a_purpose_is_shown_and_changes_nothing(officer, send, field, value):
    before = _in_force()

    answer = send(_change(Purpose, Purpose.objects.get(slug="recommendations")), **{field: value})

    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert _in_force() == before


def test_the_legal_basis_of_answered_purposes_stays_and_the_officer_is_told(officer, send, api):
    api.save("customer-1", "give")
    purpose = Purpose.objects.get(slug="recommendations")

    answer = send(_change(Purpose, purpose), legal_basis="contract")

    purpose.refresh_from_db()
    assert purpose.legal_basis == "consent"
    assert "People have answered under the present legal basis" in officer.get(answer["Location"]).content.decode()
    with pytest.raises(ChangeRefused, match="answered under the present legal basis"):
        second_newest()


def test_the_name_a_purpose_has_in_the_api_never_changes(officer, send):
    purpose = Purpose.objects.get(slug="recommendations")

    send(_change(Purpose, purpose), slug="something-else")

    purpose.refresh_from_db()
    assert purpose.slug == "recommendations"


def test_a_retention_schedule_is_edited_in_days_and_audited(officer, send):
    schedule = RetentionSchedule.objects.get(purpose__slug="recommendations")

    answer = send(_change(RetentionSchedule, schedule), retain_for="30")
    assert "that go the next night, for good" in officer.get(answer["Location"]).content.decode()
    second_newest()

    assert _in_force()[1]["retention"]["recommendations"] == {"days": 30}
    fields = AuditEvent.objects.get(action="changes.applied").details["changes"][0]["fields"]
    assert fields == {"retain_for": [365 * 86_400_000_000, 30 * 86_400_000_000]}


def test_a_record_period_is_edited_in_days_and_shows_what_goes(officer, send):
    period, _ = RecordPeriod.objects.get_or_create(slug="decision_log", defaults={"keep_days": 365})

    answer = send(_change(RecordPeriod, period), keep_days="90")
    assert (
        "Days of the decision log dropped the next night, for good" in officer.get(answer["Location"]).content.decode()
    )
    second_newest()

    period.refresh_from_db()
    assert period.keep_days == 90


def test_a_record_period_below_the_least_is_refused(officer):
    period, _ = RecordPeriod.objects.get_or_create(slug="decision_log", defaults={"keep_days": 365})

    page = officer.post(_change(RecordPeriod, period), {"keep_days": "30"})

    assert page.status_code == 200
    assert "From 31 to 36,500 days." in page.content.decode()


def test_deleting_a_retention_schedule_is_audited_and_in_force(officer):
    schedule = RetentionSchedule.objects.get(purpose__slug="recommendations")

    officer.post(f"/admin/privacy/retentionschedule/{schedule.pk}/delete/", {"post": "yes"})
    assert "recommendations" in _in_force()[1]["retention"]
    second_newest()

    assert "recommendations" not in _in_force()[1]["retention"]
    change = AuditEvent.objects.get(action="changes.applied").details["changes"][0]
    assert (change["register"], change["key"]) == ("retention_schedule", "recommendations")


def test_how_far_a_browser_signal_lowers_the_level_is_chosen_from_the_levels(officer, send):
    law = Jurisdiction.objects.get(slug="gdpr")

    send(_change(Jurisdiction, law), gpc="segment")
    second_newest()

    assert _in_force()[1]["jurisdictions"]["gdpr"]["signal_caps"] == {
        "gpc": "segment",
        "gpp": "behavioral",
        "tcf": "behavioral",
    }


def test_a_residency_rule_takes_all_kinds_of_data_or_some(officer, send):
    rule = ResidencyRule.objects.get(slug="eea-in-eea")
    assert "*" in officer.get(_change(ResidencyRule, rule)).content.decode()

    send(_change(ResidencyRule, rule), data_categories="views, purchases")
    second_newest()

    rules = {rule["id"]: rule for rule in _in_force()[1]["residency"]["rules"]}
    assert rules["eea-in-eea"]["categories"] == ["purchases", "views"]
    assert AuditEvent.objects.get(action="changes.applied").details["author"] == "officer:anna"


def test_deleting_rules_from_the_list_denies_from_the_next_decision(officer):
    rule = ResidencyRule.objects.get(slug="br-in-eea")

    answer = officer.post(
        "/admin/policies/residencyrule/", {"action": "delete_selected", "_selected_action": [rule.pk]}
    )
    assert answer["Location"] == f"/admin/changes/{ChangeSet.objects.get().pk}/"
    assert ResidencyRule.objects.filter(pk=rule.pk).exists()
    second_newest()

    assert "br-in-eea" not in {rule["id"] for rule in _in_force()[1]["residency"]["rules"]}
    assert AuditEvent.objects.filter(action="changes.applied").count() == 1


def test_a_change_of_an_officers_rights_is_in_the_trail_without_the_password(officer, send):
    officer.post(
        "/admin/auth/user/add/",
        {"username": "ben", "password1": "Kx9-long-enough", "password2": "Kx9-long-enough", "usable_password": "true"},
    )

    event = AuditEvent.objects.get(action="officer.created", actor="officer:anna")
    assert event.details["name"] == "ben"
    assert "Kx9" not in json.dumps(event.details)


def test_every_action_and_channel_that_policies_know_can_be_chosen():
    assert set(words.ACTIONS) == facts.ACTIONS
    assert set(words.CHANNELS) == facts.CHANNELS


@pytest.mark.parametrize(
    ("page", "model"),
    [
        ("/admin/policies/residencyrule/", ResidencyRule),
        ("/admin/privacy/retentionschedule/", RetentionSchedule),
    ],
)
def test_rules_deleted_in_a_list_stay_where_the_bundle_cannot_be_built(officer, monkeypatch, page, model):
    rows, events = set(model.objects.values_list("pk", flat=True)), AuditEvent.objects.count()
    officer.raise_request_exception = False

    def fail(**change):
        raise OperationalError("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr(policy_data, "changed", fail)
        answer = officer.post(page, {"action": "delete_selected", "_selected_action": list(rows), "post": "yes"})

    assert answer.status_code == 500
    assert set(model.objects.values_list("pk", flat=True)) == rows != set()
    assert AuditEvent.objects.count() == events
