"""Sending of letters by e-mail: once each, from a job, with an end to the wait for the mail server.

A letter is marked before it leaves and again when it has left. One that a crash left between is not sent again: whether
it left is unknown, and officers see that.
"""

import logging
import smtplib
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from common.postgres import advisory
from privacy.rights.answers import sealing
from privacy.rights.letters import letters
from privacy.rights.letters.models import Letter
from privacy.rights.letters.wording import Kind, written
from privacy.rights.requesters import codes, requester

logger = logging.getLogger(__name__)
# After this, an address is not kept for a mail server that does not come back.
_KEEPS_TRYING = timedelta(days=3)
_REFUSED_FOR_GOOD = range(500, 600)
_ONE_RUN = 0x6C657474  # "lett", an advisory lock of ours
_ROUND_S = 20.0


def send_waiting(limit: int = 100, *, now: datetime | None = None) -> int:
    """Send letters that wait; return how many left. Ends at the first failure of the server itself.

    One process sends at a time, and begins no further letter once its time is over: a slow server holds up no job.
    """
    moment = now or timezone.now()
    _give_up(moment)
    if not settings.MAIL_IS_ON:
        return 0
    with advisory.held(_ONE_RUN) as is_ours:
        return _send_some(list(_waiting().values_list("pk", flat=True)[:limit]), moment) if is_ours else 0


def _send_some(pks: Iterable[int], moment: datetime) -> int:
    sent, ends = 0, time.monotonic() + _ROUND_S
    for pk in takewhile(lambda _pk: time.monotonic() < ends, pks):
        letter = _marked(pk, moment)
        if letter is None:
            continue
        try:
            _send(letter, moment)
        except (OSError, ValueError) as exc:  # ValueError: an address that no mail can be written to
            if not _is_final(exc):
                Letter.objects.filter(pk=pk).update(sending_at=None)
                logger.warning("The mail server does not take letters: %s", type(exc).__name__)
                return sent
            Letter.objects.filter(pk=pk).update(address=None, failure=type(exc).__name__)
        else:
            Letter.objects.filter(pk=pk).update(address=None, sent_at=timezone.now())
            sent += 1
    return sent


def _waiting() -> QuerySet[Letter]:
    return Letter.objects.filter(address__isnull=False, sending_at=None).order_by("id")


@transaction.atomic
def _marked(pk: int, moment: datetime) -> Letter | None:
    """Mark a letter as leaving, for this process alone."""
    letter = (
        _waiting().filter(pk=pk).select_for_update(skip_locked=True, of=("self",)).select_related("request").first()
    )
    if letter is not None:
        letter.sending_at = moment
        letter.save(update_fields=["sending_at"])
    return letter


def _send(letter: Letter, moment: datetime) -> None:
    to = sealing.unseal(bytes(letter.address or b""), letter.request_id).decode()
    code = ""
    if letter.kind == Kind.CODE:
        found = requester.of(letter.request)
        code = codes.make(found, moment) if found else ""
    facts = letters.facts_of(letter.request, code=code)
    words = written(Kind(letter.kind), letter.locale, facts)
    body = words.body if letter.kind == Kind.CODE else letters.text_of(letter)
    headers = {"Auto-Submitted": "auto-generated"}  # RFC 3834: no answer of a machine
    EmailMessage(words.subject, body, settings.MAIL_FROM, [to], headers=headers).send()


def _is_final(exc: OSError | ValueError) -> bool:
    """Return whether this letter, or this address, was refused for good.

    A refusal of the sender, its password or the connection speaks of every letter: they wait until it is mended.
    """
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        return all(code in _REFUSED_FOR_GOOD for code, _text in exc.recipients.values())
    return isinstance(exc, ValueError) or (
        isinstance(exc, smtplib.SMTPDataError) and exc.smtp_code in _REFUSED_FOR_GOOD
    )


def _give_up(moment: datetime) -> None:
    old = Letter.objects.filter(address__isnull=False, made_at__lt=moment - _KEEPS_TRYING)
    old.update(address=None, failure="NotSentInTime")
