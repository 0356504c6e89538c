"""Processor time under measurement: ours with that of ended children, and PostgreSQL's."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.db import connection

from governance.bench import cpu

_BURN = "import time\nwhile time.process_time() < 0.3: pass"
_WORK = "SELECT sum(n::bigint * n) FROM generate_series(1, 3000000) n"


def test_children_that_have_ended_are_counted():
    before = cpu.cpu_seconds(os.getpid())

    subprocess.run([sys.executable, "-c", _BURN], check=True)

    assert cpu.cpu_seconds(os.getpid()) - before >= 0.25


def test_a_process_that_has_gone_costs_nothing():
    gone = subprocess.Popen(["true"])
    gone.wait()

    assert cpu.cpu_seconds(gone.pid) == 0


@pytest.mark.django_db
def test_the_work_of_postgresql_is_measured_apart_from_ours():
    with connection.cursor() as cursor, cpu.measured(os.getpid()) as used:
        cursor.execute(_WORK)

    ours, database = used.us_per(2)
    assert database > ours
    assert used.database == pytest.approx(2 * database / 1e6)


@pytest.mark.parametrize(("host", "is_postgres"), [("db.example", True), ("127.0.0.1", False), ("/run/pooler", False)])
def test_a_server_that_is_not_a_process_here_is_not_measured(monkeypatch, host, is_postgres):
    info = SimpleNamespace(host=host, backend_pid=os.getpid())
    there = SimpleNamespace(ensure_connection=lambda: None, connection=SimpleNamespace(info=info))
    monkeypatch.setattr(cpu, "connection", there)
    if is_postgres:  # an unrelated process of that number and name
        monkeypatch.setattr(cpu, "_name", lambda _pid: "postgres")

    with cpu.measured(os.getpid()) as used:
        pass

    assert used.database is None
    assert used.us_per(1)[1] is None
