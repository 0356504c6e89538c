"""Scrub: 1,000 planted strings and keys, deleted, are in no byte of the data folder and in no later backup."""

import os
import secrets
from dataclasses import replace
from io import StringIO
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit.models import AuditEvent
from common.postgres import advisory
from consent.models import DataSubject, SavedRequest
from governance.backup import dumping
from governance.launcher.home.home_paths import throwaway_home
from governance.launcher.servers.postgres import SETTINGS
from personalization.models import Event, Item
from privacy import tasks
from privacy.scrub import conditions, scrubbing
from tests.helpers.own_server import own_server
from tests.helpers.polling import until

pytestmark = pytest.mark.django_db(transaction=True)
PLANTED = 1_000


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Wait for the transactions of other workers of a test run, which write into databases of the same server."""
    monkeypatch.setattr(scrubbing, "_PATIENCE_S", 600)


def _data_folder():
    # The home of the server, which several processes of a test run share; each has a home of its own below it.
    return Path(os.environ["SECRET_KEY_FILE"]).parents[1] / "postgres" / "data"


@pytest.fixture
def server_of_an_instance():
    """Connect to a server with every setting that an instance has, but one that would hide strings from a search."""
    with throwaway_home() as home, own_server(home, {**SETTINGS, "wal_compression": "off"}):
        yield home.path / "postgres" / "data"


class Plant:
    """Strings and keys of one test: each begins with the same 12 random bytes, so one pass finds all of them."""

    def __init__(self, count):
        self.word = secrets.token_hex(6).encode()
        self.words = [b"%s-%05d" % (self.word, number) for number in range(count)]
        self.stem = secrets.token_bytes(12)
        self.keys = [UUID(bytes=self.stem + number.to_bytes(4, "big")) for number in range(count)]

    def found(self, *places):
        """Return which of the strings and keys the files hold; a key counts as bytes and as text."""
        text = str(UUID(bytes=self.stem + bytes(4)))[:-8].encode()
        return {
            content[at : at + length]
            for place in places
            for file in ([place] if place.is_file() else place.rglob("*"))
            for content in [_content(file)]
            for stem, length in ((self.word, 18), (self.stem, 16), (text, 36))
            for at in _places(content, stem)
        }


def _content(file):
    """Return a file's bytes: none of a folder, nor of what the server removed meanwhile."""
    try:
        return file.read_bytes()
    except (IsADirectoryError, FileNotFoundError):
        return b""


def _places(content, stem):
    at = content.find(stem)
    while at >= 0:
        yield at
        at = content.find(stem, at + 1)


def _store(plant):
    """Put the strings where strings of people stand: columns with and without index, JSON, values stored aside."""
    now = timezone.now()
    Item.objects.bulk_create(Item(slug=word.decode(), title=f"Title {word.decode()}") for word in plant.words)
    Event.objects.bulk_create(
        Event(
            id=key, subject_ref=key, purpose="recommendations", kind="view", item_id=word.decode(), weight=1.0,
            occurred_at=now, received_at=now,
        )
        for key, word in zip(plant.keys, plant.words, strict=True)
    )  # fmt: skip
    DataSubject.objects.bulk_create(
        DataSubject(ref=key, consents={"recommendations": {"src": word.decode()}})
        for key, word in zip(plant.keys, plant.words, strict=True)
    )
    long = " ".join(word.decode() for word in plant.words)
    SavedRequest.objects.create(key=bytes(32), request_digest=bytes(32), response={"about": long})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _delete(plant):
    SavedRequest.objects.all().delete()
    Event.objects.filter(subject_ref__in=plant.keys).delete()
    Item.objects.filter(slug__startswith=plant.word.decode()).delete()
    DataSubject.objects.filter(ref__in=plant.keys).delete()


def _statistics(plant):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stats WHERE most_common_vals::text LIKE %(any)s OR histogram_bounds::text LIKE"
            " %(any)s OR most_common_vals::text LIKE %(key)s OR histogram_bounds::text LIKE %(key)s",
            {"any": f"%{plant.word.decode()}%", "key": f"%{str(plant.keys[0])[:26]}%"},
        )
        return cursor.fetchone()[0]


