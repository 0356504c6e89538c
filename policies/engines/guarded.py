"""Engine behind a circuit breaker: after repeated failures it is left alone for a while, and requests denied fast."""

from typing import TYPE_CHECKING

from common.waiting.breaker import CircuitBreaker
from policies.engines.base import QUERY, Engine, EngineFailure, EngineUnavailable, EngineUndefined, Verdict

if TYPE_CHECKING:
    from policies.bundles.loading import LoadedBundle


class GuardedEngine:
    """Engine with a breaker, opened by lateness, silence and answers of another revision, not by undefined rules."""

    def __init__(self, engine: Engine, breaker: CircuitBreaker) -> None:
        self._engine, self._breaker = engine, breaker
        self.name = engine.name

    def evaluate(self, bundle: "LoadedBundle", facts: bytes, query: str = QUERY) -> Verdict:
        if not self._breaker.allows():
            raise EngineUnavailable("The engine failed too often and is left alone for a moment.")
        try:
            verdict = self._engine.evaluate(bundle, facts, query)
        except EngineUndefined:
            self._breaker.succeeded()
            raise
        except EngineFailure:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return verdict
