"""Shadow of a candidate: its answers are computed after the person's, compared, and thrown away.

What is kept are counts: how many of the first ten items are the same, whether they stand in the same order, how far the
scores lie apart, level and duration. No item and no person is stored. A fifth of the requests is compared, in one
thread of its own; where that is busy, a request is left out and counted as dropped.

The candidate is computed for the purpose that was permitted, at no higher level, and only where its own approval names
that purpose: what a decision about it would say of everything but the share.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from common.levels import LEVELS
from personalization import engine
from personalization.recommender.answers import Recommendation, Served
from personalization.rollouts import counting
from personalization.rollouts.counting import Answer, Side
from policies.bundles.loading import LoadedBundle

logger = logging.getLogger(__name__)
SAMPLE: Final = 0.2
FIRST: Final = 10
_MOST_WAITING: Final = 4

_FAILED: Final = Answer(level="none", is_fallback=True, has_failed=True)

_places = threading.BoundedSemaphore(_MOST_WAITING)
_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shadow")


def _run_now(work: Callable[[], None]) -> bool:
    work()
    return True


def _run_later(work: Callable[[], None]) -> bool:
    """Run work in the thread; return whether there was room."""
    if not _places.acquire(blocking=False):
        return False
    _pool.submit(work).add_done_callback(lambda _done: _places.release())
    return True


_run: Callable[[Callable[[], None]], bool] = _run_now


def run_in_background() -> None:
    """Compare in a thread from now on: for processes that answer requests."""
    global _run
    _run = _run_later


def offer(name: str, bundle: LoadedBundle, shown: Served, *, purpose: str, arguments: Mapping[str, Any]) -> None:
    """Compare the candidate's answer with the one that is shown, for a sample of the requests. Never waits."""
    model, rollout = bundle.data["models"][name], bundle.canaries[name].rollout
    if purpose not in model["purposes"] or random.random() >= SAMPLE:  # noqa: S311 (a sample, no secret)
        return
    try:
        engine.check_signature(name, model)  # here: the thread has no database
    except engine.EngineFailed:
        counting.count(rollout, Side.SHADOW, _FAILED)
        return
    level = min(arguments["level"], model["max_level"], key=lambda each: LEVELS[each])
    asked = {**arguments, "level": level}
    if not _run(lambda: _compare(name, bundle, shown, rollout, asked)):
        counting.count(rollout, Side.SHADOW, None)


def _compare(name: str, bundle: LoadedBundle, shown: Served, rollout: int, asked: Mapping[str, Any]) -> None:
    began = time.perf_counter_ns()
    try:
        served = engine.compute(name, bundle, asked)
    except Exception:
        logger.exception("The candidate %s failed in a shadow", name)
        answer = _FAILED
    else:
        answer = compare(shown, served, took_us=(time.perf_counter_ns() - began) // 1_000)
    counting.count(rollout, Side.SHADOW, answer)


def compare(shown: Served, served: Served, *, took_us: int) -> Answer:
    """Return what two answers to the same request have in common."""
    one, other = shown.recommendations[:FIRST], served.recommendations[:FIRST]
    common = {each.item.id for each in one} & {each.item.id for each in other}
    # The general list of both is no comparison of models.
    is_personal = "none" not in (str(shown.level_used), str(served.level_used))
    return Answer(
        level=str(served.level_used),
        is_fallback=str(served.level_used) == "none",
        has_failed=took_us > engine.SLOW_S * 1_000_000,
        took_us=took_us,
        overlap=len(common),
        agreement=rank_correlation(shown.recommendations, served.recommendations),
        score=_score_distance(one, other) if is_personal else None,
    )


def rank_correlation(one: Sequence[Recommendation], other: Sequence[Recommendation]) -> float | None:
    """Return Spearman's correlation of the ranks of what is in both lists; None for fewer than three such items."""
    places = {each.item.id: place for place, each in enumerate(other)}
    common = [places[each.item.id] for each in one if each.item.id in places]
    size = len(common)
    if size < 3:
        return None
    ranks = {place: rank for rank, place in enumerate(sorted(common))}
    apart = sum((rank - ranks[place]) ** 2 for rank, place in enumerate(common))
    return 1 - 6 * apart / (size * (size**2 - 1))


def _score_distance(one: Sequence[Recommendation], other: Sequence[Recommendation]) -> float | None:
    """Return how far the scores of common items lie apart on average, each list scaled to 0..1."""
    first, second = _scaled(one), _scaled(other)
    common = first.keys() & second.keys()
    return sum(abs(first[item] - second[item]) for item in common) / len(common) if common else None


def _scaled(found: Sequence[Recommendation]) -> dict[str, float]:
    if not found:
        return {}
    scores = [each.score for each in found]
    low, span = min(scores), (max(scores) - min(scores)) or 1.0
    return {each.item.id: (each.score - low) / span for each in found}
