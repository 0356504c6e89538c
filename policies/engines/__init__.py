"""The policy decision point behind one Protocol: embedded regorus (in processes of its own), or an OPA server."""

import atexit
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from common.waiting.breaker import CircuitBreaker
from policies.engines.base import Engine, EngineFailure, EngineTimeout, EngineUnavailable, EngineUndefined, Verdict
from policies.engines.guarded import GuardedEngine

if TYPE_CHECKING:
    from policies.engines.isolated import IsolatedEngine
    from policies.engines.opa import OpaEngine

__all__ = [
    "Engine", "EngineFailure", "EngineTimeout", "EngineUnavailable", "EngineUndefined", "Verdict", "configured",
    "embedded_engine", "for_candidates", "for_revision", "opa_server", "stand_in",
]  # fmt: skip


def for_revision(revision: str, candidate: str | None) -> Engine:
    """Return the engine to ask about a revision; ``candidate`` is the one of the rollout, if there is any.

    A server holds one revision at a time, so a candidate is asked of another one.
    """
    return for_candidates() if revision == candidate and settings.OPA_URL else configured()


@lru_cache(maxsize=1)
def configured() -> Engine:
    """Return the engine of this process: OPA where ``OPA_URL`` is set, else the embedded one."""
    server = opa_server()
    return embedded_engine() if server is None else _guarded(server)


@lru_cache(maxsize=1)
def for_candidates() -> Engine:
    """Return the engine of candidates: a second OPA server where there is one, else the embedded one."""
    if not settings.OPA_CANDIDATE_URL:
        return embedded_engine()
    from policies.engines.opa import OpaEngine

    url = settings.OPA_CANDIDATE_URL
    return _guarded(OpaEngine(url, timeout_ms=settings.OPA_TIMEOUT_MS, push=settings.OPA_PUSH))


def _guarded(server: Engine) -> Engine:
    rest_s = settings.OPA_BREAKER_REST_MS / 1000
    return GuardedEngine(server, CircuitBreaker(threshold=settings.OPA_BREAKER_FAILURES, rest_s=rest_s))


@lru_cache(maxsize=1)
def embedded_engine() -> "IsolatedEngine":
    """Return the embedded engine of this process, which explains the answers of every engine."""
    from policies.engines.isolated import IsolatedEngine

    engine = IsolatedEngine(timeout_ms=settings.ENGINE_TIMEOUT_MS, processes=settings.ENGINE_PROCESSES)
    atexit.register(engine.close)
    return engine


@lru_cache(maxsize=1)
def opa_server() -> "OpaEngine | None":
    """Return the OPA server of this installation, unguarded, or None where there is none."""
    if not settings.OPA_URL:
        return None
    from policies.engines.opa import OpaEngine

    return OpaEngine(settings.OPA_URL, timeout_ms=settings.OPA_TIMEOUT_MS, push=settings.OPA_PUSH)


@lru_cache(maxsize=1)
def stand_in() -> Engine | None:
    """Return the engine that answers, under the same revision, while OPA does not; None where that means a denial."""
    if not settings.OPA_URL or settings.OPA_STAND_IN != "embedded":
        return None
    return embedded_engine()
