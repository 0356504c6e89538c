"""Letters leave once, in the person's language, and their address ends with them."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from common.postgres import advisory
from privacy.rights.clocks.laws import Right
from privacy.rights.letters import letters, sending
from privacy.rights.letters.wording import Kind, written
from privacy.rights.models import Letter
from privacy.rights.requests import requests
from privacy.rights.requests.states import Move
from tests.privacy.rights.requesters.test_codes_by_mail import ADDRESS, asked, mail_server  # noqa: F401 (fixture)


class Failing(BaseEmailBackend):
    """Backend that fails as it is set to."""

    failure: Exception

    def send_messages(self, _messages: Any) -> int:
        raise self.failure


@pytest.fixture
def failing(settings: Any) -> type[Failing]:
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    return Failing


def test_a_refusal_is_written_in_the_persons_language_with_the_ways_out() -> None:
    request = asked(Right.ERASURE)
    request.requester.locale = "de"
    request.requester.save()
    sending.send_waiting()
    requests.move(request.pk, Move.REFUSE, actor="officer:anna", reason="Wir müssen Rechnungen aufbewahren.")

    assert sending.send_waiting() == 1

    letter = mail.outbox[-1]
    assert letter.to == [ADDRESS]
    assert "Wir müssen Rechnungen aufbewahren." in letter.body
    assert "Beschwerde" in letter.body
    assert "/privacy/request/" in letter.body
    assert sending.send_waiting() == 0


def test_every_kind_has_words_in_every_language(settings: Any) -> None:
    for locale, _name in settings.LANGUAGES:
        for kind in Kind:
            assert written(kind, locale, letters.facts_of(asked(address=f"{locale}-{kind}@example.org"))).body
    english = written(Kind.DONE, "en", letters.Facts(Right.ACCESS)).body
    assert english != written(Kind.DONE, "fr", letters.Facts(Right.ACCESS)).body


def test_a_server_that_is_away_keeps_the_letter(failing: type[Failing]) -> None:
    asked()
    failing.failure = ConnectionRefusedError()

    assert sending.send_waiting() == 0

    letter = Letter.objects.get()
    assert (letter.sending_at, letter.address is not None) == (None, True)
    sending.send_waiting(now=timezone.now() + timedelta(days=4))
    letter.refresh_from_db()
    assert (letter.address, letter.failure) == (None, "NotSentInTime")


@pytest.mark.parametrize(
    "failure",
    [
        smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such user")}),
        smtplib.SMTPDataError(554, b"refused"),
        UnicodeError("label empty or too long"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_an_address_that_is_refused_for_good_is_forgotten(failing: type[Failing], failure: Exception) -> None:
    asked()
    failing.failure = failure

    assert sending.send_waiting() == 0

    letter = Letter.objects.get()
    assert (letter.address, letter.failure) == (None, type(failure).__name__)


@pytest.mark.parametrize(
    "failure",
    [
        smtplib.SMTPAuthenticationError(535, b"wrong password"),
        smtplib.SMTPSenderRefused(550, b"not yours", "privacy@shop.example"),
        smtplib.SMTPConnectError(554, b"go away"),
        smtplib.SMTPRecipientsRefused({ADDRESS: (450, b"later")}),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_what_is_no_fault_of_the_letter_keeps_it(failing: type[Failing], failure: Exception) -> None:
    asked()
    failing.failure = failure

    assert sending.send_waiting() == 0

    letter = Letter.objects.get()
    assert (letter.sending_at, letter.failure, letter.address is not None) == (None, "", True)


def test_one_process_sends_and_none_beyond_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked()
    with advisory.held(sending._ONE_RUN):
        assert sending.send_waiting() == 0
    with monkeypatch.context() as changed:
        changed.setattr(sending, "_ROUND_S", -1.0)
        assert sending.send_waiting() == 0

    assert sending.send_waiting() == 1


def test_a_letter_that_a_crash_interrupted_is_not_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked()
    monkeypatch.setattr(sending, "_send", lambda *_given: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        sending.send_waiting()
    monkeypatch.undo()

    assert sending.send_waiting() == 0
    assert Letter.objects.get().sending_at is not None
