"""An erasure asked for by e-mail: its requester stays until it is answered, and the letter names what is kept."""

import re
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from consent import pseudonyms
from privacy.rights.clocks.laws import Right
from privacy.rights.letters import letters, sending
from privacy.rights.models import Letter, Requester, RightsRequest
from privacy.rights.requesters import asking
from privacy.rights.requesters.asking import Asking
from privacy.rights.requests.states import State
from privacy.rights.stores import seam
from privacy.rights.stores.tables import count_all, verify_all

pytestmark = pytest.mark.django_db
ADDRESS = "ada@example.org"
REF = pseudonyms.subject_ref(ADDRESS)


@pytest.fixture(autouse=True)
def mail_server(settings: Any, register_in_force: None) -> None:
    settings.MAIL_IS_ON, settings.MAIL_FROM = True, "privacy@shop.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def _asked(right: Right, locale: str = "en") -> RightsRequest:
    return asking.ask(Asking(right=right, address=ADDRESS, region="DE", locale=locale))


def _proven(request: RightsRequest) -> RightsRequest:
    sending.send_waiting()
    (code,) = re.findall(r"\b\d{8}\b", mail.outbox[-1].body)
    asking.prove(request, code)
    sending.send_waiting()
    request.refresh_from_db()
    return request


def test_a_proven_erasure_is_answered_by_a_letter_that_names_what_is_kept(choose: Any) -> None:
    choose(ADDRESS, "give")

    request = _proven(_asked(Right.ERASURE))

    assert request.state == State.DONE
    answer = mail.outbox[-1]
    assert (answer.to, "files" in answer.body) == ([ADDRESS], False)
    assert "This is kept as proof" in answer.body
    assert "17(3)(b)" in answer.body
    assert f"{timezone.now().year + 9}" in answer.body or f"{timezone.now().year + 10}" in answer.body


def test_the_letter_of_an_erasure_is_in_the_persons_language(choose: Any) -> None:
    choose(ADDRESS, "give")

    _proven(_asked(Right.ERASURE, "de"))

    assert "Als Nachweis bleibt" in mail.outbox[-1].body
    assert "Proof of" not in mail.outbox[-1].body


def test_an_erasure_blanks_letters_of_closed_requests_and_leaves_its_own(choose: Any) -> None:
    choose(ADDRESS, "give")
    before = _proven(_asked(Right.ACCESS))
    assert all(letters.text_of(each) for each in before.letters.exclude(kind="code"))
    assert before.requester.address_tag is not None

    request = _proven(_asked(Right.ERASURE))

    assert request.state == State.DONE
    assert {letters.text_of(each) for each in before.letters.all()} == {""}
    assert Requester.objects.get(request=before).address_tag is None
    # What answers the erasure itself: its letters for 30 days, its requester without an address.
    assert letters.text_of(request.letters.get(kind="done"))
    own = Requester.objects.get(request=request)
    assert (own.address, own.acting) == (None, "self")


def test_letters_that_an_erasure_left_are_found(choose: Any) -> None:
    choose(ADDRESS, "give")  # of a stranger, an officer would look first
    before = _proven(_asked(Right.ACCESS))
    store = seam.find("letters")

    assert (verify_all([store], REF), count_all([store], REF)) == (
        {"letters": 1},
        {"letters": Letter.objects.filter(request=before).count()},
    )


def test_an_access_lists_letters_with_their_words_and_who_asked(choose: Any) -> None:
    choose(ADDRESS, "give")  # of a stranger, an officer would look first
    request = _proven(_asked(Right.ACCESS))

    said = list(seam.find("letters").export(REF))
    assert {"Your request is answered." in each["text"] for each in said if each["kind"] == "done"} == {True}
    (row,) = seam.find("requests").export(REF)
    assert (row["id"], row["acting"], row["agent"]) == (request.pk, "self", None)
