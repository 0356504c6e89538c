"""Measure a version in use, from the events that came in and from what processes counted of its answers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Q, Sum

from common.counting import latencies
from common.counting.counts import NUMBERS
from common.counting.latencies import BUCKETS_S
from consent.models import DataSubject
from model_registry.models import ModelVersion
from model_registry.segments import stopping
from personalization import engine
from personalization.features import definitions
from personalization.models import Event, Item
from personalization.monitors import inputs, tally
from personalization.monitors.inputs import Inputs
from personalization.monitors.judging import Measured
from personalization.monitors.measures import bins, concentration, drift
from personalization.monitors.models import ItemExposure, ServedCount, TrainingReference
from personalization.recommender.model import Model

WINDOW = timedelta(days=7)  # of events, scores and items shown
LATELY = timedelta(days=1)  # of labels, and of answers: fallbacks, latency
_P95 = 0.95
_LONGEST_S = 60.0  # stands for what took longer than the last bucket
# What a training learns from as an answer: that the person wanted the item, or did not.
_LABELS = tuple(kind for kind, category in Event.CATEGORY.items() if category != "views")
_LABEL_LATENCY = """
SELECT count(*), extract(epoch FROM percentile_disc(0.95) WITHIN GROUP (ORDER BY received_at - occurred_at))
FROM personalization_event WHERE purpose = %s AND received_at > %s AND received_at <= %s AND kind = ANY (%s)
"""


@dataclass(frozen=True)
class Subject:
    """A version to measure as of ``now``, with its file. ``small``: its segments with fewer than k people."""

    version: ModelVersion
    model: Model
    small: Sequence[str]
    purpose: str
    now: datetime


def measure(subject: Subject) -> list[Measured]:
    """Return everything measured of a version. A dozen statements for any number of answers."""
    reference = TrainingReference.objects.filter(version=subject.version).first()
    events = Event.objects.filter(purpose=subject.purpose, received_at__gt=subject.now - WINDOW)
    came_in = inputs.count(events, subject.model)
    answers = Answers.of(_served(subject, tally.ANSWER, LATELY))
    return [
        *_input_drift(reference, came_in),
        _score_drift(reference, _scores(subject)),
        *_missing(came_in),
        *_features(reference, subject),
        *_ages(subject),
        *_shown(subject),
        *answers.measured(),
        _segments(subject),
    ]


def _input_drift(reference: TrainingReference | None, came_in: Inputs) -> Iterator[Measured]:
    for part in inputs.PARTS:
        now = came_in.parts[part]
        before = reference.inputs.get(part, {}) if reference else {}
        labels, old, new = inputs.side_by_side(part, before, now)
        yield _drifted("input_drift", part, labels, old, new, is_ordered=part in inputs.ORDERED)


def _score_drift(reference: TrainingReference | None, now: Sequence[int]) -> Measured:
    labels = [f"{bins.begin_of(number):.3g}" for number in range(bins.SCORES)]
    before = reference.scores if reference and reference.scores else [0] * bins.SCORES
    return _drifted("score_drift", "", labels, before, now, is_ordered=True)


def _drifted(
    monitor: str, part: str, labels: Sequence[str], old: Sequence[int], new: Sequence[int], *, is_ordered: bool
) -> Measured:
    """Return a drift with both distributions for its plot; without a reference there is no value."""
    size = sum(new)
    figures = {"labels": list(labels), "reference": list(old), "now": list(new)}
    if not sum(old):
        return Measured(monitor, part, None, size, figures=figures)
    found = drift.compare(old, new, is_ordered=is_ordered)
    gap = {} if found.ks is None else {"ks": round(found.ks, 4)}
    return Measured(
        monitor, part, round(found.psi, 4), min(found.reference, found.now), found.p, {**figures, **gap}
    )  # fmt: skip


def _scores(subject: Subject) -> list[int]:
    counts = [0] * bins.SCORES
    for name, numbers in _served(subject, tally.SCORES, WINDOW).items():
        begin = int(name) * NUMBERS
        for place, number in enumerate(numbers):
            counts[begin + place] += int(number)
    return counts


def _served(subject: Subject, kind: str, window: timedelta) -> dict[str, list[float]]:
    """Return the numbers of a kind that were counted since, by the rest of their names."""
    rows = ServedCount.objects.filter(
        version=subject.version, day__gte=(subject.now - window).date(), name__startswith=f"{kind} "
    )
    found: dict[str, list[float]] = defaultdict(lambda: [0.0] * NUMBERS)
    for name, numbers in rows.values_list("name", "numbers"):
        rest = name.removeprefix(f"{kind} ")
        found[rest] = [one + other for one, other in zip(found[rest], numbers, strict=True)]
    return found


def _missing(came_in: Inputs) -> Iterator[Measured]:
    yield _share("missing_inputs", "item", came_in.unknown, came_in.events)
    items = Item.objects.filter(is_active=True).aggregate(all=Count("pk"), without=Count("pk", filter=Q(categories=[])))
    yield _share("missing_inputs", "category", items["without"], items["all"])
    unknown = Q(region="") | Q(age_band__in=("", "unknown"))
    people = DataSubject.objects.filter(erased_at=None).aggregate(all=Count("pk"), without=Count("pk", filter=unknown))
    yield _share("missing_inputs", "segment", people["without"], people["all"])


def _share(monitor: str, part: str, some: float, of: float, figures: Mapping[str, Any] | None = None) -> Measured:
    return Measured(monitor, part, round(some / of, 4) if of else None, int(of), figures=figures or {})


def _features(reference: TrainingReference | None, subject: Subject) -> Iterator[Measured]:
    """Compare the features of the version's snapshot with those in use, and with the events that came in."""
    noted = reference.features if reference else []
    if not noted:
        return
    rows = Event.objects.filter(purpose=subject.purpose).order_by()
    newest = dict(rows.values_list("kind").annotate(Max("received_at")))
    for each in noted:
        yield _share("missing_inputs", f"feature {each['name']}", each["missing"], each["people"])
        came_in = max((newest[kind] for kind in each["events"] if kind in newest), default=None)
        age = None if came_in is None else (subject.now - came_in).total_seconds()
        yield Measured("stale_features", each["name"], None if age is None else round(age / each["freshness_s"], 3), 1)
    in_use = {(each.name, each.version) for each in definitions.in_force(subject.purpose)}
    changed = in_use ^ {(each["name"], each["version"]) for each in noted}
    figures = {"changed": sorted({name for name, _ in changed})}
    yield Measured("changed_features", "", float(len(figures["changed"])), len(noted), figures=figures)


