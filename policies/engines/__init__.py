"""The policy decision point behind one Protocol: embedded regorus (in processes of its own), or an OPA server."""

import atexit
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from common.breaker import CircuitBreaker
from policies.engines.base import Engine, EngineFailure, EngineTimeout, EngineUnavailable, EngineUndefined, Verdict
from policies.engines.guarded import GuardedEngine

if TYPE_CHECKING:
    from policies.engines.isolated import IsolatedEngine
    from policies.engines.opa import OpaEngine

__all__ = [
    "Engine", "EngineFailure", "EngineTimeout", "EngineUnavailable", "EngineUndefined", "Verdict", "configured",
    "embedded_engine", "opa_server", "stand_in",
]  # fmt: skip


@lru_cache(maxsize=1)
def configured() -> Engine:
    """The engine of this process: OPA where ``OPA_URL`` is set, else the embedded one."""
    server = opa_server()
    if server is not None:
        rest_s = settings.OPA_BREAKER_REST_MS / 1000
        return GuardedEngine(server, CircuitBreaker(threshold=settings.OPA_BREAKER_FAILURES, rest_s=rest_s))
    return embedded_engine()


@lru_cache(maxsize=1)
def embedded_engine() -> "IsolatedEngine":
    """The embedded engine of this process, which explains answers wherever they came from."""
    from policies.engines.isolated import IsolatedEngine

    engine = IsolatedEngine(timeout_ms=settings.ENGINE_TIMEOUT_MS, processes=settings.ENGINE_PROCESSES)
    atexit.register(engine.close)
    return engine


@lru_cache(maxsize=1)
def opa_server() -> "OpaEngine | None":
    """The OPA server of this installation, unguarded, or None where there is none."""
    if not settings.OPA_URL:
        return None
    from policies.engines.opa import OpaEngine

    return OpaEngine(settings.OPA_URL, timeout_ms=settings.OPA_TIMEOUT_MS, push=settings.OPA_PUSH)


@lru_cache(maxsize=1)
def stand_in() -> Engine | None:
    """The engine that answers, under the same revision, while OPA does not; None where that means a denial."""
    if not settings.OPA_URL or settings.OPA_STAND_IN != "embedded":
        return None
    return embedded_engine()
