"""The monitors: what each measures, in which unit, and the objective it has where the register names none."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Monitor:
    """A monitor. ``limit``: its own objective, which a value may not exceed; or reach, where ``is_least``.

    ``least_samples``: of fewer values there is no verdict. ``gate``: the release gate that reads it (``inputs``,
    ``drift``, ``service``); empty is none.
    """

    title: str
    says: str
    unit: str
    limit: float
    is_least: bool = False
    least_samples: int = 1
    gate: str = ""

    def is_beyond(self, value: float, limit: float) -> bool:
        """Return whether a value is beyond a limit."""
        return value < limit if self.is_least else value > limit

    def is_stricter(self, limit: float, other: float) -> bool:
        """Return whether a limit is at least as strict as another."""
        return limit >= other if self.is_least else limit <= other


_ANSWERS = 100
MONITORS: Mapping[str, Monitor] = {
    "input_drift": Monitor(
        "Input drift", "how far the events of the last 7 days are from those it learnt from", "PSI", 0.25,
        least_samples=_ANSWERS, gate="drift",
    ),
    "score_drift": Monitor(
        "Score drift", "how far the scores of the lists served are from those at its training", "PSI", 0.25,
        least_samples=_ANSWERS, gate="drift",
    ),
    "missing_inputs": Monitor("Missing inputs", "share of inputs that are not known", "share", 0.5, gate="inputs"),
    "stale_inputs": Monitor("Freshness of inputs", "hours since the newest event arrived", "hours", 48, gate="inputs"),
    "label_latency": Monitor(
        "Latency of labels", "hours after which 95 of 100 likes, ratings, purchases and refusals had come in", "hours",
        24, least_samples=_ANSWERS,
    ),
    "stale_features": Monitor(
        "Freshness of features", "age of the newest event of a feature, in times of the feature's own objective",
        "times", 1,
    ),
    "changed_features": Monitor(
        "Features changed since", "features that its snapshot lacks, or has in another version than is in use",
        "features", 0,
    ),
    "model_age": Monitor("Age", "days since the newest event it learnt from", "days", 90),
    "coverage": Monitor(
        "Coverage", "share of the catalogue that was shown in 7 days", "share", 0.01, is_least=True,
        least_samples=1_000,
    ),
    "gini": Monitor(
        "Popularity bias", "Gini coefficient of how often items were shown in 7 days", "Gini", 0.99, least_samples=1_000
    ),
    "head_share": Monitor(
        "Share of the head", "share of showings that went to the tenth of items most popular at its training", "share",
        0.9, least_samples=1_000,
    ),
    "below_permitted": Monitor(
        "Level served", "share of answers at a lower level than was permitted", "share", 0.5, least_samples=_ANSWERS,
        gate="service",
    ),
    "fallbacks": Monitor(
        "Fallbacks", "share of answers for which the engine gave nothing", "share", 0.01, least_samples=_ANSWERS,
        gate="service",
    ),
    "latency": Monitor(
        "Latency", "seconds in which 95 of 100 answers were made", "s", 0.25, least_samples=_ANSWERS, gate="service"
    ),
    "breaker": Monitor(
        "Circuit breaker", "share of answers made while the engine rested after failures", "share", 0.001,
        least_samples=_ANSWERS, gate="service",
    ),
    "segments": Monitor("Size of segments", "segments with fewer than k people", "segments", 0),
}  # fmt: skip
SIGNIFICANT = 0.01
"""A drift counts where its probability, adjusted for all tests of the day, is below this as well."""
