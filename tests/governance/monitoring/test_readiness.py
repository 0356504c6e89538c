"""Readiness says what decisions would meet: the statement, the engine, the spool and the keys are tried."""

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from audit import signing
from common.postgres import prepared
from consent import key_check
from governance.monitoring import decision_path
from policies import engines
from policies.decision_log.spool import Spool
from policies.decisions import evaluate, information
from policies.engines import EngineUnavailable

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = decision_path.Remembered(decision_path._engine_and_spool, for_s=0)
    monkeypatch.setattr(decision_path, "PROBE", probe)


def _asked() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/health/ready")
    return answer.status_code, answer.json()


def test_an_instance_that_can_decide_is_ready(register_in_force: None) -> None:
    assert _asked() == (200, {"status": "ready", "missing": [], "warnings": []})


def test_a_removed_spool_is_put_back_with_its_lines(register_in_force: None, own_spool: Path) -> None:
    evaluate._spool.append(b"{}\n")
    (path,) = own_spool.iterdir()
    assert _asked()[0] == 200

    shutil.rmtree(own_spool)

    assert (_asked()[0], path.read_bytes()) == (200, b"{}\n")


def test_a_full_disk_is_not_ready(register_in_force: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # Every write to this device fails as on a full disk, with ENOSPC.
    monkeypatch.setattr("policies.decision_log.spool.tempfile.TemporaryFile", lambda **_: open("/dev/full", "wb", 0))  # noqa: PTH123, SIM115

    status, document = _asked()

    assert (status, document["missing"]) == (503, [decision_path.NO_SPOOL])


def test_the_spool_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")

    spool.check()

    assert list((tmp_path / "spool").iterdir()) == []


def test_an_engine_that_fails_is_not_ready(register_in_force: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        name = "broken"

        def evaluate(self, *_asked: Any) -> Any:
            raise EngineUnavailable

    monkeypatch.setattr(engines, "configured", Broken)

    status, document = _asked()

    assert (status, document["missing"]) == (503, [decision_path.NO_ENGINE])


@pytest.mark.parametrize("shared", ["_another_client_prepared", "_another_session"])
def test_a_session_of_a_pooler_is_named(
    shared: str, register_in_force: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    globals()[shared](monkeypatch)

    status, document = _asked()

    assert (status, document["missing"]) == (503, [prepared.POOLER])
    assert "DATABASE_POOLING=transaction" in caplog.text


@pytest.mark.parametrize("shared", ["_another_client_prepared", "_another_session"])
def test_with_pooling_a_shared_session_is_ready(
    shared: str, register_in_force: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_POOLING = "transaction"
    globals()[shared](monkeypatch)

    assert _asked()[0] == 200


def test_another_subject_key_is_not_ready(register_in_force: None, settings: Any) -> None:
    key_check.ensure()
    settings.SUBJECT_KEY = b"\x01" * 32

    status, document = _asked()

    assert (status, document["missing"]) == (503, ["SUBJECT_KEY is not the key of this database"])


def test_a_signing_key_of_another_secret_is_a_warning(register_in_force: None, settings: Any) -> None:
    signing.current_key()
    settings.SECRET_KEY = "another secret of this installation"

    status, document = _asked()

    assert (status, document["warnings"]) == (200, ["no signing key: see ./assent manage signing_keys list"])


def test_costly_probes_run_once_in_a_while() -> None:
    asked: list[str] = []
    probe = decision_path.Remembered(lambda revision: asked.append(revision) or [revision], for_s=3600)

    answers = [probe.faults("a"), probe.faults("a"), probe.faults("b")]

    assert (asked, answers) == (["a", "b"], [["a"], ["a"], ["b"]])


def _another_client_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler: the session has a statement of this name, from another client."""
    name = f"assent_{uuid4().hex}"
    monkeypatch.setattr(information.STATEMENT, "_name", name.encode())
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE {name} AS SELECT 1")


def _another_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler: the transaction has a session that does not know what was prepared."""
    name = f"assent_{uuid4().hex}"
    monkeypatch.setattr(information.STATEMENT, "_name", name.encode())
    information.read(information.NO_SUBJECT)
    prepared._thread.names.add(name.encode())
    with connection.cursor() as cursor:
        cursor.execute(f"DEALLOCATE {name}" if django_settings.DATABASE_POOLING == "session" else "SELECT 1")
