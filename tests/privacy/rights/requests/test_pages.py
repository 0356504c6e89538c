"""Requests in the browser: the person's card, and the officer's inbox with everything to decide."""

import uuid
from typing import Any

from django.test import Client

from audit.models import AuditEvent
from privacy.rights.clocks.laws import Right
from privacy.rights.models import Letter, RightsRequest
from privacy.rights.requests import requests, statements
from privacy.rights.requests.states import State
from tests.helpers.officers import signed_in, with_role
from tests.helpers.visitor import Visitor, forms_in


def opened(right: Right = Right.ERASURE) -> RightsRequest:
    opening = requests.Opening(
        right=right, subject_ref=uuid.uuid4(), region="DE", door="api", actor="service:shop", is_identified=True,
        said=statements.Said("My words."),
    )  # fmt: skip
    return requests.open_request(opening).request


def send(visitor: Visitor, path: str, **fields: str) -> Any:
    """Send a form of the page as it stands there, with changes."""
    token = next(
        form["fields"]["csrfmiddlewaretoken"]
        for form in forms_in(visitor.look())
        if form["action"] == "/privacy/requests"
    )
    return visitor.browser.post(path, {"csrfmiddlewaretoken": token, **fields})


def test_a_person_asks_and_downloads_on_their_page(visitor: Visitor) -> None:
    send(visitor, "/privacy/requests", right="access")
    assert "Your files are ready." in visitor.look().content.decode()

    request = RightsRequest.objects.get()
    files = send(visitor, f"/privacy/requests/{request.pk}/download")
    assert (files.status_code, files.headers["Content-Type"]) == (200, "application/zip")
    assert files.headers["Cache-Control"] == "no-store"
    assert visitor.look().content.decode().count("Download my files") == 1


def test_a_persons_page_shows_what_an_officer_writes(visitor: Visitor) -> None:
    send(visitor, "/privacy/requests", right="complaint")
    request = RightsRequest.objects.get()
    officer = signed_in(with_role("anna", "privacy-officer"))

    officer.post(f"/admin/requests/{request.pk}/letter", {"words": "Which shop was it?"})

    page = visitor.look().content.decode()
    assert "Which shop was it?" in page
    assert Letter.objects.get().sent_at is None
    others = opened(Right.COMPLAINT)
    officer.post(f"/admin/requests/{others.pk}/letter", {"words": "Not for these eyes."})
    assert "Not for these eyes." not in visitor.look().content.decode()


def test_a_person_sees_the_day_and_cancels(visitor: Visitor) -> None:
    send(visitor, "/privacy/requests", right="complaint")
    assert "We answer by" in visitor.look().content.decode()

    request = RightsRequest.objects.get()
    send(visitor, f"/privacy/requests/{request.pk}/cancel")
    request.refresh_from_db()
    assert request.state == State.CANCELLED


def test_another_persons_request_cannot_be_touched(visitor: Visitor) -> None:
    request = opened(Right.COMPLAINT)

    send(visitor, f"/privacy/requests/{request.pk}/cancel")
    files = send(visitor, f"/privacy/requests/{request.pk}/download")

    request.refresh_from_db()
    assert request.state == State.ACCEPTED
    assert files.status_code == 302


def test_what_is_not_offered_on_the_page_is_not_opened(visitor: Visitor) -> None:
    send(visitor, "/privacy/requests", right="oblivion")

    assert not RightsRequest.objects.exists()


def test_the_inbox_has_the_first_due_on_top(officer: Client) -> None:
    opened(Right.ERASURE), opened(Right.OPT_OUT)

    page = officer.get("/admin/requests/").content.decode()

    assert page.index("Opt out") < page.index("Erasure")


def test_one_page_has_everything_to_decide(officer: Client) -> None:
    request = opened()
    page = officer.get(f"/admin/requests/{request.pk}/").content.decode()

    for text in ("GDPR", "My words.", "Ask what is meant", "Refuse", "Extend", "With an extension"):
        assert text in page
    officer.post(f"/admin/requests/{request.pk}/start")
    steps = officer.get(f"/admin/requests/{request.pk}/").content.decode()
    assert ("by Officer anna" in steps, "officer:anna" in steps) == (True, False)
    assert AuditEvent.objects.filter(action="request.looked_at", object=str(request.pk)).exists()


def test_a_step_is_made_and_one_that_is_not_allowed_is_refused_in_words(officer: Client) -> None:
    request = opened()
    path = f"/admin/requests/{request.pk}/"

    assert "needs its reason" not in officer.post(f"{path}start", follow=True).content.decode()
    assert "from there" in officer.post(f"{path}cancel", follow=True).content.decode()
    assert officer.post(f"{path}complete").status_code == 404
    request.refresh_from_db()
    assert request.state == State.IN_PROGRESS


def test_who_may_not_decide_sees_no_button_and_makes_no_step(register_in_force: None) -> None:
    request = opened()
    auditor, marketing = signed_in(with_role("ada", "auditor")), signed_in(with_role("mia", "marketing"))

    assert "Refuse" not in auditor.get(f"/admin/requests/{request.pk}/").content.decode()
    assert auditor.post(f"/admin/requests/{request.pk}/start").status_code == 403
    assert marketing.get("/admin/requests/").status_code == 403
