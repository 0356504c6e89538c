"""Addresses of a request: whose they are, who sees them, and until when."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from audit.models import AuditEvent
from consent import pseudonyms
from consent.models import DataSubject
from privacy.rights.clocks.laws import Right
from privacy.rights.letters import sending
from privacy.rights.models import RequestStep, RightsRequest
from privacy.rights.requesters import asking, requester
from privacy.rights.requesters.asking import Asking
from privacy.rights.requesters.proof import Acting
from privacy.rights.requests import requests
from privacy.rights.requests.states import State
from tests.helpers.officers import signed_in, with_role
from tests.helpers.visitor import Visitor

ADDRESS, CHILD = "mother@example.org", "child@example.org"
FORM = {"right": "access", "acting": "self", "address": ADDRESS, "person": "", "region": "DE", "words": ""}


@pytest.fixture(autouse=True)
def mail_server(settings: Any, register_in_force: None) -> None:
    settings.MAIL_IS_ON, settings.MAIL_FROM = True, "privacy@shop.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def asked(**changes: Any) -> RightsRequest:
    said = {"right": Right.ACCESS, "address": ADDRESS, "region": "DE", "locale": "en", **changes}
    return asking.ask(Asking(**said))


def proven(request: RightsRequest) -> RightsRequest:
    sending.send_waiting()
    (code,) = re.findall(r"\b\d{8}\b", mail.outbox[-1].body)
    asking.prove(request, code)
    request.refresh_from_db()
    return request


@pytest.fixture
def waiting() -> RightsRequest:
    """A request whose address is proven and is nobody's id: an officer has to look."""
    return proven(asked())


def test_a_request_handler_sees_the_address_while_matching_and_it_is_a_look(waiting: RightsRequest) -> None:
    DataSubject.objects.create(ref=waiting.subject_ref)
    handler = signed_in(with_role("mia", "request-handler"))
    page = f"/admin/requests/{waiting.pk}/"
    assert ADDRESS not in handler.get(page).content.decode()

    answer = handler.post(f"{page}address")

    assert ADDRESS in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert AuditEvent.objects.filter(action="request.address_looked_at", object=str(waiting.pk)).count() == 1
    look = AuditEvent.objects.get(action="subject.looked_up", object=str(waiting.subject_ref))
    assert look.details["groups"] == ["role:request-handler"]
    assert ADDRESS not in repr(list(AuditEvent.objects.values()))
    assert "A request handler looked at your data." in Visitor(ADDRESS).come_in().look().content.decode()
    # Shown once: the page itself does not have it.
    assert ADDRESS not in handler.get(page).content.decode()


@pytest.mark.parametrize("role", ["auditor", "marketing"])
def test_who_answers_no_requests_sees_no_address(waiting: RightsRequest, role: str) -> None:
    answer = signed_in(with_role("ada", role)).post(f"/admin/requests/{waiting.pk}/address")

    assert answer.status_code == 403
    assert ADDRESS not in answer.content.decode()
    assert not AuditEvent.objects.filter(action="request.address_looked_at").exists()


def test_no_address_is_shown_before_it_is_proven_and_once_the_request_is_accepted(waiting: RightsRequest) -> None:
    handler = signed_in(with_role("mia", "request-handler"))
    unproven = asked(address="other@example.org")
    for request in (unproven, asking.accept(waiting, actor="officer:bert", now=waiting.received_at)):
        answer = handler.post(f"/admin/requests/{request.pk}/address", follow=True)
        assert "shown only while" in answer.content.decode()
        assert "@example.org" not in answer.content.decode()
    assert not AuditEvent.objects.filter(action="request.address_looked_at").exists()


def test_a_guardian_gives_their_address_and_the_childs() -> None:
    Client().post("/privacy/request", FORM | {"acting": "guardian", "person": CHILD})

    request = RightsRequest.objects.get()
    assert request.subject_ref == pseudonyms.subject_ref(CHILD)
    assert proven(request).state == State.IDENTITY_ASKED  # an officer looks
    assert {to for letter in mail.outbox for to in letter.to} == {ADDRESS}
    rows = repr([list(model.objects.values()) for model in (RightsRequest, RequestStep, requester.Requester)])
    assert (ADDRESS in rows, CHILD in rows) == (False, False)
    handler = signed_in(with_role("mia", "request-handler"))
    shown = handler.post(f"/admin/requests/{request.pk}/address").content.decode()
    assert (ADDRESS in shown, CHILD in shown) == (True, True)

    handler.post(f"/admin/requests/{request.pk}/accept")
    request.refresh_from_db()
    assert (request.state, request.statement) == (State.DONE, None)
    assert asking.addresses(request) is None


def test_a_guardian_whose_child_has_no_address_gives_their_own() -> None:
    Client().post("/privacy/request", FORM | {"acting": "guardian"})

    request = proven(RightsRequest.objects.get())
    assert request.subject_ref == pseudonyms.subject_ref(ADDRESS)
    assert asking.addresses(request) == asking.Addresses(ADDRESS, ADDRESS)
    assert request.requester.acting == Acting.GUARDIAN


def test_who_asks_for_themselves_gives_no_other_address() -> None:
    answer = Client().post("/privacy/request", FORM | {"person": CHILD})

    assert answer.status_code == 400
    assert "You ask for yourself" in answer.content.decode()
    assert not RightsRequest.objects.exists()


def test_an_address_is_not_kept_with_a_request_that_needs_none() -> None:
    request = asked(right=Right.RESTRICTION)

    requests.take_id(request.pk, {"id": CHILD, "type": "data_subject"})

    request.refresh_from_db()
    assert (request.is_open, request.statement) == (True, None)
