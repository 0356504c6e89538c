"""Many erasures wait, and are drained with flat memory; how long one takes is printed, not judged."""

import statistics
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent.ledger import ledger
from consent.models import DataSubject
from privacy.erasures import ledger as erasure_ledger
from privacy.rights.answers import packages
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.requests import fulfilling
from privacy.rights.requests.states import State
from tests.helpers.scale import scale
from tests.privacy.rights.erasure.conftest import asked, decided

_PAGE_KB = 4
_MOST_GROWTH_KB = 24 * 1024
_MOST_STATEMENTS = 76


def resident_kb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_KB


def people(count: int, remember: Any) -> list[UUID]:
    refs = [uuid4() for _ in range(count)]
    for ref in refs:
        choice = ledger.Choice(purpose="recommendations", choice="give", notice_version=1)
        ledger.save_choices(
            ledger.Request(subject_ref=ref, choices=[choice], source="api", actor="test", region="DE", age_band="adult")
        )
        remember(ref, 3)
    return refs


# What is drained is committed, as by the job: of one long transaction each statement would be slower than the last.
@pytest.mark.django_db(transaction=True)
@scale("count", small=24, long=10_000)
def test_queued_erasures_drain_with_flat_memory(
    register_in_force: None, remember: Any, count: int, capsys: Any
) -> None:
    for ref in people(count, remember):
        asked(ref=ref)
    fulfilling.run(RightsRequest.objects.earliest("pk").pk)  # what is loaded once is loaded
    before, began, cpu = resident_kb(), time.perf_counter(), time.process_time()

    ran = fulfilling.sweep()

    took = f"{time.perf_counter() - began:.0f} s, {time.process_time() - cpu:.0f} s of this process's CPU"
    with capsys.disabled():
        print(f"\n{ran} erasures: {took}, {resident_kb() - before} kB more memory")
    assert ran == count - 1
    assert RightsRequest.objects.filter(state=State.DONE).count() == count
    assert DataSubject.objects.filter(erased_revision=None).count() == 0
    assert resident_kb() - before < _MOST_GROWTH_KB
    assert sum(line["kind"] == "erasure" for line in erasure_ledger.read()) == count


@pytest.mark.django_db
def test_an_erasure_takes_few_statements(register_in_force: None, remember: Any) -> None:
    """In a queue of thousands each statement counts: savepoints of the test among them."""
    first, second = people(2, remember)
    fulfilling.run(asked(ref=first).pk)
    request = asked(ref=second)

    with CaptureQueriesContext(connection) as asked_for:
        assert fulfilling.run(request.pk).state == State.DONE

    assert len(asked_for) <= _MOST_STATEMENTS


@pytest.mark.django_db
@pytest.mark.long
def test_how_long_an_erasure_and_an_answer_take(register_in_force: None, remember: Any, capsys: Any) -> None:
    erasing, answering = [], []
    for ref in people(200, remember):
        request = asked(Right.ACCESS, ref)
        began = time.perf_counter()
        made = packages.make(request, now=timezone.now())
        assert packages.verify(request, made.counts) == []
        answering.append(time.perf_counter() - began)

        erasure = asked(ref=ref)
        began = time.perf_counter()
        assert fulfilling.run(erasure.pk).state == State.DONE
        erasing.append(time.perf_counter() - began)
        assert decided(ref)[0] == "subject_unknown"
    with capsys.disabled():
        for what, times in (("access", answering), ("erasure", erasing)):
            ordered = sorted(times)
            print(f"\n{what}: median {statistics.median(ordered) * 1000:.0f} ms, p99 {ordered[-3] * 1000:.0f} ms")
