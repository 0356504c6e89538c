"""Answers of the last days by day and by version, out of the counts that the monitors keep."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Sum

from personalization.models import SignalLoss
from personalization.monitors import tally
from personalization.monitors.measuring import Answers
from personalization.monitors.models import ServedCount

NO_ANSWERS = Answers.of({})


@dataclass(frozen=True)
class Day:
    """A day (UTC) with its answers."""

    day: date
    answers: Answers


@dataclass(frozen=True)
class Served:
    """Answers of all versions by day, the oldest first, and of all days by the version's id."""

    days: Sequence[Day]
    by_version: Mapping[int, Answers]

    @property
    def total(self) -> Answers:
        return sum(self.by_version.values(), NO_ANSWERS)


@dataclass(frozen=True)
class Loss:
    """Numbered events of a sender in the last days, and how many of them never arrived."""

    sender: str
    numbered: int
    lost: int

    @property
    def share(self) -> float:
        return self.lost / self.numbered if self.numbered else 0.0


def served(*, until: date, days: int) -> Served:
    """Return what was answered in so many days, ``until`` among them. One statement."""
    known = [until - timedelta(days=ago) for ago in reversed(range(days))]
    rows = ServedCount.objects.filter(day__gte=known[0], day__lte=until, name__startswith=f"{tally.ANSWER} ")
    counted: dict[tuple[date, int], dict[str, Sequence[float]]] = defaultdict(dict)
    for day, version, name, numbers in rows.values_list("day", "version_id", "name", "numbers"):
        counted[day, version][name.removeprefix(f"{tally.ANSWER} ")] = numbers
    by_day: dict[date, Answers] = defaultdict(lambda: NO_ANSWERS)
    by_version: dict[int, Answers] = defaultdict(lambda: NO_ANSWERS)
    for (day, version), numbers_by_name in counted.items():
        found = Answers.of(numbers_by_name)
        by_day[day] += found
        by_version[version] += found
    return Served([Day(day, by_day[day]) for day in known], dict(by_version))


def losses(*, until: date, days: int) -> list[Loss]:
    """Return what senders of numbered events lost in so many days, the worst first. One statement."""
    rows = SignalLoss.objects.filter(day__gt=until - timedelta(days=days), day__lte=until).order_by()
    added = rows.values_list("sender").annotate(Sum("numbered"), Sum("lost"))
    return sorted((Loss(*row) for row in added), key=lambda loss: (-loss.share, loss.sender))


def resting() -> int:
    """Return how many web processes of this machine do not ask the engine for a while, as /metrics counts them."""
    return int(tally.counts().total().get(tally.BREAKER, [0.0])[0])
