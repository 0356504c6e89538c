"""Reference of a training: the distributions that monitors compare a version with later."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_registry.models import ModelVersion
from personalization.monitors import inputs
from personalization.monitors.inputs import Counted
from personalization.monitors.measures import bins
from personalization.monitors.models import TrainingReference
from personalization.recommender.interactions import Interaction, Interactions
from personalization.recommender.model import Model

_SAMPLE = 500
_TOP = 10


@dataclass(frozen=True)
class Reference:
    """Distributions at a training: see ``TrainingReference``."""

    inputs: dict[str, inputs.Distribution]
    scores: list[int]
    features: list[dict[str, Any]]


def measure(model: Model, data: Interactions, counts: Iterable[Counted], features: list[dict[str, Any]]) -> Reference:
    """Measure what a version learnt from, and the scores it gives the people it learnt from.

    ``counts``: how many events of theirs there were of each kind, value and item.
    """
    return Reference(inputs.of_counts(counts, model).parts, scores(model, data), features)


def scores(model: Model, data: Interactions) -> list[int]:
    """Return the first scores of the personal lists of a sample of people, in bins."""
    counts = [0] * bins.SCORES
    for history in _histories(data):
        served = model.recommend("individual", history=history, count=_TOP)
        for number in bins.of_list(served.recommendations):
            counts[number] += 1
    return counts


def _histories(data: Interactions) -> list[list[Interaction]]:
    """Return the histories of people spread evenly over all of them, so that the same training gives the same."""
    people = sorted(data.people.distinct(), key=str)
    places = np.unique(np.linspace(0, len(people) - 1, min(_SAMPLE, len(people))).astype(np.intp))
    place = data.people.renumbered(people[int(one)] for one in places)
    found: list[list[Interaction]] = [[] for _ in places]
    for row in np.flatnonzero(place >= 0).tolist():
        found[place[row]].append(Interaction(data.item[row], float(data.weight[row]), float(data.time[row])))
    return found


def keep(version: ModelVersion, reference: Reference) -> None:
    """Keep the reference of a version, in the transaction that registers it."""
    TrainingReference.objects.create(
        version=version, inputs=reference.inputs, scores=reference.scores, features=reference.features
    )
