"""A legal hold keeps the data from its commit on, also where a deletion is running: two real connections."""

import threading
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from consent.ledger import holds
from consent.models import DataSubject
from personalization.event_store import shipping
from personalization.event_store.stores import EVENTS
from personalization.models import Event
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from privacy import tasks
from privacy.models import Disposal
from privacy.retention import disposal
from tests.helpers.polling import until_waiting_for_locks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)


@contextmanager
def _while_a_hold_is_set(work):
    """Run ``work`` on a connection of its own while a hold on every person waits for its commit."""

    def alone():
        try:
            work()
        finally:
            connection.close()

    worker = threading.Thread(target=alone)
    with transaction.atomic():
        DataSubject.objects.update(held=True)
        worker.start()
        until_waiting_for_locks()
        yield
    worker.join(timeout=300)
    assert not worker.is_alive()


def test_a_withdrawals_deletion_waits_for_the_hold_and_keeps_all(choose, remember):
    choose("customer-1", "give")
    remember("customer-1", 6)
    disposal.queue_for_withdrawals([choose("customer-1", "withdraw")])
    queued = Disposal.objects.get()

    with _while_a_hold_is_set(lambda: disposal.run(queued.id)):
        pass

    assert (Event.objects.count(), Disposal.objects.get().status) == (6, Disposal.Status.QUEUED)


def test_a_retention_run_waits_for_the_hold_and_keeps_its_person(choose, remember):
    choose("customer-1", "give")
    remember("customer-1", 3, days=400)
    remember("customer-2", 2, days=400)  # no row in the register, so no hold
    (queued,) = disposal.queue_for_retention(actor="operator")

    with _while_a_hold_is_set(lambda: disposal.run(queued.id)):
        pass

    assert (Event.objects.count(), Disposal.objects.get().removed) == (3, {"events": 2})


def test_a_window_waits_for_the_hold_and_keeps_the_oldest(choose, remember):
    choose("customer-1", "refuse")
    remember("customer-1", BEHAVIORAL_WINDOW + 4)
    shipping.ensure_window(actor="system")
    (queued,) = disposal.queue_for_retention(actor="operator")

    with _while_a_hold_is_set(lambda: disposal.run(queued.id)):
        pass

    assert (Event.objects.count(), Disposal.objects.get().removed) == (BEHAVIORAL_WINDOW + 4, {})


def test_a_hold_waits_for_the_batch_in_flight_and_keeps_the_rest(choose, remember):
    choose("customer-1", "give")
    remember("customer-1", 2)
    disposal.queue_for_withdrawals([choose("customer-1", "withdraw")])
    seen_by_the_hold = []

    def hold():
        try:
            with transaction.atomic():
                DataSubject.objects.update(held=True)
                seen_by_the_hold.append(Event.objects.count())
        finally:
            connection.close()

    setting = threading.Thread(target=hold)
    with transaction.atomic():
        disposal._one_batch(Disposal.objects.get(), EVENTS)
        setting.start()
        until_waiting_for_locks()
    setting.join(timeout=300)

    assert seen_by_the_hold == [0]
    assert DataSubject.objects.get().held


def test_a_person_first_stored_under_a_hold_takes_a_turn_too(register_in_force):
    with transaction.atomic():
        DataSubject.objects.create(ref="00000000-0000-4000-8000-000000000001", held=True)
        with connection.cursor() as cursor:
            # Tests in other databases of the server take turns with the same number.
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = %s",
                [holds.LOCK],
            )
            assert cursor.fetchone() == (1,)


def test_a_deletion_that_could_not_see_the_hold_is_refused(register_in_force):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(RuntimeError, match="READ COMMITTED"):
            holds.wait_for_holds()