def _is_in_the_log(plant, folder):
    """Store, delete and look; a checkpoint in between, of a test beside this one, removes the log before it."""
    _store(plant)
    _delete(plant)
    return len(plant.found(folder / "pg_wal")) > PLANTED  # those that no page boundary cuts


def _checkpoint():
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def _assert_scrubbed(folder, dumps):
    plant = Plant(PLANTED)
    until(lambda: _is_in_the_log(plant, folder), "what was deleted is in the write-ahead log")
    _checkpoint()
    assert len(plant.found(folder)) >= 2 * PLANTED  # deleted, and readable: what is recoverable before
    assert _statistics(plant) > 0

    call_command("scrub", stdout=(out := StringIO()))

    assert "Scrubbed:" in out.getvalue()
    assert plant.found(folder) == set()
    assert _statistics(plant) == 0
    dumping._run("pg_dump", "--format=plain", f"--file={dumps / 'dump'}")
    assert (dumps / "dump").stat().st_size > 100_000
    assert plant.found(dumps) == set()
    assert AuditEvent.objects.get(action="storage.scrubbed").details["tables"] > 50


def test_no_planted_string_is_left_in_the_data_folder(tmp_path):
    _assert_scrubbed(_data_folder(), tmp_path)


@pytest.mark.long
def test_an_instances_own_server_is_scrubbed(server_of_an_instance, tmp_path):
    _assert_scrubbed(server_of_an_instance, tmp_path)


def _server(**changed):
    return replace(conditions.read(), **changed)


def _with(name, value):
    return {"settings": {**conditions.read().settings, name: value}}


def test_the_bundled_server_meets_every_condition():
    assert conditions.unmet(conditions.read()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wal_recycle", "on"), ("wal_keep_size", "64"), ("archive_mode", "on"), ("log_error_verbosity", "default"),
        ("log_min_error_statement", "error"), ("log_statement", "all"), ("log_min_duration_statement", "0"),
        ("log_min_duration_sample", "100"), ("log_parameter_max_length_on_error", "-1"),
    ],
)  # fmt: skip
def test_a_setting_that_keeps_values_is_refused(monkeypatch, name, value):
    server = _server(**_with(name, value))
    monkeypatch.setattr(conditions, "read", lambda: server)
    monkeypatch.setattr(scrubbing, "_scrub", lambda: pytest.fail("it began"))

    with pytest.raises(CommandError, match=r"Nothing was scrubbed\."):
        call_command("scrub")

    assert [event.action for event in AuditEvent.objects.filter(object="storage")] == ["storage.scrub_refused"]


@pytest.mark.parametrize(
    ("lacking", "remedy"),
    [
        ({"may_checkpoint": False}, "GRANT pg_checkpoint"),
        ({"may_switch_wal": False}, "GRANT EXECUTE ON FUNCTION pg_switch_wal"),
        ({"owns_database": False}, "ALTER DATABASE"),
        ({"clears_statistics": False}, "PostgreSQL 18"),
        ({"slots": 1}, "replication slots"),
        ({"replicas": 1}, "Replicas"),
        ({"is_pooled": True}, "DATABASE_POOLING"),
    ],
)
def test_a_missing_right_or_a_copy_is_refused(monkeypatch, lacking, remedy):
    server = _server(**lacking)
    monkeypatch.setattr(conditions, "read", lambda: server)

    with pytest.raises(CommandError, match=remedy):
        call_command("scrub")


def test_copies_apart_are_named_and_the_rest_is_still_needed(monkeypatch):
    archived = _server(**_with("archive_mode", "on"))
    monkeypatch.setattr(conditions, "read", lambda: archived)
    monkeypatch.setattr(scrubbing, "_scrub", lambda: scrubbing.Scrubbed(3, 4_096))

    call_command("scrub", copies_apart=True, stdout=(out := StringIO()))

    assert "3 tables rewritten, 4,096 bytes given back. Archive and replicas" in out.getvalue()
    assert AuditEvent.objects.get(action="storage.scrubbed").details["copies_apart"] is True
    lacking = replace(archived, may_checkpoint=False)
    assert conditions.unmet(lacking, copies_apart=True) == ["".join(conditions.unmet(lacking, copies_apart=True))]


