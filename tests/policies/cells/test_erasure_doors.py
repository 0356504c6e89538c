"""An erasure asks the other cells whatever door it came in by; the id that this needs, nobody else can read."""

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from consent import links, shown_ids
from consent.ledger import ledger
from consent.models import DataSubject, SubjectLink
from consent.pseudonyms import subject_ref
from consent.shown_ids import Shown
from policies.cells import erasures
from privacy.rights.clocks.laws import Right
from privacy.rights.letters import sending
from privacy.rights.models import RightsRequest
from privacy.rights.requesters import asking
from privacy.rights.requesters.asking import Asking
from privacy.rights.requests import other_cells, statements
from privacy.rights.requests.states import State
from tests.helpers.officers import signed_in, with_role
from tests.helpers.visitor import Visitor, follow_link, forms_in
from tests.helpers.wsgi_calls import WsgiClient

pytestmark = pytest.mark.django_db
PERSON = "customer-1"
ADDRESS = "ada@example.org"
PAGE = "/privacy/erasure"


@pytest.fixture(autouse=True)
def others(monkeypatch: Any, tmp_path: Any, settings: Any, us: str, eu: Any) -> None:
    monkeypatch.setattr(other_cells, "_others", [erasures.OTHERS])
    settings.ASSENT_HOME = tmp_path
    settings.MAIL_IS_ON, settings.MAIL_FROM = True, "privacy@shop.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    eu.status, eu.answer = 201, {"state": "done"}
    for person, region in ((PERSON, "US-CA"), (ADDRESS, "US-CO")):
        choice = ledger.Choice(purpose="recommendations", choice="give")
        ledger.save_choices(
            ledger.Request(
                subject_ref=subject_ref(person), choices=[choice], source="api", actor="test", region=region,
                age_band="adult",
            )
        )  # fmt: skip


def others_asked(eu: Any) -> list[Any]:
    return [each.body["subject"] for each in eu.asked if each.path == "/api/v1/requests"]


