"""Training: from interactions of many people to a model that holds no person."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.recommender import content, weights
from personalization.recommender.groups import taste
from personalization.recommender.histories import Histories, members
from personalization.recommender.interactions import Interactions, InvalidInteractions, Item, Person
from personalization.recommender.model import Model, Parameters, Popularity, TrainedOn
from personalization.recommender.parts import Part
from personalization.recommender.recipe import Kind, Lists, Recipe, Spec, of_one_part

NEIGHBOURS = 100
"""Ten items with their reasons are scored within 150 us at so many; twice as many gain 2 % of nDCG on MovieLens."""
DAMPING = 10.0
_OF_NEW_ITEMS = 4
"""A row keeps one weight to a new item for so many to known ones."""
_SAMPLE = 300
"""So many people's scores set the scale of a part."""


def train(
    interactions: Interactions,
    items: Iterable[Item],
    segments: Mapping[Person, str],
    *,
    recipe: Recipe | None = None,
    min_segment: int = 20,
    min_people: int = 2,
    neighbours: int = NEIGHBOURS,
    damping: float = DAMPING,
    dense_limit: int = weights.DENSE_LIMIT,
) -> Model:
    """Train a model; the same input gives the same model.

    ``segments`` maps a person to a segment key such as ``region=DE|age=adult``. A segment of fewer than
    ``min_segment`` people is not stored at all. ``min_people`` (>= 2) is the support behind every number:
    an item counts as popular only if that many people liked it, and a weight between two items exists only if
    that many touched both. With a single person behind it, an item's row of weights would be that person's history.
    This is a floor against singling out, not differential privacy.

    ``recipe`` says how the weights are computed (``tuning.choose`` finds one); without it they are EASE up to
    ``dense_limit`` items and above it, where inverting an (items x items) matrix stops being cheap, cosine
    similarities of TF-IDF columns. ``neighbours`` bounds the weights kept for an item. ``damping`` (people) pulls a
    segment's shares towards everybody's. Interactions with items outside ``items`` are left out.

    Raises InvalidInteractions for two items with one id, ValueError for a parameter out of range.
    """
    _check(min_segment, min_people, neighbours, damping)
    catalogue = catalogue_of(items)
    data = Histories.of(interactions, catalogue)
    chosen = recipe or plain(len(catalogue), dense_limit)
    rules = Parameters(min_segment, min_people, neighbours, damping, chosen)
    return of_histories(data, catalogue, segments, rules, dense_limit)


def of_histories(
    data: Histories,
    catalogue: tuple[Item, ...],
    segments: Mapping[Person, str],
    rules: Parameters,
    dense_limit: int = weights.DENSE_LIMIT,
) -> Model:
    """Train a model on histories over the items of the catalogue."""
    builder = weights.Builder(data, min_people=rules.min_people, neighbours=rules.neighbours, dense_limit=dense_limit)
    alike = _likeness(catalogue, builder.known, rules.recipe.content)
    return assembled(data, catalogue, segments, rules, [_built(spec, builder, alike) for spec in rules.recipe.parts])


def assembled(
    data: Histories,
    catalogue: tuple[Item, ...],
    segments: Mapping[Person, str],
    rules: Parameters,
    parts: Sequence[Part],
) -> Model:
    """Return the model of parts that were built, with the lists of everybody and of the segments."""
    model = Model(
        items=catalogue,
        popularity=popularity(data.likes, min_people=rules.min_people, damping=rules.damping, prior=None),
        segments={},
        parts=tuple(parts),
        trained_on=TrainedOn(people=len(data.people), pairs=len(data), items=len(catalogue)),
        parameters=rules,
    )
    return replace(model, segments=groups(model, data, segments))


def _likeness(catalogue: Sequence[Item], known: NDArray[np.bool_], number: int) -> Any:
    """Return of each item without enough people what it is like; None where weights are not taken over."""
    return content.likeness(content.vectors(catalogue), known, number) if number and not known.all() else None


def _built(spec: Spec, builder: weights.Builder, alike: Any) -> Part:
    """Return a part with its scale, and with the weights of new items by what they are like."""
    part = builder.build(spec)
    if alike is not None:
        part = content.adopted(part, alike, max(1, builder.neighbours // _OF_NEW_ITEMS))
    return scaled(part, builder.data)


def plain(items: int, dense_limit: int) -> Recipe:
    """Return the recipe without any choice by validation."""
    return of_one_part(Spec(Kind.EASE, None, 20.0) if items <= dense_limit else Spec(Kind.TFIDF_COSINE))


def groups(model: Model, data: Histories, segments: Mapping[Person, str]) -> dict[str, Popularity]:
    """Return the lists of the segments that are large enough, as the model's recipe makes them."""
    rules = model.parameters
    found = {key: some for key, some in members(data.people, segments).items() if len(some) >= rules.min_segment}
    if rules.recipe.lists is Lists.SCORES:
        return taste.lists(model, data, found)
    likes, prior = data.likes, model.popularity.scores
    return {
        key: popularity(likes[some], min_people=rules.min_people, damping=rules.damping, prior=prior)
        for key, some in found.items()
    }


def relisted(model: Model, data: Histories, segments: Mapping[Person, str], lists: Lists) -> Model:
    """Return the model with the lists of segments of the people in ``data``."""
    recipe = replace(model.parameters.recipe, lists=lists)
    model = replace(model, parameters=replace(model.parameters, recipe=recipe))
    return replace(model, segments=groups(model, data, segments))


def _check(min_segment: int, min_people: int, neighbours: int, damping: float) -> None:
    if min_people < 2 or min_segment < min_people:
        raise ValueError("min_people must be at least 2, and min_segment at least min_people.")
    if neighbours < 1:
        raise ValueError("neighbours must be at least 1.")
    if not (math.isfinite(damping) and damping >= 0):
        raise ValueError("damping must be a finite number of people, 0 or more.")


def catalogue_of(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items in the model's order. Raises InvalidInteractions for two with one id."""
    catalogue = tuple(sorted(items, key=lambda item: item.id))
    if len({item.id for item in catalogue}) != len(catalogue):
        raise InvalidInteractions("Two items have the same id.")
    return catalogue


def scaled(part: Part, data: Histories) -> Part:
    """Return the part with the scale that gives its scores of the people trained on a standard deviation of 1."""
    numbers = np.unique(np.linspace(0, len(data.people) - 1, min(_SAMPLE, len(data.people))).astype(np.intp))
    starts = data.starts()
    scores: Sequence[NDArray[np.float64]] = [part.scores(data.signals(number, starts)) for number in numbers]
    given = np.concatenate(scores) if scores else np.zeros(0)
    spread = float(given[given != 0].std()) if given.any() else 0.0
    return replace(part, scale=1 / spread if spread else 1.0)


def popularity(likes: Any, *, min_people: int, damping: float, prior: NDArray[np.float64] | None) -> Popularity:
    """Return (n + damping * prior) / (people + damping), n = distinct people who liked the item.

    ``prior`` is the share among everybody; without one it is 0. Counts below ``min_people`` are taken as 0.
    """
    people = likes.shape[0]
    counts = np.asarray((likes > 0).sum(axis=0), dtype=np.float64).ravel()
    counts[counts < min_people] = 0.0
    expected = np.zeros_like(counts) if prior is None else damping * prior
    return Popularity(people=people, scores=(counts + expected) / max(people + damping, 1.0))
