"""The embedded PostgreSQL and Valkey: started, killed, found again."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import kombu
import psycopg
import pytest

from governance.launcher.errors import InstanceError
from governance.launcher.home.home import find_home, open_home
from governance.launcher.home.home_paths import remove_outside_parts
from governance.launcher.home.server_user import ServerUser, server_user
from governance.launcher.home.sockets import socket_folder
from governance.launcher.one_off import borrowed_database, start_and_wait
from governance.launcher.processes.launcher_lock import claim
from governance.launcher.processes.processes import wait_until
from governance.launcher.servers.postgres import PostgresServer
from governance.launcher.servers.postgres_cluster import ensure_cluster_place
from governance.launcher.servers.valkey import ValkeyServer

pytestmark = pytest.mark.acceptance


def make_home(path: Path):
    home = open_home(path)
    try:
        yield home
    finally:
        ValkeyServer(home).stop()
        PostgresServer(home).stop()
        remove_outside_parts(home)


@pytest.fixture
def home(tmp_path):
    yield from make_home(tmp_path / "home")


def kill(server):
    process = server.process()
    os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: server.process() is None, timeout_s=120)


def wait_until_on_disk(connection):
    # WAITAOF speaks of writes of its own connection only; the file is sequential, so a later write covers all.
    pipeline = connection.default_channel.client.pipeline(transaction=False)
    pipeline.set("last", "write")
    pipeline.execute_command("WAITAOF", 1, 0, 120_000)
    assert pipeline.execute()[-1] == [1, 0]


def execute(url, statement):
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def test_the_database_answers_its_own_role_only(home):
    server = PostgresServer(home)
    start_and_wait(server)

    question = "SELECT current_user::text, rolsuper FROM pg_roles WHERE rolname = current_user"
    assert execute(server.url, question) == [("assent", False)]
    assert execute(server.url, "SELECT datlocale FROM pg_database WHERE datname = 'assent'") == [("C.UTF-8",)]
    assert execute(server.url, "SHOW listen_addresses") == [("",)]
    stranger = server.url.replace(home.secret("postgres_password"), "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stranger)


def test_committed_rows_survive_a_killed_server(home):
    server = PostgresServer(home)
    start_and_wait(server)
    execute(server.url, "CREATE TABLE kept AS SELECT 7 AS n")

    kill(server)
    start_and_wait(server)

    assert execute(server.url, "SELECT n FROM kept") == [(7,)]


def test_another_launcher_attaches_to_the_running_servers(home):
    first = PostgresServer(home), ValkeyServer(home)
    for server in first:
        start_and_wait(server)

    second = PostgresServer(home), ValkeyServer(home)
    for server in second:
        server.start()

    assert [server.process() for server in second] == [server.process() for server in first]


@pytest.fixture
def open_folder():
    """A folder that the database's user reaches, so that clusters lie in the homes themselves."""
    folder = Path(tempfile.mkdtemp(prefix="assent-copies-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_copied_home_leaves_the_originals_database_alone(open_folder):
    for home in make_home(open_folder / "home"):
        original = PostgresServer(home)
        start_and_wait(original)
        original.stop()
        subprocess.run(["cp", "-a", str(home.path), str(open_folder / "copy")], check=True)
        start_and_wait(original)
        with psycopg.connect(original.url) as session:
            for copied in make_home(open_folder / "copy"):
                copy = PostgresServer(copied)
                assert copied.instance_id == home.instance_id
                assert (copy.process(), copy._orphans()) == (None, [])

                start_and_wait(copy)

                assert execute(copy.url, "SELECT 1") == [(1,)]
                # A killed session would have made the server end all others.
                assert session.execute("SELECT 1").fetchall() == [(1,)]


def test_a_copied_link_is_not_the_originals_server(home):
    original = PostgresServer(home)
    start_and_wait(original)
    if not (home.path / "postgres").is_symlink():
        pytest.skip("the cluster lies in the home: the database runs as this user")
    subprocess.run(["cp", "-a", str(home.path), str(home.path.with_name("copy"))], check=True)
    copy = PostgresServer(find_home(home.path.with_name("copy")))

    with pytest.raises(InstanceError, match="copy of"):
        copy.start()
    copy.stop()

    assert execute(original.url, "SELECT 1") == [(1,)]


def test_a_copied_link_does_not_lead_to_the_originals_database(home, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (home.path / "postgres").symlink_to(outside)
    user = ServerUser(os.geteuid(), os.getegid(), differs=False)
    ensure_cluster_place(home, user)
    copy = find_home(shutil.copytree(home.path, tmp_path / "copy", symlinks=True))

    ensure_cluster_place(home, user)
    with pytest.raises(InstanceError, match="copy of"):
        ensure_cluster_place(copy, user)


def test_a_stale_pid_file_with_a_reused_pid_does_not_block(home):
    server = PostgresServer(home)
    start_and_wait(server)
    pid_file = (home.path / "postgres").resolve() / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    kill(server)
    user = server_user()
    bystander = subprocess.Popen(["sleep", "600"], cwd="/", **user.popen_arguments())
    try:
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        user.own(pid_file)

        start_and_wait(server)

        assert server.process().pid != bystander.pid
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_cluster_that_was_half_made_is_made_again(home):
    server = PostgresServer(home)
    start_and_wait(server)
    server.stop()
    data = (home.path / "postgres").resolve() / "data"
    data.rename(data.with_name("data.new"))
    (data.with_name("data.new") / "PG_VERSION").unlink()

    start_and_wait(server)

    assert execute(server.url, "SELECT 1") == [(1,)]


def test_a_deep_home_gets_short_sockets(tmp_path):
    for home in make_home(tmp_path / ("deep" * 25)):
        server = PostgresServer(home)
        start_and_wait(server)

        assert execute(server.url, "SELECT 1") == [(1,)]
        assert home.instance_id in str(socket_folder(home, server_user()))


def test_the_queue_keeps_its_jobs_when_it_is_killed_and_needs_the_password(home):
    server = ValkeyServer(home)
    start_and_wait(server)
    with kombu.Connection(server.url) as connection, contextlib.closing(connection.SimpleQueue("q")) as queue:
        queue.put({"job": 1})
        wait_until_on_disk(connection)

    kill(server)
    start_and_wait(server)

    with kombu.Connection(server.url) as connection, contextlib.closing(connection.SimpleQueue("q")) as queue:
        message = queue.get(timeout=300)
        assert message.payload == {"job": 1}
        message.ack()
    stranger = server.url.replace(home.secret("valkey_password"), "guess")
    with kombu.Connection(stranger) as connection, pytest.raises(kombu.exceptions.OperationalError):
        connection.ensure_connection(max_retries=1)


def test_a_borrowed_database_is_returned(home):
    with borrowed_database(home):
        assert execute(PostgresServer(home).url, "SELECT 1") == [(1,)]

    assert PostgresServer(home).process() is None


def test_a_borrowed_database_stays_for_the_launcher(home):
    with borrowed_database(home):
        launcher = claim(home, port=8123, embedded=["postgres"])
        launcher.__enter__()

    assert PostgresServer(home).process() is not None
    launcher.__exit__(None, None, None)


def test_the_last_borrower_returns_the_database(home):
    with borrowed_database(home):
        with borrowed_database(home):
            pass
        assert PostgresServer(home).process() is not None

    assert PostgresServer(home).process() is None