def test_an_open_snapshot_that_sees_deleted_rows_is_refused(register_in_force, monkeypatch):
    plant = Plant(5)
    _store(plant)
    reader = connection.copy()
    try:
        with reader.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT count(*) FROM django_content_type")
        _delete(plant)
        with monkeypatch.context() as impatient:
            impatient.setattr(scrubbing, "_PATIENCE_S", 0)
            with pytest.raises(CommandError, match=r"deleted rows stay in [a-z_]+: a transaction"):
                call_command("scrub")
    finally:
        reader.rollback()
        reader.close()

    call_command("scrub", stdout=StringIO())
    assert AuditEvent.objects.filter(action="storage.scrubbed").count() == 1


def test_a_snapshot_that_ends_soon_is_waited_for(monkeypatch, register_in_force):
    plant, reader, honest, looks = Plant(5), connection.copy(), scrubbing._open_transactions, []
    _store(plant)
    with reader.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM django_content_type")
    _delete(plant)

    def ends_once_it_was_seen():
        seen = honest()
        looks.append(frozenset(seen))
        reader.rollback()
        return seen

    monkeypatch.setattr(scrubbing, "_open_transactions", ends_once_it_was_seen)
    try:
        call_command("scrub", stdout=StringIO())
    finally:
        reader.close()

    assert looks[0]
    assert not frozenset.intersection(*looks), "it went on once the snapshot had ended"
    assert AuditEvent.objects.filter(action="storage.scrubbed").count() == 1


def test_a_writer_of_another_database_is_waited_for(monkeypatch):
    honest = scrubbing._open_transactions
    with psycopg.connect(os.environ["DATABASE_URL"]) as writer:
        writer.execute("SELECT pg_current_xact_id()")
        DataSubject.objects.create(ref=UUID(int=1))
        DataSubject.objects.all().delete()

        def ends_once_it_was_seen():
            seen = honest()
            writer.rollback()
            return seen

        monkeypatch.setattr(scrubbing, "_open_transactions", ends_once_it_was_seen)
        call_command("scrub", stdout=StringIO())

    assert AuditEvent.objects.filter(action="storage.scrubbed").count() == 1


def test_a_busy_table_is_refused_and_not_waited_for(monkeypatch):
    monkeypatch.setattr(scrubbing, "_LOCK_WAIT", "50ms")
    reader = connection.copy()
    try:
        with reader.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM consent_datasubject")
        with pytest.raises(CommandError, match="consent_datasubject is locked by others"):
            call_command("scrub")
    finally:
        reader.close()


def test_two_scrubs_do_not_run_at_once():
    with advisory.held(scrubbing._LOCK), pytest.raises(CommandError, match="Another scrub is running"):
        call_command("scrub")


@pytest.mark.parametrize(("nightly", "scrubs"), [(True, 1), (False, 0)])
def test_the_nightly_scrub_is_a_setting(settings, monkeypatch, nightly, scrubs):
    settings.SCRUB_NIGHTLY = nightly
    monkeypatch.setattr(scrubbing, "_scrub", lambda: scrubbing.Scrubbed(3, 4_096))

    tasks.scrub_storage()

    assert AuditEvent.objects.filter(action="storage.scrubbed", actor="job:scrub").count() == scrubs


def test_a_refused_nightly_scrub_is_logged(settings, monkeypatch, caplog):
    settings.SCRUB_NIGHTLY = True
    server = _server(may_checkpoint=False)
    monkeypatch.setattr(conditions, "read", lambda: server)

    tasks.scrub_storage()

    assert "not scrubbed: Nothing was scrubbed. The role may not write a checkpoint" in caplog.text


def test_the_status_says_when_it_was_scrubbed(monkeypatch, capsys):
    monkeypatch.setattr(scrubbing, "_scrub", lambda: scrubbing.Scrubbed(3, 4_096))
    call_command("retention", "status")
    call_command("scrub")
    call_command("retention", "status")

    never, _, since = capsys.readouterr().out.splitlines()
    assert "never scrubbed" in never
    assert f"last scrubbed {timezone.now():%Y-%m-%d}" in since
