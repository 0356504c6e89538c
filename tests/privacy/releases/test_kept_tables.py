"""Tables as they are kept: encrypted, under the table's own key; no room on the disk; workers killed at any place."""

import os
import resource
import signal
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from privacy.anonymisation import tables
from privacy.models import TableRelease, UploadedTable
from privacy.releases import asking, running, uploads
from privacy.releases.problems import TableRefused
from tests.privacy.releases.conftest import ANN


@pytest.mark.django_db
def test_a_table_is_kept_encrypted_and_read_plain(officers, file):
    table = uploads.take_file(file, actor=ANN)
    place = uploads.file_of(table)

    assert b"Person" not in place.read_bytes()
    assert place.stat().st_mode & 0o777 == 0o600
    with uploads.opened(table) as plain:
        assert plain.read_bytes() == file.read_bytes()
        assert [path.name for path in place.parent.iterdir()] == [place.name], "the plain file has no name"


@pytest.mark.django_db
def test_a_secret_that_was_replaced_still_opens_it(officers, file, settings):
    table = uploads.take_file(file, actor=ANN)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 40, [settings.SECRET_KEY]

    with uploads.opened(table) as plain:
        assert plain.read_bytes() == file.read_bytes()


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["moved", "cut", "lost secret"])
def test_what_cannot_be_opened_is_said_and_makes_no_copy(made, file, settings, how):
    table, other = (uploads.take_file(file, actor=ANN) for _ in range(2))
    if how == "moved":
        uploads.file_of(table).write_bytes(uploads.file_of(other).read_bytes())
    elif how == "cut":
        uploads.file_of(table).write_bytes(uploads.file_of(table).read_bytes()[:-40])
    else:
        settings.SECRET_KEY = "n" * 40

    row = made(table)

    assert (row.state, uploads.copy_of(row).exists()) == ("failed", False)
    assert "take it in anew" in row.error


@contextmanager
def _little_room(size):
    """Let no file of this process grow beyond a size: writing fails as it does where the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    _limit(size)
    try:
        yield
    finally:
        _limit(before)


def _limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.django_db
def test_no_room_for_an_upload_keeps_nothing(officers, file, folder):
    with _little_room(1_000), pytest.raises(TableRefused, match="no room"):
        uploads.take_file(file, actor=ANN)

    assert not UploadedTable.objects.exists()
    assert list((folder / "uploads").iterdir()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("target", ["csv", "parquet"])
def test_no_room_for_a_copy_ends_the_job_in_a_sentence(made, file, monkeypatch, target):
    table, open_copy = uploads.take_file(_as(target, file), actor=ANN), tables.open_copy
    with _little_room(resource.getrlimit(resource.RLIMIT_FSIZE)[0]):  # as it is, until the copy is begun
        monkeypatch.setattr(tables, "open_copy", lambda *given: (_limit(300), open_copy(*given))[1])
        row = made(table)

    assert (row.state, uploads.copy_of(row).exists()) == ("failed", False)
    assert "no room on the disk" in row.error
    assert list(uploads.folder("copies").iterdir()) == []


def _as(kind, file):
    if kind == "csv":
        return file
    from pyarrow import csv, parquet

    parquet.write_table(csv.read_csv(file), file.with_suffix(".parquet"))
    return file.with_suffix(".parquet")


def _killed(pk, place):
    """Let a worker of its own carry a release out, and kill it at a place."""
    connection.close()
    child = os.fork()
    if child == 0:
        try:
            module, name = place
            setattr(module, name, lambda *_args, **_more: os.kill(os.getpid(), signal.SIGKILL))
            running.run(pk)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_anywhere_leaves_nothing_half_written_and_another_ends_it(
    officers, file, asked, folder, monkeypatch
):
    monkeypatch.setattr("privacy.tasks.make_release.delay_on_commit", lambda *_: None)
    row = asking.ask(uploads.take_file(file, actor=ANN), asked(), actor=ANN)
    places = [
        (running, "open_table"),  # with the plain file at hand
        (tables, "_write_rows"),  # classes formed
        (tables, "_prove"),  # copy written, without a name
        (tables, "report_on"),  # about to write the report
        (running, "_overlaps"),  # copy and report there
        (running, "_finish"),
    ]
    for place in places:
        assert _killed(row.pk, place) == signal.SIGKILL, place[1]
        names = {path.name for path in uploads.folder("copies").iterdir()}
        copy = uploads.copy_of(row).name
        assert names in (set(), {copy, f"{copy}.report.json"}), f"half written after {place[1]}"
        assert not [path for path in (folder / "uploads").iterdir() if path.name.startswith(".")]
        TableRelease.objects.update(moved_at=timezone.now() - 2 * running.STALLED_AFTER)
        assert running.to_take_up() == [row.pk]

    running.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error) == ("done", "")
    assert uploads.copy_of(row).exists()


@pytest.mark.django_db
def test_a_release_whose_workers_are_killed_each_time_ends(officers, file, asked):
    row = asking.ask(uploads.take_file(file, actor=ANN), asked(), actor=ANN, state=TableRelease.State.RUNNING)
    long_ago = timezone.now() - running.GIVEN_UP_AFTER - timedelta(minutes=1)
    TableRelease.objects.update(moved_at=long_ago, requested_at=long_ago)

    assert running.to_take_up() == []
    row.refresh_from_db()
    assert (row.state, row.error[:21]) == ("failed", "The worker was killed")
