"""One person downloads, corrects and is erased on their privacy page, with a browser that runs no scripts."""

from typing import Any

import pytest
from django.utils import formats, timezone, translation

from consent.models import DataSubject
from personalization.models import Event
from privacy.retention.own_records import record_periods
from privacy.rights.models import RightsRequest
from privacy.rights.requests.states import State
from tests.helpers.holds import Register, hold
from tests.helpers.visitor import Visitor, forms_in
from tests.privacy.rights.erasure.conftest import REF

PAGE = "/privacy/erasure"


def form(visitor: Visitor, page: str, action: str) -> dict[str, Any]:
    return next(each for each in forms_in(visitor.browser.get(page)) if each["action"] == action)


def send(visitor: Visitor, page: str, action: str, **fields: str) -> Any:
    found = form(visitor, page, action)
    return visitor.browser.post(action or page, {**found["fields"], **fields})


@pytest.fixture
def person(known: Any) -> Visitor:
    return Visitor("customer-1").come_in()


def test_the_page_says_what_goes_and_what_stays_before_anything(person: Visitor) -> None:
    page = person.browser.get(PAGE).content.decode()

    assert "This goes" in page
    assert "What you looked at, liked, rated or bought" in page
    assert "17(3)(b)" in page
    until = timezone.now().date() + record_periods.period("consent_proof")
    assert f"Until {formats.date_format(until, 'DATE_FORMAT')}." in page
    assert not RightsRequest.objects.filter(right="erasure").exists()


def test_without_the_tick_nothing_is_erased(person: Visitor) -> None:
    answer = send(person, PAGE, "")

    assert answer.status_code == 422
    assert "Tick the box first" in answer.content.decode()
    assert Event.objects.exists()


def test_a_person_is_erased_and_reads_the_answer(person: Visitor) -> None:
    answer = send(person, PAGE, "", understood="1")

    page = answer.content.decode()
    assert answer.status_code == 200
    for text in ("Your data is erased", "This is gone", "Your choices", "17(3)(b)", "You are signed out"):
        assert text in page
    assert RightsRequest.objects.get(right="erasure").state == State.DONE
    assert not Event.objects.exists()
    assert DataSubject.objects.get(ref=REF).is_erased
    assert person.browser.get("/privacy/").status_code == 403
    # A new link shows the answer again, and nothing else of before.
    again = Visitor("customer-1").come_in().look().content.decode()
    assert "17(3)(b)" in again


def test_under_a_hold_the_page_says_so_and_the_request_waits(person: Visitor) -> None:
    Register().place(hold())
    assert "must be kept for now" in person.browser.get(PAGE).content.decode()

    send(person, PAGE, "", understood="1")

    assert RightsRequest.objects.get(right="erasure").state == State.BLOCKED
    assert "must be kept for now" in person.look().content.decode()
    with translation.override("de"):
        assert "must be kept for now" not in person.look(**{"Accept-Language": "de"}).content.decode()


def test_without_a_session_nothing_is_shown_or_done(known: Any) -> None:
    browser = Visitor("customer-1").browser

    assert browser.get(PAGE).status_code == 403
    assert Event.objects.exists()


def test_a_person_corrects_where_they_live(person: Visitor) -> None:
    send(person, "/privacy/", "/privacy/corrections", region="FR")

    assert "It is corrected." in person.look().content.decode()
    assert DataSubject.objects.get(ref=REF).region == "FR"


def test_a_correction_of_nothing_and_of_the_unknown_is_refused(person: Visitor) -> None:
    for region in ("", "XX"):
        send(person, "/privacy/", "/privacy/corrections", region=region)
        assert "Say what is to be corrected." in person.look().content.decode()
    assert not RightsRequest.objects.filter(right="rectification").exists()
