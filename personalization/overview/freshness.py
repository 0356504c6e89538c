"""How fresh the recommender's data and models are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min

from model_registry.models import ModelVersion
from personalization.models import Event, PopularItem
from personalization.monitors.models import MonitorResult


@dataclass(frozen=True)
class Freshness:
    """When a thing was last renewed; None: never. ``renewed``: what renews it, in words."""

    what: str
    at: datetime | None
    renewed: str


def read(serving: Sequence[ModelVersion]) -> list[Freshness]:
    """Return the ages of what answers rest on, of the versions that serve. A statement each."""
    return [*_trainings(serving), *_data(serving), _measured(serving)]


def _trainings(serving: Sequence[ModelVersion]) -> Iterator[Freshness]:
    for version in serving:
        window = version.metrics.get("window")
        learnt = f"It learnt from what people did until {window[1]}." if window else "Its window of days is not known."
        yield Freshness(f"Training of {version.title}", version.created_at, learnt)


def _data(serving: Sequence[ModelVersion]) -> Iterator[Freshness]:
    purposes = {purpose.slug for version in serving for purpose in version.purposes.all()}
    newest = Event.objects.filter(purpose__in=purposes).aggregate(at=Max("received_at"))["at"]
    yield Freshness(
        "Events and features of people",
        newest,
        "An event and the features that serving reads are written together. This is the newest that arrived.",
    )
    made = PopularItem.objects.aggregate(at=Min("made_at"))["at"]
    yield Freshness("General list", made, "Made anew every hour, and at the beginning of each training.")


def _measured(serving: Sequence[ModelVersion]) -> Freshness:
    at = MonitorResult.objects.filter(version__in=serving).aggregate(at=Max("measured_at"))["at"]
    return Freshness("Monitors", at, "Measured every night.")
