"""People without an account: the form, the code by e-mail, and what each of them opens."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from common.http.problems import TooManyRequests
from consent import pseudonyms
from consent.models import DataSubject
from oversight.models import WorkItem
from oversight.officers import single
from privacy.rights.clocks.laws import Right
from privacy.rights.letters import sending
from privacy.rights.letters.wording import Kind
from privacy.rights.models import Letter, RequestStep, RightsRequest
from privacy.rights.problems import MoveNotAllowed
from privacy.rights.requesters import asking, codes, requester
from privacy.rights.requesters.asking import Asking
from privacy.rights.requesters.codes import Outcome
from privacy.rights.requesters.models import Requester
from privacy.rights.requesters.proof import Acting, Proof, is_enough
from privacy.rights.requests import fulfilling, requests
from privacy.rights.requests.states import State

ADDRESS = "ada@example.org"
FORM = {"right": "access", "acting": "self", "address": ADDRESS, "region": "DE", "words": ""}


@pytest.fixture(autouse=True)
def mail_server(settings: Any, register_in_force: None) -> None:
    settings.MAIL_IS_ON, settings.MAIL_FROM = True, "privacy@shop.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    known(ADDRESS)


def known(address: str, **said: Any) -> None:
    """Put a person into the register whose id is an address."""
    DataSubject.objects.update_or_create(ref=pseudonyms.subject_ref(address), defaults=said)


def asked(right: Right = Right.ACCESS, region: str = "DE", address: str = ADDRESS, **changes: Any) -> RightsRequest:
    return asking.ask(Asking(right=right, address=address, region=region, locale="en", **changes))


def code_in_mail() -> str:
    sending.send_waiting()
    (code,) = re.findall(r"\b\d{8}\b", mail.outbox[-1].body)
    return code


def test_a_code_proves_the_address_and_opens_the_persons_page() -> None:
    browser = Client()
    page = browser.post("/privacy/request", FORM)
    assert page.status_code == 302
    assert RightsRequest.objects.get().state == State.IDENTITY_ASKED
    code = code_in_mail()
    assert mail.outbox[-1].to == [ADDRESS]

    opened = browser.post(f"{page.headers['Location']}/code", {"code": f"{code[:4]} {code[4:]}"})

    assert (opened.status_code, opened.headers["Location"]) == (302, "/privacy/")
    assert "Download my files" in browser.get("/privacy/").content.decode()
    assert RightsRequest.objects.get().state == State.DONE
    # Used up.
    assert browser.post(f"{page.headers['Location']}/code", {"code": code}).status_code == 400


def test_known_and_unknown_people_get_the_same_answer(visitor: Any) -> None:
    known, unknown = Client(), Client()
    pages = [each.post("/privacy/request", FORM | {"address": address}, follow=True).content.decode()
             for each, address in ((known, ADDRESS), (unknown, "no-such-person@example.org"))]  # fmt: skip

    assert len({re.sub(r"value=\"[^\"]+\"|action=\"[^\"]+\"", "", page) for page in pages}) == 1


def test_no_address_and_no_code_is_stored_in_the_clear() -> None:
    request = asked()
    code = code_in_mail()

    rows = repr([list(model.objects.values()) for model in (RightsRequest, Requester, Letter, RequestStep)])
    assert ADDRESS not in rows
    assert code not in rows
    asking.prove(request, code)
    request.refresh_from_db()
    assert request.state == State.DONE
    assert requester.address_of(requester.of(request)) is None
    sending.send_waiting()
    assert not Letter.objects.filter(address__isnull=False).exists()


def test_a_code_tried_many_times_ends_and_then_an_officer_looks() -> None:
    request = asked()
    right = code_in_mail()
    wrong = f"{(int(right) + 1) % 10**8:08}"

    outcomes = [asking.prove(request, wrong).tried.outcome for _try in range(codes.MOST_TRIES)]
    assert outcomes == [Outcome.WRONG] * (codes.MOST_TRIES - 1) + [Outcome.ENDED]
    assert asking.prove(request, right).tried.outcome is Outcome.ENDED
    for _again in range(codes.MOST_CODES - 1):
        asking.send_code(request, "")
        code_in_mail()
    for _try in range(1_000 // 100):
        assert asking.prove(request, wrong).tried.outcome in (Outcome.WRONG, Outcome.USED_UP)
    asking.send_code(request, "")
    assert sending.send_waiting() == 0
    assert asking.prove(request, right).tried.outcome is Outcome.USED_UP
    request.refresh_from_db()
    assert request.state == State.IDENTITY_ASKED


def test_a_code_ends_with_its_time() -> None:
    request = asked()
    code = code_in_mail()

    late = timezone.now() + codes.LASTS + timedelta(seconds=1)
    assert asking.prove(request, code, now=late).tried.outcome is Outcome.ENDED


def test_a_code_of_one_request_opens_no_other() -> None:
    mine, other = asked(), asked(address="eve@example.org")
    sending.send_waiting()
    (theirs,) = re.findall(r"\b\d{8}\b", mail.outbox[-1].body)

    assert asking.prove(mine, theirs).tried.outcome is Outcome.WRONG
    assert asking.prove(other, theirs).tried.outcome is Outcome.RIGHT


def test_the_address_typed_again_gets_a_code_and_another_gets_none() -> None:
    request = asked()
    asking.prove(request, code_in_mail())
    sending.send_waiting()
    mail.outbox.clear()

    asking.send_code(request, "eve@example.org")
    assert sending.send_waiting() == 0
    asking.send_code(request, "Ada@Example.org")
    assert sending.send_waiting() == 1
    assert mail.outbox[0].to == ["Ada@Example.org"]


def test_an_unproven_request_stands_in_nobodys_way_and_joins_when_proven() -> None:
    ref = pseudonyms.subject_ref(ADDRESS)
    first = asked(Right.COMPLAINT)
    own = requests.open_request(
        requests.Opening(
            right=Right.COMPLAINT, subject_ref=ref, region="DE", door="dashboard", actor="subject", is_identified=True
        )
    )  # fmt: skip
    assert own.is_new

    asking.prove(first, code_in_mail())

    first.refresh_from_db()
    assert first.state == State.CANCELLED
    assert RightsRequest.objects.get(pk=own.request.pk).state == State.ACCEPTED


def test_two_proven_requests_of_one_right_cannot_stand_together() -> None:
    ref = pseudonyms.subject_ref(ADDRESS)
    RightsRequest.objects.create(right="erasure", subject_ref=ref, law="gdpr", received_on="2026-01-01",
                                 state=State.ACCEPTED)  # fmt: skip
    with pytest.raises(IntegrityError, match="rights_one_open_request"):
        RightsRequest.objects.create(right="erasure", subject_ref=ref, law="gdpr", received_on="2026-01-01",
                                     state=State.IN_PROGRESS)  # fmt: skip


def test_an_opt_out_needs_no_proof() -> None:
    request = asked(Right.OPT_OUT, region="US-CA")

    assert request.state == State.ACCEPTED
    assert fulfilling.run(request.pk).state == State.DONE


@pytest.mark.parametrize(
    ("right", "law", "acting", "proof", "enough"),
    [
        (Right.ACCESS, "gdpr", Acting.SELF, Proof.NONE, False),
        (Right.ACCESS, "gdpr", Acting.SELF, Proof.ADDRESS, True),
        (Right.ACCESS, "us-ca", Acting.SELF, Proof.ADDRESS, False),
        (Right.ACCESS, "us-ca", Acting.SELF, Proof.SESSION, True),
        (Right.ERASURE, "gdpr", Acting.GUARDIAN, Proof.SESSION, False),
        (Right.ERASURE, "gdpr", Acting.AGENT, Proof.OFFICER, True),
        (Right.OPT_OUT, "us-ca", Acting.AGENT, Proof.NONE, True),
        (Right.OPT_OUT, "us-ca", Acting.SELF, Proof.NONE, True),
    ],
)
def test_proof_by_right_law_and_who_asks(right: Right, law: str, acting: Acting, proof: Proof, enough: bool) -> None:
    assert is_enough(proof, right, law, acting) is enough


def test_who_asks_for_a_child_waits_for_an_officer_and_gets_no_session() -> None:
    browser = Client()
    page = browser.post("/privacy/request", FORM | {"acting": "guardian"}).headers["Location"]
    answer = browser.post(f"{page}/code", {"code": code_in_mail()})

    assert (answer.status_code, "Your address is proven" in answer.content.decode()) == (200, True)
    assert browser.get("/privacy/").status_code == 403
    request = RightsRequest.objects.get()
    assert request.state == State.IDENTITY_ASKED
    asking.match(request.pk, "customer-7", actor="officer:anna")
    with pytest.raises(MoveNotAllowed, match="another officer"):
        asking.accept(request, actor="officer:Anna", now=timezone.now())
    fulfilling.run(asking.accept(request, actor="officer:ben", now=timezone.now()).pk)
    request.refresh_from_db()
    assert (request.state, request.subject_ref) == (State.DONE, pseudonyms.subject_ref("customer-7"))


def test_an_address_that_is_nobodys_id_waits_for_an_officer() -> None:
    browser = Client()
    page = browser.post("/privacy/request", FORM | {"address": "ada@elsewhere.example"}).headers["Location"]
    assert not WorkItem.objects.filter(kind="rights-request").exists()

    answer = browser.post(f"{page}/code", {"code": code_in_mail()})

    assert (answer.status_code, "Your address is proven" in answer.content.decode()) == (200, True)
    request = RightsRequest.objects.get()
    assert (request.state, request.due_on is not None) == (State.IDENTITY_ASKED, True)
    assert WorkItem.objects.filter(kind="rights-request", object=str(request.pk)).exists()
    assert [step.move for step in request.steps.all()] == ["open", "ask_identity", "prove"]


def test_a_match_with_another_id_opens_no_session_of_that_person() -> None:
    known("customer-7")
    request = asked(address="eve@example.org")
    with pytest.raises(MoveNotAllowed, match="not proven yet"):
        asking.match(request.pk, "customer-7", actor="officer:anna")
    assert asking.prove(request, code_in_mail()).session is None
    asking.match(request.pk, "customer-7", actor="officer:anna")

    asking.send_code(request, "eve@example.org")
    proven = asking.prove(request, code_in_mail())

    request.refresh_from_db()
    assert (proven.session, request.state) == (None, State.IDENTITY_ASKED)
    fulfilling.run(asking.accept(request, actor="officer:ben", now=timezone.now()).pk)
    asking.send_code(request, "eve@example.org")
    proven = asking.prove(request, code_in_mail())
    assert (proven.session, proven.gives_files) == (None, True)


def test_the_only_officer_of_an_installation_matches_and_accepts() -> None:
    single.switch(on=True)
    request = asked(address="eve@example.org", acting=Acting.GUARDIAN)
    asking.prove(request, code_in_mail())
    asking.match(request.pk, "customer-7", actor="officer:anna")

    assert asking.accept(request, actor="officer:anna", now=timezone.now()).state == State.ACCEPTED


@pytest.mark.parametrize(("lives", "says"), [("US-CA", "US-CA"), ("US-CA", ""), ("DE", "US-CA")])
def test_where_a_code_is_too_little_for_a_copy_it_opens_no_page(lives: str, says: str) -> None:
    known(ADDRESS, region=lives)
    browser = Client()
    page = browser.post("/privacy/request", FORM | {"region": says}).headers["Location"]

    assert browser.post(f"{page}/code", {"code": code_in_mail()}).status_code == 200

    assert browser.get("/privacy/").status_code == 403
    assert RightsRequest.objects.get().state == State.IDENTITY_ASKED


def test_letters_to_one_address_are_limited_whatever_is_typed() -> None:
    request = asked()
    sending.send_waiting()
    for number in range(3):
        asking.send_code(request, f"somebody-{number}@example.org")
    assert sending.send_waiting() == 1, "one code waits at a time"

    asking.send_code(request, "somebody@example.org")
    asking.send_code(request, "somebody@example.org")
    with pytest.raises(TooManyRequests):
        asking.send_code(request, "somebody-else@example.org")
    with pytest.raises(TooManyRequests):
        asked(Right.OPT_OUT)
    assert not RightsRequest.objects.filter(right="opt_out").exists()


def test_an_opt_out_shows_its_own_page_and_no_other_persons() -> None:
    requests.open_request(
        requests.Opening(
            right=Right.OPT_OUT, subject_ref=pseudonyms.subject_ref(ADDRESS), region="DE", door="api",
            actor="service:shop", is_identified=True,
        )
    )  # fmt: skip

    page = Client().post("/privacy/request", FORM | {"right": "opt_out"}, follow=True)

    assert page.status_code == 200
    assert RightsRequest.objects.get(door="form").state == State.CANCELLED


def test_a_code_in_flight_gives_nothing_once_the_mandate_has_ended() -> None:
    request = asked(Right.ERASURE, acting=Acting.AGENT)
    code = code_in_mail()
    Requester.objects.filter(request=request).update(mandate_until=timezone.now().date() - timedelta(days=3))

    proven = asking.prove(request, code)

    assert (proven.tried.outcome, proven.session, proven.gives_files) == (Outcome.RIGHT, None, False)


def test_a_withdrawn_mandate_ends_the_request_its_links_and_its_letters() -> None:
    request = asked(Right.ERASURE, acting=Acting.AGENT)
    code_in_mail()

    ended = asking.withdraw_mandate(request.pk, actor="subject")

    assert ended.state == State.CANCELLED
    sending.send_waiting()
    assert [letter.kind for letter in Letter.objects.exclude(sent_at=None)] == [Kind.CODE, Kind.MANDATE]
    asking.send_code(request, ADDRESS)
    assert sending.send_waiting() == 0


def test_without_a_mail_server_the_form_says_so_and_opens_nothing(settings: Any) -> None:
    settings.MAIL_IS_ON = False

    page = Client().post("/privacy/request", FORM)

    assert "cannot send e-mail" in page.content.decode()
    assert not RightsRequest.objects.exists()


@pytest.mark.parametrize("address", ["", "no address", "a@b", "x" * 300 + "@example.org"])
def test_an_address_that_is_none_is_refused_beside_its_field(address: str) -> None:
    page = Client().post("/privacy/request", FORM | {"address": address})

    assert (page.status_code, "form-error" in page.content.decode()) == (400, True)
    assert not RightsRequest.objects.exists()


def test_a_forged_page_is_not_found() -> None:
    request = asked()

    assert Client().get(f"/privacy/request/{request.pk}~forged").status_code == 404
