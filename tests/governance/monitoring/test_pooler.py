"""Behind a real pooler in transaction mode: one session of the server, shared by all clients."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

from governance.launcher.home.server_user import server_user
from governance.launcher.processes.processes import wait_until
from tests.helpers.paths import CHECKOUT
from tests.helpers.ports import claimed_port

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed: no real pooler to try"),
]
CLIENTS = """
import sys
import django
django.setup()
from threading import Thread
from django.db import connections
from governance.front.django_threads import DjangoThreads
from common.postgres import advisory
from consent.models import DataSubject
from policies.decisions import information

failed, kept = [], []

def decide():
    for _ in range(3):
        information.read(information.NO_SUBJECT)
        information.read_many([], b"", b"decisions")

class Waiter:
    answered = 0
    def take(self, result):
        self.answered += result.ntuples
    def lost(self):
        failed.append("lost")

def decide_in_the_loop():
    threads = DjangoThreads()
    threads._make()
    pipeline, waiter, wanted = threads.pipeline(), Waiter(), information.Wanted(information.NO_SUBJECT)
    for _ in range(3):
        pipeline.send(information.STATEMENT, wanted.parameters(), waiter, now=0)
        pipeline.send(information.STATEMENT, wanted.parameters(), waiter, now=0)
        pipeline.flush()
        while pipeline.oldest() is not None:
            pipeline.receive()
    waiter.answered == 6 or failed.append("answered: %d" % waiter.answered)
    kept.append(pipeline)

def read_and_lock():
    list(DataSubject.objects.iterator())
    with advisory.held(7) as first, advisory.held(7) as second:
        (first, second) == (True, False) or failed.append("not held")
        DataSubject.objects.exists()

def client(work):
    try:
        work()
    except Exception as exc:
        failed.append(repr(exc.__cause__ or exc))
    kept.append(connections["default"].connection)  # it stays connected, and the next shares the session with it

for work in [decide, decide_in_the_loop] * 3 + [read_and_lock] * 2 + [decide]:
    thread = Thread(target=client, args=[work])
    thread.start()
    thread.join()
sys.exit("; ".join(failed) or 0)
"""


@pytest.fixture
def pooled() -> Iterator[str]:
    """The address of the test database through the pooler."""
    with claimed_port() as port, _pooler(port) as url:
        yield url


@contextmanager
def _pooler(port: int) -> Iterator[str]:
    assert PGBOUNCER is not None
    own, user = connection.settings_dict, server_user()
    folder = Path(tempfile.mkdtemp(prefix="assent-pooler-"))  # which the user of the server reaches
    configuration = folder / "pgbouncer.ini"
    server = {key: own[name] for key, name in (("host", "HOST"), ("dbname", "NAME"), ("user", "USER"))}
    server |= {"password": own["PASSWORD"], "port": own["PORT"] or "5432"}
    told = " ".join(f"{key}='{value}'" for key, value in server.items() if value)
    configuration.write_text(
        f"[databases]\npooled = {told}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        "unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n"
        "ignore_startup_parameters = extra_float_digits,options\n"  # tests name a writer there
    )
    for path in (folder, configuration):
        user.own(path)
    process = subprocess.Popen(
        [PGBOUNCER, "-q", str(configuration)], stderr=subprocess.PIPE, text=True, **user.popen_arguments()
    )
    url = f"postgresql://{quote(str(own['USER']))}@127.0.0.1:{port}/pooled"
    try:
        assert wait_until(lambda: _answers(url), timeout_s=120), process.poll()
        yield url
    finally:
        process.terminate()
        process.communicate()
        shutil.rmtree(folder)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error:
        return False
    return True


def _clients(url: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", CLIENTS],
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": url, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_named_statements_meet_another_clients(pooled: str, register_in_force: Any) -> None:
    done = _clients(pooled, DATABASE_POOLING="session")

    assert done.returncode == 1
    assert "already exists" in done.stderr
    assert "set DATABASE_POOLING=transaction" in done.stderr


def test_decisions_and_locks_work_in_transaction_mode(pooled: str, register_in_force: Any) -> None:
    done = _clients(pooled, DATABASE_POOLING="transaction")

    assert (done.returncode, done.stderr) == (0, "")
