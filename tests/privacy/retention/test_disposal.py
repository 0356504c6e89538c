"""A disposal: in batches, restartable, proved by a manifest, and never a row too many."""

import json
import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from common.canonical import sha256
from common.merkle import merkle_root
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from personalization.event_store.stores import EVENTS
from personalization.models import Event
from privacy import tasks
from privacy.models import Disposal
from privacy.retention import disposal, manifest, turns
from privacy.retention.tables import Table
from tests.helpers.polling import until_waiting_for_locks


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(disposal, "BATCH", 4)


@pytest.fixture
def no_worker(monkeypatch):
    """Nobody takes from the queue unless the test says so."""
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)


@pytest.fixture
def withdrawn(choose, remember, no_worker):
    """Queue the disposal of a person's events without carrying it out; return it and the keys it must remove."""

    def prepare(count, person="customer-1"):
        choose(person, "give")
        keys = remember(person, count)
        record = choose(person, "withdraw")
        disposal.queue_for_withdrawals([record])
        return Disposal.objects.get(record_id=record), keys

    return prepare


def _assert_proved(done, keys):
    document = manifest.manifest(done)
    stored = b"".join(bytes(batch.keys) for batch in done.batches.order_by("pk"))
    removed = [stored[at : at + 16] for at in range(0, len(stored), 16)]
    assert sorted(removed) == sorted(UUID(key).bytes for key in keys)
    leaves = [stored[at : at + 16 * 1024] for at in range(0, len(stored), 16 * 1024)]
    assert json.loads(document) == {
        "format": 2,
        "disposal": str(done.id),
        "plan": None,
        "removed": {"events": len(keys)} if keys else {},
        "leaf_keys": 1024,
        "roots": {"events": merkle_root(leaves).hex()} if keys else {},
    }
    assert done.manifest_sha256 == sha256(document).hex()
    (event,) = AuditEvent.objects.filter(action="disposal.done", details__disposal=str(done.id))
    assert event.details["manifest_sha256"] == done.manifest_sha256
    assert event.details["removed"] == done.removed


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 11])
def test_everything_goes_in_batches_and_is_proved(small_batches, withdrawn, count):
    queued, keys = withdrawn(count)

    done = disposal.run(queued.id)

    assert done.status == Disposal.Status.DONE
    assert done.total_removed == count
    assert [batch.rows for batch in done.batches.order_by("pk")] == ([4] * (count // 4) + [count % 4] * bool(count % 4))
    assert not Event.objects.exists()
    _assert_proved(done, keys)


@pytest.mark.django_db
def test_more_than_a_real_batch_goes_whole(withdrawn):
    queued, keys = withdrawn(disposal.BATCH + 1)

    done = disposal.run(queued.id)

    assert done.batches.count() == 2
    _assert_proved(done, keys)


@pytest.mark.django_db
def test_the_manifest_holds_no_key_and_no_person(withdrawn):
    queued, keys = withdrawn(2)

    document = manifest.manifest(disposal.run(queued.id)).decode()

    assert not [key for key in keys if key in document or key.replace("-", "") in document]
    assert str(subject_ref("customer-1")) not in document


@pytest.mark.django_db
def test_running_twice_changes_nothing(small_batches, withdrawn):
    queued, keys = withdrawn(6)
    first = disposal.run(queued.id)

    second = disposal.run(queued.id)

    assert (second.finished_at, second.manifest_sha256) == (first.finished_at, first.manifest_sha256)
    _assert_proved(second, keys)


@pytest.mark.django_db
def test_other_people_and_purposes_are_left_alone(withdrawn, remember):
    queued, _ = withdrawn(2)
    others = remember("customer-2", 2) + remember("customer-1", 2, purpose="usage_statistics")

    disposal.run(queued.id)

    assert sorted(str(pk) for pk in Event.objects.values_list("pk", flat=True)) == sorted(others)


class Killed(Exception):
    pass


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_its_second_batch_loses_only_that_batch(small_batches, withdrawn, monkeypatch):
    queued, keys = withdrawn(10)
    note, calls = disposal._note, []

    def killed_the_second_time(*batch):
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        return note(*batch)

    with monkeypatch.context() as patched:
        patched.setattr(disposal, "_note", killed_the_second_time)
        with pytest.raises(Killed):
            disposal.run(queued.id)
    interrupted = Disposal.objects.get(pk=queued.id)
    assert (interrupted.status, interrupted.removed, Event.objects.count()) == ("running", {"events": 4}, 6)
    assert not AuditEvent.objects.filter(action="disposal.done").exists()

    done = disposal.run(queued.id)

    assert not Event.objects.exists()
    _assert_proved(done, keys)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_before_the_end_is_written_leaves_the_end_to_the_next(withdrawn, monkeypatch):
    queued, keys = withdrawn(3)
    with monkeypatch.context() as patched:
        patched.setattr(disposal, "_finish", lambda pk: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            disposal.run(queued.id)

    _assert_proved(disposal.run(queued.id), keys)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lost", [False, True])
def test_a_second_worker_waits_for_the_batch_in_flight_and_takes_over(small_batches, withdrawn, lost):
    queued, keys = withdrawn(6)

    def second():
        try:
            disposal.run(queued.id)
        finally:
            connection.close()

    worker = threading.Thread(target=second)
    with transaction.atomic():
        disposal._one_batch(Disposal.objects.get(pk=queued.id), EVENTS)
        worker.start()
        until_waiting_for_locks()
        transaction.set_rollback(lost)  # where it is, the first worker died here
    worker.join(timeout=300)

    assert not Event.objects.exists()
    _assert_proved(Disposal.objects.get(pk=queued.id), keys)


@pytest.mark.django_db
def test_a_legal_hold_stops_a_disposal_until_it_ends(withdrawn):
    queued, keys = withdrawn(3)
    DataSubject.objects.update(held=True)

    held = disposal.run(queued.id)

    assert (held.status, Event.objects.count()) == (Disposal.Status.QUEUED, 3)
    assert not AuditEvent.objects.filter(action="disposal.done").exists()

    DataSubject.objects.update(held=False)
    _assert_proved(disposal.run(queued.id), keys)


@pytest.mark.django_db
def test_a_legal_hold_that_begins_midway_stops_at_the_next_batch(small_batches, withdrawn, monkeypatch):
    queued, keys = withdrawn(10)
    delete = Table.delete_batch

    def then_hold(self, *which, **keep):
        removed = delete(self, *which, **keep)
        if removed.rows:  # another data set, of which there is nothing, may come first
            DataSubject.objects.update(held=True)
        return removed

    with monkeypatch.context() as patched:
        patched.setattr(Table, "delete_batch", then_hold)
        disposal.run(queued.id)
    assert (Event.objects.count(), Disposal.objects.get().status) == (6, "running")

    DataSubject.objects.update(held=False)
    _assert_proved(disposal.run(queued.id), keys)


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_others_delete_from_is_rolled_back(small_batches, withdrawn, monkeypatch):
    """The kind: a statement by hand that took no turn, whose rows the manifest would name as well."""
    queued, keys = withdrawn(10)
    delete = Table.delete_batch

    def with_another(self, *which, **keep):
        removed = delete(self, *which, **keep)
        return replace(removed, rows=removed.rows + 1)

    with monkeypatch.context() as patched:
        patched.setattr(Table, "delete_batch", with_another)
        with pytest.raises(turns.NotAlone):
            disposal.run(queued.id)
    assert Event.objects.count() == 10
    assert not queued.batches.exists()

    _assert_proved(disposal.run(queued.id), keys)


@pytest.mark.django_db
def test_the_proof_cannot_be_changed(withdrawn):
    queued, _ = withdrawn(2)
    disposal.run(queued.id)

    for statement in ("UPDATE privacy_disposalbatch SET store = 'x'", "DELETE FROM privacy_disposalbatch"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.django_db
def test_the_task_takes_the_id_as_text(withdrawn):
    queued, keys = withdrawn(2)
    Disposal.objects.update(queued_at=timezone.now() - timedelta(days=1))

    tasks.run_disposals([str(queued.id)])

    _assert_proved(Disposal.objects.get(pk=queued.id), keys)
