"""Metrics of the recommender: what it serves, how fast, its breaker; and of its versions what monitors found."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Max, OuterRef, Subquery
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from common.counting import latencies
from model_registry.models import ModelVersion
from personalization.monitors import tally
from personalization.monitors.models import MonitorResult

_BEYOND = MonitorResult.State.BEYOND


def served() -> Iterator[Metric]:
    """Return what the web processes of this machine served. Reads no table."""
    total = tally.counts().total()
    answers = CounterMetricFamily(
        "assent_recommendations",
        "Recommendations answered, by version, level served, and why less than permitted was served.",
        labels=["version", "level", "fallback"],
    )
    took = HistogramMetricFamily(
        "assent_recommendation_seconds", "How long recommendations took to make.", labels=["version"]
    )
    counted, by_version = Counter[tuple[str, str, str]](), dict[str, list[float]]()
    for name, numbers in total.items():
        kind, *labels = name.split(" ")
        if kind == tally.ANSWER:
            version, _permitted, level, fallback = labels
            counted[version, level, fallback] += latencies.read(numbers).count
            known = by_version.setdefault(version, [0.0] * len(numbers))
            by_version[version] = [one + other for one, other in zip(known, numbers, strict=True)]
    for key, number in sorted(counted.items()):
        answers.add_metric(list(key), number)
    for version, numbers in sorted(by_version.items()):
        found = latencies.read(numbers)
        took.add_metric([version], found.buckets, found.seconds)
    yield answers
    yield took
    resting = total.get(tally.BREAKER, [0.0])[0]
    yield GaugeMetricFamily(
        "assent_recommender_resting", "Web processes whose circuit breaker keeps the engine from being asked.",
        value=resting,
    )  # fmt: skip


def versions(now: datetime) -> Iterator[Metric]:
    """Return the versions in use: which, how old, and what their monitors found last. Two statements."""
    in_use = list(ModelVersion.objects.filter(status__in=ModelVersion.IN_USE).select_related("model"))
    serves = GaugeMetricFamily(
        "assent_model_serving", "1 for a version that is live or a canary, 0 for a suspended one.", labels=["version"]
    )
    age = GaugeMetricFamily("assent_model_age_seconds", "How long ago a version was trained.", labels=["version"])
    for version in in_use:
        serves.add_metric([str(version)], int(version.serves))
        age.add_metric([str(version)], (now - version.created_at).total_seconds())
    yield serves
    yield age
    yield from _monitors(in_use, now)


def _monitors(in_use: list[ModelVersion], now: datetime) -> Iterator[Metric]:
    value = GaugeMetricFamily(
        "assent_monitor_value", "What a monitor found last, in its own unit.", labels=["version", "monitor", "part"]
    )
    beyond = GaugeMetricFamily(
        "assent_monitor_beyond", "1 where a monitor is beyond its objective.", labels=["version", "monitor"]
    )
    late = GaugeMetricFamily("assent_monitor_age_seconds", "How long ago monitors measured.", labels=["version"])
    names = {version.pk: str(version) for version in in_use}
    newest = MonitorResult.objects.filter(version=OuterRef("version")).order_by().values("version")
    rows = MonitorResult.objects.filter(
        version__in=in_use, day=Subquery(newest.annotate(newest=Max("day")).values("newest"))
    )
    worst, measured = dict[tuple[str, str], int](), dict[str, datetime]()
    for row in rows:
        name = names[row.version_id]
        measured[name] = row.measured_at
        key = (name, row.monitor)
        worst[key] = max(worst.get(key, 0), int(row.state == _BEYOND))
        if row.value is not None:
            value.add_metric([name, row.monitor, row.part], row.value)
    for key, found in sorted(worst.items()):
        beyond.add_metric(list(key), found)
    for name, at in measured.items():
        late.add_metric([name], (now - at).total_seconds())
    yield from (value, beyond, late)
