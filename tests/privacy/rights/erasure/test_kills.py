"""A process that is killed at any statement of an erasure leaves a request that goes on, and answers once."""

import os
import signal
from typing import Any

import pytest
from django.db import connection, connections

from audit.models import AuditEvent
from consent import links
from consent.ledger import verification
from consent.ledger.persons.erasing import ERASED
from consent.models import ConsentRecord
from privacy.erasures import ledger
from privacy.rights.requests import fulfilling
from privacy.rights.requests.states import State
from privacy.rights.stores import seam
from privacy.rights.stores.tables import verify_all
from tests.helpers.scale import scale
from tests.privacy.rights.erasure.conftest import PERSON, REF, asked

pytestmark = pytest.mark.django_db(transaction=True)


def killed_at(pk: Any, number: int) -> bool:
    """Run the request in a process that kills itself before its statement ``number``; return whether it came so far."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            seen = 0

            def count(execute: Any, *asked: Any) -> Any:
                nonlocal seen
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return execute(*asked)

            with connection.execute_wrapper(count):
                fulfilling.run(pk)
            os._exit(0)
        finally:
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@scale("every", small=16, long=1)
def test_an_erasure_killed_anywhere_goes_on(known: Any, choose: Any, remember: Any, every: int) -> None:
    request, number, kills = asked(), 1, 0
    while killed_at(request.pk, number):
        kills += 1
        number += every
        fulfilling.sweep()
        _check(request)
        # They come back, with data, and ask again.
        choose(PERSON, "give", actor="subject")
        remember(PERSON, 2)
        links.issue_link(subject_ref=REF, issued_by="service:shop")
        request = asked()
    _check(request)
    assert kills > 3
    assert ConsentRecord.objects.filter(source="erasure", purpose_id="recommendations").count() == kills + 1
    assert verification.verify_ledger().ok


def _check(request: Any) -> None:
    """The request was answered once, its store steps are noted once, and nothing is left."""
    request.refresh_from_db()
    assert request.state == State.DONE
    assert request.steps.filter(move="complete").count() == 1
    assert set(verify_all(seam.emptied(), REF).values()) == {0}
    stores = [(step.round, step.store) for step in request.erasure_steps.all()]
    assert len(stores) == len(set(stores))
    events = AuditEvent.objects.filter(action=ERASED, details__erasure=str(request.pk))
    assert events.count() == 1
    assert [line for line in ledger.read() if line["erasure"] == str(request.pk)]
