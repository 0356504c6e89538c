"""What the proxy says to a running rollout: an answer to count, and one to compare. Without a canary it is nothing."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from personalization import engine
from personalization.recommender.answers import Served
from personalization.rollouts import counting, shadow
from personalization.rollouts.counting import Answer, Side
from policies.bundles.loading import LoadedBundle
from policies.decisions.evaluate import Decision

# Denials by the model itself; others are the person's own, and say nothing about a version.
_BY_MODEL: Final = frozenset({"gate_failed", "model_not_live", "model_purpose", "model_unknown"})


class Answered(Protocol):
    """What the proxy answered: ``personalization.serving.requests.Recommendations``."""

    @property
    def level(self) -> str: ...
    @property
    def decision(self) -> Decision: ...
    @property
    def model(self) -> str | None: ...
    @property
    def fallback(self) -> str | None: ...
    @property
    def took_us(self) -> int | None: ...


def note(answer: Answered, bundle: LoadedBundle) -> None:
    """Count an answer on its side of a running rollout."""
    candidate = engine.candidate_of(bundle) if bundle.canaries else None
    if candidate is None or not _is_about_a_model(answer.decision):
        return
    side = Side.CANDIDATE if answer.model == candidate else Side.LIVE
    counted = Answer(
        level=answer.level,
        is_fallback=answer.level == "none",
        has_failed=answer.fallback in engine.FAILURES,
        took_us=answer.took_us,
    )
    counting.count(bundle.canaries[candidate].rollout, side, counted)


def _is_about_a_model(decision: Decision) -> bool:
    """Return whether a model was to answer: not where the person or the caller wants nothing personal."""
    if decision.permitted:
        return decision.level != "none"
    return not _BY_MODEL.isdisjoint(decision.reasons)


def compare(shown: Served, bundle: LoadedBundle, *, purpose: str, arguments: Mapping[str, Any]) -> None:
    """Compare an answer with that of a candidate that serves no person yet."""
    candidate = engine.candidate_of(bundle) if bundle.canaries else None
    if candidate is not None and bundle.canaries[candidate].share == 0:
        shadow.offer(candidate, bundle, shown, purpose=purpose, arguments=arguments)


def in_background() -> None:
    """Count and compare in threads from now on: for processes that answer requests."""
    counting.count_in_background()
    shadow.run_in_background()
