"""Groups of people by their own data, at least k in each: readable segments, and segments of taste.

They are computed with a version and only where a rule of ranking asks for their kind. Their lists are the mean of what
the version scores for the people in them, so a list holds nothing that one person alone is behind.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from personalization.recommender.groups import readable, taste
from personalization.recommender.histories import Histories, members
from personalization.recommender.interactions import Interactions, Person
from personalization.recommender.model import Model

TASTE_FROM = 50
"""A segment of taste has at least so many people."""


class Kind(StrEnum):
    """Kind of group, by what puts people in it; its value begins the keys of its groups."""

    READABLE = "readable"
    TASTE = "taste"


@dataclass(frozen=True, eq=False)
class Grouped:
    """A model with the lists of its groups, and the group of each person by kind."""

    model: Model
    people: Mapping[Kind, Mapping[Person, str]]


def added(model: Model, interactions: Interactions, kinds: Collection[Kind]) -> Grouped:
    """Group the people of the training, and add the lists of the groups to the model."""
    if not kinds:
        return Grouped(model, {})
    data = Histories.of(interactions, model.items)
    people = {kind: _grouped(kind, model, data) for kind in sorted(set(kinds))}
    found = {key: some for of_kind in people.values() for key, some in members(data.people, of_kind).items()}
    lists = taste.lists(model, data, found)
    return Grouped(replace(model, segments={**model.segments, **lists}), people)


def kinds_of(model: Model) -> set[Kind]:
    """Return the kinds of groups that a model has lists of."""
    return {kind for kind in Kind for key in model.segments if kind_of(key) is kind}


def kind_of(key: str) -> Kind | None:
    """Return the kind of a group by its key; None for region and age."""
    return next((kind for kind in Kind if key.startswith(f"{kind.value}:")), None)


def _grouped(kind: Kind, model: Model, data: Histories) -> dict[Person, str]:
    least = model.parameters.min_segment
    if kind is Kind.READABLE:
        found = readable.segments(data, model.items, at_least=least)
    else:
        found = taste.clusters(model, data, at_least=max(TASTE_FROM, least))
    return {person: f"{kind.value}:{key}" for person, key in found.items()}