def _ages(subject: Subject) -> Iterator[Measured]:
    newest = Event.objects.filter(purpose=subject.purpose).aggregate(newest=Max("received_at"))["newest"]
    hours = None if newest is None else round((subject.now - newest).total_seconds() / 3600, 1)
    yield Measured("stale_inputs", "", hours, 1)
    yield _label_latency(subject)
    window = subject.version.metrics.get("window")
    until = datetime.combine(datetime.fromisoformat(window[1]), time(), UTC) if window else subject.version.created_at
    yield Measured("model_age", "", round((subject.now - until) / timedelta(days=1), 1), 1)


def _label_latency(subject: Subject) -> Measured:
    """Measure how long after it happened a label of the last day came in."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LABEL_LATENCY, [subject.purpose, subject.now - LATELY, subject.now, [str(kind) for kind in _LABELS]]
        )
        number, seconds = cursor.fetchone()
    return Measured("label_latency", "", None if seconds is None else round(float(seconds) / 3600, 2), number)


def _shown(subject: Subject) -> Iterator[Measured]:
    """Measure how evenly the items of a version are shown; those that are not offered any more are left out."""
    since = (subject.now - WINDOW).date()
    rows = ItemExposure.objects.filter(version=subject.version, day__gte=since).order_by()
    times = dict(rows.values_list("item").annotate(Sum("shown")))
    offered = set(Item.objects.filter(is_active=True).values_list("slug", flat=True))
    places = [number for number, item in enumerate(subject.model.items) if item.id in offered]
    counts = [times.get(subject.model.items[number].id, 0) for number in places]
    popularity = [float(subject.model.popularity.scores[number]) for number in places]
    total = sum(counts)
    if not total:
        yield from (Measured(name) for name in ("coverage", "gini", "head_share"))
        return
    yield Measured("coverage", "", round(concentration.coverage(counts), 4), total)
    yield Measured("gini", "", round(concentration.gini(counts), 4), total)
    yield Measured("head_share", "", round(concentration.head_share(counts, popularity), 4), total)


@dataclass(frozen=True)
class Answers:
    """Answers of a version: by level permitted, level served and fallback, and how long they took."""

    by_kind: Mapping[tuple[str, str, str], int]
    seconds: Sequence[float]

    @classmethod
    def of(cls, served: Mapping[str, Sequence[float]]) -> "Answers":
        """Add up what was counted by name."""
        by_kind: Counter[tuple[str, str, str]] = Counter()
        buckets = [0.0] * (len(BUCKETS_S) + 1)
        for name, numbers in served.items():
            permitted, level, fallback = name.split(" ")
            took = latencies.read(numbers)
            by_kind[permitted, level, fallback] += took.count
            buckets = [one + other for one, other in zip(buckets, took.numbers, strict=True)]
        return cls(by_kind, buckets)

    def __add__(self, other: "Answers") -> "Answers":
        seconds = [one + more for one, more in zip(self.seconds, other.seconds, strict=True)]
        return Answers(Counter(self.by_kind) + Counter(other.by_kind), seconds)

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())

    @property
    def levels(self) -> Counter[str]:
        """Return the answers by the level that was served."""
        found = Counter[str]()
        for (_, level, _), number in self.by_kind.items():
            found[level] += number
        return found

    @property
    def fallbacks(self) -> Counter[str]:
        """Return the answers that are less than was permitted, by the reason."""
        found = Counter[str]()
        for (*_, fallback), number in self.by_kind.items():
            if fallback != tally.NONE:
                found[fallback] += number
        return found

    @property
    def lower(self) -> int:
        """Return the answers at a lower level than was permitted."""
        return sum(number for (permitted, level, _), number in self.by_kind.items() if permitted != level)

    @property
    def failed(self) -> int:
        """Return the answers for which the engine gave nothing."""
        return sum(number for fallback, number in self.fallbacks.items() if fallback in engine.FAILURES)

    def within(self, share: float) -> float | None:
        """Return the seconds in which this share of the answers was made, as the end of a bucket."""
        found = bins.quantile(self.seconds, BUCKETS_S, share)
        return None if found is None else min(found, _LONGEST_S)

    def measured(self) -> list[Measured]:
        total = self.total
        return [
            _share("below_permitted", "", self.lower, total, {"levels": dict(self.levels)}),
            _share("fallbacks", "", self.failed, total, {"fallbacks": dict(self.fallbacks)}),
            _share("breaker", "", self.fallbacks[engine.RESTING], total),
            Measured("latency", "", self.within(_P95), total),
        ]


def _segments(subject: Subject) -> Measured:
    """Count the segments that are too small or stopped; how small they are is not kept."""
    off = {*subject.small, *stopping.stopped(subject.version)}
    figures = {"segments": len(subject.model.segments), "off": sorted(off)}
    return Measured("segments", "", float(len(off)), max(len(subject.model.segments), 1), figures=figures)
