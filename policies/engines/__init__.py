"""The policy decision point behind one Protocol: embedded regorus, or an OPA server."""

from functools import lru_cache

from django.conf import settings

from policies.engines.base import Engine, EngineFailure, EngineTimeout, EngineUnavailable, EngineUndefined, Verdict

__all__ = ["Engine", "EngineFailure", "EngineTimeout", "EngineUnavailable", "EngineUndefined", "Verdict", "configured"]


@lru_cache(maxsize=1)
def configured() -> Engine:
    """The engine of this process: OPA where ``OPA_URL`` is set, else the embedded one."""
    if settings.OPA_URL:
        from policies.engines.opa import OpaEngine

        return OpaEngine(settings.OPA_URL, timeout_ms=settings.OPA_TIMEOUT_MS)
    from policies.engines.embedded import EmbeddedEngine

    return EmbeddedEngine()
