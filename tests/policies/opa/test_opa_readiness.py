"""Readiness: false where the bundle cannot be loaded, OPA stays behind, or the log does; liveness is untouched."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from governance.monitoring import health
from policies import engines
from policies.bundles import loading
from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from policies.models import ActiveBundle
from policies.opa.freshness import Freshness
from tests.helpers.fact_sheets import GENEROUS
from tests.helpers.policy_engines import opa_process
from tests.helpers.ports import claimed_port
from tests.helpers.wsgi_calls import WsgiResponse, call


def _health(path: str = "ready") -> WsgiResponse:
    return call(b"", None, path=f"/health/{path}", method="GET")


def _beside(monkeypatch: pytest.MonkeyPatch, server: OpaEngine, behind_for_s: float = 3_600) -> None:
    """The server beside this process last agreed so long ago, when the bundle came into force."""
    freshness = Freshness(server)
    freshness._agreed_at = time.monotonic() - behind_for_s
    ActiveBundle.objects.update(activated_at=timezone.now() - timedelta(seconds=behind_for_s))
    monkeypatch.setattr(health, "_freshness", lambda: freshness)


@pytest.fixture
def absent() -> Iterator[OpaEngine]:
    with claimed_port() as port:
        yield OpaEngine(f"http://127.0.0.1:{port}", timeout_ms=500)


def _assert_not_ready(*missing: str) -> None:
    answer = _health()
    assert (answer.status, answer.json()["missing"]) == (503, list(missing))
    assert _health("live").status == 200


def test_with_everything_there_it_is_ready(shop_token: str) -> None:
    answer = _health()

    assert (answer.status, answer.json()) == (200, {"status": "ready", "missing": [], "warnings": []})


def test_a_bundle_that_cannot_be_loaded(
    shop_token: str, as_attacker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_loaded", {})
    as_attacker("UPDATE policies_bundle SET data = 'nonsense'")

    _assert_not_ready("policy bundle cannot be loaded")


def test_an_opa_that_is_away_longer_than_the_bound(
    shop_token: str, absent: OpaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _beside(monkeypatch, absent, settings.READY_OPA_BEHIND_S - 10)
    assert _health().status == 200

    _beside(monkeypatch, absent, settings.READY_OPA_BEHIND_S + 1)
    _assert_not_ready("OPA does not hold the bundle in force")


def test_a_bundle_that_has_just_come_into_force_is_waited_for(
    shop_token: str, absent: OpaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _beside(monkeypatch, absent)
    ActiveBundle.objects.update(activated_at=timezone.now())

    assert _health().status == 200


def test_where_an_engine_stands_in_a_missing_opa_is_a_warning(
    shop_token: str, absent: OpaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _beside(monkeypatch, absent)
    monkeypatch.setattr(engines, "stand_in", EmbeddedEngine)

    answer = _health()

    assert (answer.status, answer.json()["warnings"]) == (200, ["OPA does not hold the bundle in force"])


def test_a_real_server_of_another_revision_and_of_the_right_one(
    shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opa_process() as opa:
        pushing = OpaEngine(opa.url, timeout_ms=60_000)
        assert pushing.hold(GENEROUS)
        _beside(monkeypatch, OpaEngine(opa.url, timeout_ms=60_000, push=False))
        _assert_not_ready("OPA does not hold the bundle in force")

        _beside(monkeypatch, pushing)
        assert _health().status == 200
        assert pushing.held_revision() == ActiveBundle.objects.get().bundle_id


def _spool(folder: Path, age_s: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    line: dict[str, Any] = {"at_us": int((time.time() - age_s) * 1_000_000)}
    (folder / "waiting.spool").write_text(json.dumps(line) + "\n")


def test_a_log_that_is_behind(shop_token: str, own_spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_STARTED", time.monotonic() - 3_600)
    _spool(own_spool, settings.READY_LOG_LAG_S - 60)
    assert _health().status == 200

    _spool(own_spool, settings.READY_LOG_LAG_S + 60)
    _assert_not_ready("decision log is behind")

    monkeypatch.setattr(health, "_STARTED", time.monotonic())  # after an outage the drainer needs a while
    assert _health().status == 200