def by_link(token: str) -> Client:
    said = WsgiClient().post(
        "/api/v1/dashboard-links", data=json.dumps({"subject": {"id": PERSON}}).encode(),
        content_type="application/json", headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert said.status_code == 201, said.json()
    browser = Client()
    follow_link(browser, said.json()["url"].removeprefix(settings.PUBLIC_URL))
    return browser


def erase(browser: Client) -> Any:
    (found,) = (each for each in forms_in(browser.get(PAGE)) if not each["action"])
    return browser.post(PAGE, {**found["fields"], "understood": "1"})


def test_the_dashboard_asks_the_other_cells(us: str, eu: Any) -> None:
    said = erase(by_link(us))

    assert "Your data is erased" in said.content.decode()
    assert others_asked(eu) == [{"id": PERSON, "type": "data_subject"}]
    request = RightsRequest.objects.get()
    assert request.erasure_steps.filter(store="cell eu").count() == 1
    assert (request.state, request.statement) == (State.DONE, None)


def test_the_form_asks_the_other_cells(eu: Any) -> None:
    request = asking.ask(Asking(right=Right.ERASURE, address=ADDRESS, region="US-CO", locale="en"))
    sending.send_waiting()
    (code,) = re.findall(r"\b\d{8}\b", mail.outbox[-1].body)

    asking.prove(request, code)

    request.refresh_from_db()
    assert request.state == State.DONE
    assert others_asked(eu) == [{"id": ADDRESS, "type": "data_subject"}]


def test_a_session_from_a_code_asks_the_other_cells(eu: Any) -> None:
    request = asking.ask(Asking(right=Right.OBJECTION, address=ADDRESS, region="US-CO", locale="en"))
    sending.send_waiting()
    (code,) = re.findall(r"\b\d{8}\b", mail.outbox[-1].body)
    browser = Client()
    browser.cookies[settings.SUBJECT_COOKIE_NAME] = asking.prove(request, code).session

    erase(browser)

    assert others_asked(eu) == [{"id": ADDRESS, "type": "data_subject"}]


def test_a_matched_request_asks_the_other_cells_by_the_id_that_the_officer_gave(eu: Any) -> None:
    request = asking.ask(Asking(right=Right.ERASURE, address="unknown@example.org", region="US-CA", locale="en"))
    sending.send_waiting()
    (code,) = re.findall(r"\b\d{8}\b", mail.outbox[-1].body)
    asking.prove(request, code)
    matcher, other = (signed_in(with_role(name, "privacy-officer")) for name in ("anna", "bert"))

    matcher.post(f"/admin/requests/{request.pk}/match", {"person": PERSON})
    other.post(f"/admin/requests/{request.pk}/accept")

    request.refresh_from_db()
    assert request.state == State.DONE
    assert others_asked(eu) == [{"id": PERSON, "type": "data_subject"}]


def test_where_no_door_showed_the_id_the_request_waits_for_an_officer(eu: Any) -> None:
    """A session of before an upgrade has none; what is erased here is erased."""
    erase(Visitor(PERSON).come_in().browser)
    request = RightsRequest.objects.get()
    assert request.state == State.IN_PROGRESS
    assert DataSubject.objects.get(ref=subject_ref(PERSON)).is_erased
    officer = signed_in(with_role("anna", "privacy-officer"))
    assert "Ask the other cells" in officer.get(f"/admin/requests/{request.pk}/").content.decode()

    officer.post(f"/admin/requests/{request.pk}/name", {"person": "customer-2"})
    assert others_asked(eu) == []
    officer.post(f"/admin/requests/{request.pk}/name", {"person": PERSON})

    request.refresh_from_db()
    assert request.state == State.DONE
    assert others_asked(eu) == [{"id": PERSON, "type": "data_subject"}]
    assert "Ask the other cells" not in officer.get(f"/admin/requests/{request.pk}/").content.decode()


def test_a_later_request_with_the_id_gives_it_to_the_one_that_waits(us: str, eu: Any) -> None:
    erase(Visitor(PERSON).come_in().browser)
    assert RightsRequest.objects.get().state == State.IN_PROGRESS

    said = WsgiClient().post(
        "/api/v1/requests", content_type="application/json", headers={"Authorization": f"Bearer {us}"},
        data=json.dumps({"subject": {"id": PERSON, "region": "US-CA"}, "right": "erasure"}).encode(),
    )  # fmt: skip

    assert (said.status_code, said.json()["state"]) == (200, "done")
    assert others_asked(eu) == [{"id": PERSON, "type": "data_subject"}]


def test_the_id_of_a_session_opens_with_its_own_secret_alone(us: str) -> None:
    token, link = links.issue_link(subject_ref=subject_ref(PERSON), issued_by="test", shown=Shown(PERSON))
    assert PERSON.encode() not in bytes(link.shown_id)
    assert shown_ids.opened(link.shown_id, token) == Shown(PERSON)

    secret = links.open_link(token)

    assert secret is not None
    session = links.open_session(secret)
    assert session is not None
    assert shown_ids.opened(session.shown_id, secret) == Shown(PERSON)
    assert shown_ids.opened(session.shown_id, token) is None
    links.end_session(secret)
    assert SubjectLink.objects.get(pk=session.pk).shown_id is None


def test_an_installation_that_is_no_cell_keeps_no_id(monkeypatch: Any) -> None:
    monkeypatch.setattr("consent.residence._factory", None)
    monkeypatch.setattr(other_cells, "_others", [])

    _token, link = links.issue_link(subject_ref=subject_ref(PERSON), issued_by="test", shown=Shown(PERSON))
    request = asking.ask(Asking(right=Right.ERASURE, address=ADDRESS, region="US-CO", locale="en"))

    assert link.shown_id is None
    assert statements.unseal(request.statement, request.statement_salt) == statements.NOTHING
