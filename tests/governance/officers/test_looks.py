"""Every look of an officer at one person is on record, and the person reads it."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.looks import LOOKED_UP
from audit.models import AuditEvent
from consent.models import ConsentRecord, Purpose
from consent.pseudonyms import subject_ref
from governance.privacy_center.looks import looks_at
from privacy.models import Disposal
from tests.helpers.officers import signed_in, with_role

pytestmark = pytest.mark.django_db
REF = subject_ref("customer-1")


@pytest.fixture
def handler(api, register_in_force):
    api.save("customer-1", "give")
    return signed_in(with_role("hanna", "request-handler"))


def _pages():
    record = ConsentRecord.objects.get(subject_id=REF)
    run = Disposal.objects.create(
        reason="withdrawal", purpose=Purpose.objects.first(), subject_ref=REF, before=timezone.now()
    )
    return {
        "consent proof": reverse("consent-proof-person", args=[REF]),
        "data subject": reverse("admin:consent_datasubject_change", args=[REF]),
        "consent record": reverse("admin:consent_consentrecord_change", args=[record.pk]),
        "deletion run": reverse("admin:privacy_disposal_change", args=[run.pk]),
        "data subject list": f"{reverse('admin:consent_datasubject_changelist')}?q={REF}",
        "consent record list": f"{reverse('admin:consent_consentrecord_changelist')}?q={REF}",
        "deletion run list": f"{reverse('admin:privacy_disposal_changelist')}?q={REF}",
    }


def _looks():
    return list(AuditEvent.objects.filter(action=LOOKED_UP, object=str(REF)).order_by("position"))


def test_every_page_of_one_person_records_the_look_with_the_role(handler):
    for page, path in _pages().items():
        before = len(_looks())
        assert handler.get(path).status_code == 200

        (event,) = _looks()[before:]
        assert event.actor == "officer:hanna"
        assert event.details == {"known": True, "page": page, "groups": ["role:request-handler"]}


@pytest.mark.parametrize(("role", "page"), [("policy-author", "policies_decision"), ("auditor", "audit_auditevent")])
def test_a_log_searched_by_a_person_records_the_look(handler, role, page):
    browser = signed_in(with_role("someone", role))
    path = reverse(f"admin:{page}_changelist")

    browser.get(path)
    browser.get(f"{path}?q={uuid4()}")
    assert not _looks()

    assert browser.get(f"{path}?q={REF}").status_code == 200
    assert len(_looks()) == 1


def test_a_refused_look_is_none(handler):
    pages, marketing = _pages(), signed_in(with_role("mia", "marketing"))

    assert {marketing.get(path).status_code for path in pages.values()} == {403}
    assert not _looks()


def test_a_list_of_all_people_is_no_look_at_one(handler):
    handler.get(reverse("admin:consent_datasubject_changelist"))

    assert not AuditEvent.objects.filter(action=LOOKED_UP).exists()


def test_the_person_reads_when_and_in_which_role_and_no_name(handler, api):
    handler.get(reverse("consent-proof-person", args=[REF]))
    handler.get(reverse("consent-proof-person", args=[REF]))
    handler.post(reverse("consent-proof-evidence", args=[REF]))

    assert [str(look["what"]) for look in looks_at(REF)] == [
        "A request handler took a copy of your choices as evidence.",
        "A request handler looked at your data.",
    ]
    assert looks_at(subject_ref("customer-2")) == []
